/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/alloc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/alloc_wire.h"

#include "alloc.skel.h"
#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/collect/alloc_settling.h"
#include "user/collect/alloc_sites.h"
#include "user/collect/bpf_cost.h"
#include "user/collect/ledger_slots.h"
#include "user/collect/sample_tables.h"
#include "user/collect/shim_probes.h"

/* Stacks of a process that are passed up before what it has mapped is known: programs allocate much
 * when they begin. */
#define ASKED_AT_MOST 16384u

/* How often the tables are read empty. */
#define PATIENCE_MS	  100u
#define PATIENCE_EXACT_MS 50u /* when every block is an event */

struct alloc_collector {
	struct collector base;
	struct alloc_options options;
	struct alloc_bpf *skel;
	struct bpf_link **links; /* of the probes */
	size_t n_links;
	struct sample_tables tables;
	struct alloc_sites sites;
	struct alloc_settling settling;
	uint64_t start_ns; /* CLOCK_MONOTONIC */
};

static struct alloc_collector *of(struct collector *base)
{
	return (struct alloc_collector *)base;
}

static void alloc_free(struct collector *base)
{
	struct alloc_collector *c = of(base);
	size_t i;

	for (i = 0; i < c->n_links; i++)
		bpf_link__destroy(c->links[i]);
	free(c->links);
	alloc_settling_release(&c->settling);
	alloc_sites_release(&c->sites);
	sample_tables_release(&c->tables);
	alloc_bpf__destroy(c->skel);
	capture_release(&base->capture);
	free(c);
}

/* --- loading -------------------------------------------------------------------------------------
 */

/* Blocks in use at a time. */
static unsigned int max_blocks(uint64_t interval_bytes)
{
	if (interval_bytes == 1)
		return 4u << 20;
	return interval_bytes < 65536 ? 1u << 20 : 1u << 18;
}

/* They take memory as they are made: probes in user space never come where that is forbidden. */
static int make_on_demand(struct alloc_collector *c)
{
	struct bpf_map *const maps[] = {
		c->skel->maps.sites,	 c->skel->maps.blocks,	  c->skel->maps.processes,
		c->skel->maps.tallies_0, c->skel->maps.tallies_1,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(maps); i++) {
		if (bpf_map__set_map_flags(maps[i], BPF_F_NO_PREALLOC))
			return errf(-EINVAL, "cannot size the kernel's tables");
	}
	return 0;
}

static int load(struct alloc_collector *c, const struct target *target)
{
	unsigned int stacks =
		c->options.table_entries ? c->options.table_entries : ALLOC_SITES_STACKS;
	int err;

	c->skel = alloc_bpf__open();
	if (!c->skel)
		return bpf_fail(-errno, "the alloc collector");
	ALLOC_SITES_SIZE(c->skel, stacks, max_blocks(c->options.settings->interval_bytes), err);
	if (!err)
		err = make_on_demand(c);
	if (err)
		return err;
	c->skel->rodata->cfg_interval_bytes = c->options.settings->interval_bytes;
	c->skel->rodata->cfg_max_deferred = stacks;
	c->skel->rodata->cfg_unwind_max_asked = ASKED_AT_MOST;
	TARGET_CONFIGURE(c->skel, target_config(target), err);
	if (!err)
		SAMPLE_CONFIGURE(c->skel, c->options.unwinder, err);
	if (!err)
		err = alloc_bpf__load(c->skel);
	if (err)
		return bpf_fail(err, "the alloc collector");
	return target_fill(target, bpf_map__fd(c->skel->maps.target_tids),
			   bpf_map__fd(c->skel->maps.target_cgroup));
}

/* The library is this recording's own: nobody else has its probes. */
static int attach_shim(struct alloc_collector *c)
{
	struct bpf_program *const programs[SHIM_PROBES] = {
		[SHIM_MADE] = c->skel->progs.on_made,
		[SHIM_FREED] = c->skel->progs.on_freed,
		[SHIM_MOVING] = c->skel->progs.on_moving,
		[SHIM_MOVED] = c->skel->progs.on_moved,
		[SHIM_MAPPED] = c->skel->progs.on_mapped,
		[SHIM_UNMAPPED] = c->skel->progs.on_unmapped,
		[SHIM_SETTLING] = c->skel->progs.on_settling,
	};
	_cleanup_(freep) struct shim_probe *probes = NULL;
	size_t n;
	int err = shim_probes_own(&probes, &n);

	if (err)
		return err;
	c->links = calloc(n, sizeof(*c->links));
	if (!c->links)
		return errf(-ENOMEM, "no memory for the alloc collector");
	for (; c->n_links < n; c->n_links++) {
		struct bpf_link *link =
			bpf_program__attach_uprobe(programs[probes[c->n_links].kind], false, -1,
						   c->options.shim_path, probes[c->n_links].offset);

		if (!link)
			return bpf_fail(-errno, "the probes of the allocation library");
		c->links[c->n_links] = link;
	}
	return 0;
}

static int attach(struct alloc_collector *c)
{
	c->skel->links.on_exit = bpf_program__attach(c->skel->progs.on_exit);
	if (!c->skel->links.on_exit)
		return bpf_fail(-errno, "the alloc collector");
	c->skel->links.on_exec = bpf_program__attach(c->skel->progs.on_exec);
	if (!c->skel->links.on_exec)
		return bpf_fail(-errno, "the alloc collector");
	return attach_shim(c);
}

/* --- recording -----------------------------------------------------------------------------------
 */

static void switch_on(struct alloc_collector *c, uint32_t on)
{
	__atomic_store_n(&c->skel->bss->is_on, on, __ATOMIC_SEQ_CST);
}

static int alloc_start(struct collector *base)
{
	of(base)->start_ns = clock_ns(CLOCK_MONOTONIC);
	switch_on(of(base), 1);
	return 0;
}

static int alloc_stop(struct collector *base)
{
	switch_on(of(base), 0);
	unwind_maps_wait();
	return 0;
}

static unsigned int alloc_patience_ms(const struct collector *base)
{
	const struct alloc_collector *c = (const struct alloc_collector *)base;

	return c->options.settings->interval_bytes == 1 ? PATIENCE_EXACT_MS : PATIENCE_MS;
}

static int alloc_tick(struct collector *base)
{
	struct alloc_collector *c = of(base);
	int err = alloc_settling_tick(&c->settling);

	return err ? err : alloc_sites_tick(&c->sites);
}

static int add_tally(void *ctx, const void *key, const void *value, const struct stack_entry *user,
		     const struct stack_entry *kernel)
{
	struct alloc_collector *c = ctx;
	struct ft_alloc_site_key k;
	struct ft_count count;
	struct capture_sample sample;

	/* What has waited is not aligned. */
	memcpy(&k, key, sizeof(k));
	memcpy(&count, value, sizeof(count));
	sample = sample_of(&k.origin, user, kernel);
	return capture_add(&c->base.capture, &sample,
			   (const uint64_t[MEMORY_VALUES]){ [MEMORY_BLOCKS] = count.n },
			   count.first_ns);
}

static int alloc_drain(struct collector *base)
{
	return sample_tables_drain(&of(base)->tables);
}

static int alloc_deliver(struct collector *base)
{
	return sample_tables_deliver(&of(base)->tables);
}

/* --- the account ---------------------------------------------------------------------------------
 */

static const char *const own_causes[] = {
	[FT_ALLOC_LOST_SITES - FT_LEDGER_OWN] = "sites_full",
	[FT_ALLOC_LOST_COLLISION - FT_LEDGER_OWN] = "site_collision",
	[FT_ALLOC_LOST_CALLS - FT_LEDGER_OWN] = "calls_full",
};

static void alloc_progress(const struct collector *base, uint64_t *ret_kept, uint64_t *ret_lost)
{
	const struct alloc_collector *c = (const struct alloc_collector *)base;

	ledger_slots_progress(c->skel->maps.ledgers, own_causes, ARRAY_SIZE(own_causes), ret_kept,
			      ret_lost);
}

static int close_ledger(struct alloc_collector *c, struct collector_summary *s)
{
	struct ft_ledger slots;
	int err = ledger_slots_read(c->skel->maps.ledgers, &slots);

	if (err)
		return err;
	ledger_slots_add(&slots, own_causes, ARRAY_SIZE(own_causes), &s->ledger);
	s->ledger.kept = c->base.capture.total;
	ledger_add(&s->ledger, "drain", slots.n[FT_KEPT] - c->base.capture.total);
	return 0;
}

static void add_notes(const struct alloc_collector *c, struct collector_summary *s)
{
	const struct ft_alloc_state *state = &c->skel->bss->state;

	summary_add_note(s, "frees", state->frees, NULL);
	summary_add_note(s, "frees_of_unknown", state->frees_unknown, NULL);
	summary_add_note(s, "frees_of_inherited", state->frees_inherited, NULL);
	summary_add_note(s, "frees_missed", state->frees_missed, NULL);
	summary_add_note(s, "in_use_table_full", state->blocks_full, NULL);
	summary_add_note(s, "processes_table_full", state->processes_full, NULL);
}

static int alloc_summarize(struct collector *base, const struct sideband *sb,
			   struct collector_summary *ret)
{
	struct alloc_collector *c = of(base);
	struct bpf_cost cost = { 0 };
	int err = close_ledger(c, ret);

	(void)sb;
	if (!err)
		err = alloc_sites_finish(&c->sites, &c->tables.book, &base->capture, c->start_ns,
					 &ret->memory);
	if (err)
		return err;
	ret->memory->how = "shim";
	ret->memory->has_frees = true;
	ret->event = strdup("allocations");
	if (!ret->event)
		return errf(-ENOMEM, "no memory for the summary");
	bpf_cost_add(c->skel->obj, &cost);
	ret->cost.kernel_ns = cost.run_ns;
	ret->cost.kernel_runs = cost.runs;
	ret->cost.map_bytes = cost.map_bytes;
	add_notes(c, ret);
	return 0;
}

static int alloc_add_value_types(const struct collector *base, struct profile *p)
{
	const struct alloc_collector *c = (const struct alloc_collector *)base;

	if (memory_add_value_types(p))
		return -ENOMEM;
	p->default_value = c->options.settings->weight;
	return 0;
}

static const struct collector_ops alloc_ops = {
	.name = "alloc",
	.title = "Memory",
	.start = alloc_start,
	.stop = alloc_stop,
	.patience_ms = alloc_patience_ms,
	.tick = alloc_tick,
	.drain = alloc_drain,
	.deliver = alloc_deliver,
	.add_value_types = alloc_add_value_types,
	.summarize = alloc_summarize,
	.progress = alloc_progress,
	.free = alloc_free,
};

/* --- made of all that ----------------------------------------------------------------------------
 */

static void init_tables(struct alloc_collector *c)
{
	struct sample_tables_options options = {
		SAMPLE_TABLES_OF(c->skel, tallies),
		.collector = FT_COLLECTOR_ALLOC,
		.unwinder = c->options.unwinder,
		.capture = &c->base.capture,
		.add = add_tally,
		.ctx = c,
	};
	struct alloc_sites_options sites = {
		ALLOC_SITES_OF(c->skel),
		.interval_bytes = c->options.settings->interval_bytes,
		.min_age_ns = c->options.settings->min_age_ns,
	};

	sample_tables_init(&c->tables, &options);
	alloc_sites_init(&c->sites, &sites);
	c->settling = (struct alloc_settling){
		.map = c->skel->maps.settlings,
		.unwinder = c->options.unwinder,
		.known = c->options.known,
		.sideband = c->options.sideband,
	};
}

int alloc_collector_new(const struct alloc_options *options, const struct target *target,
			struct collector **ret)
{
	struct alloc_collector *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return errf(-ENOMEM, "no memory for the alloc collector");
	c->base.ops = &alloc_ops;
	capture_init(&c->base.capture, MEMORY_VALUES);
	c->options = *options;
	err = load(c, target);
	if (!err)
		init_tables(c);
	if (!err)
		err = attach(c);
	if (err) {
		alloc_free(&c->base);
		return err;
	}
	*ret = &c->base;
	return 0;
}
