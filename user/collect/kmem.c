/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/kmem.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/draw_wire.h"
#include "bpf/kmem_wire.h"

#include "kmem.skel.h"
#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/collect/alloc_sites.h"
#include "user/collect/alloc_weights.h"
#include "user/collect/bpf_cost.h"
#include "user/collect/kmem_programs.h"
#include "user/collect/kmem_tags.h"
#include "user/collect/ledger_slots.h"
#include "user/collect/sample_tables.h"

/* Stacks of a process that are passed up before what it has mapped is known: a program that has
 * just begun is the one that allocates. */
#define ASKED_AT_MOST 16384u

/* Sampled blocks in use: of a machine's memory, 64 GiB at the default interval. */
#define BLOCKS	     (1u << 17)
#define BLOCKS_EXACT ALLOC_SITES_BLOCKS

/* How often the tables are read empty. */
#define PATIENCE_MS	  100u
#define PATIENCE_EXACT_MS 50u /* when every block is an event */

struct kmem_collector {
	struct collector base;
	struct kmem_options options;
	struct kmem_bpf *skel;
	struct kmem_kernel has;
	struct sample_tables tables;
	struct alloc_sites sites;
	struct kmem_tags tags;
	uint64_t start_ns; /* CLOCK_MONOTONIC */
};

static struct kmem_collector *of(struct collector *base)
{
	return (struct kmem_collector *)base;
}

static void kmem_free(struct collector *base)
{
	struct kmem_collector *c = of(base);

	alloc_sites_release(&c->sites);
	sample_tables_release(&c->tables);
	kmem_tags_release(&c->tags);
	kmem_bpf__destroy(c->skel);
	capture_release(&base->capture);
	free(c);
}

/* --- loading ------------------------------------------------------------------------------- */

static void configure(struct kmem_collector *c, unsigned int stacks)
{
	uint64_t interval = c->options.settings->interval_bytes;

	c->skel->rodata->cfg_interval_bytes = interval;
	if (interval > 1)
		alloc_weights_fill(interval, (struct ft_alloc_draw *)&c->skel->rodata->cfg_draw);
	c->skel->rodata->cfg_page_bytes = sysconf(_SC_PAGESIZE);
	c->skel->rodata->cfg_in_use = !c->options.settings->allocated_only;
	c->skel->rodata->cfg_max_deferred = stacks;
	c->skel->rodata->cfg_unwind_max_asked = ASKED_AT_MOST;
}

static int load(struct kmem_collector *c, const struct target *target)
{
	unsigned int stacks =
		c->options.table_entries ? c->options.table_entries : ALLOC_SITES_STACKS;
	int err;

	c->skel = kmem_bpf__open();
	if (!c->skel)
		return bpf_fail(-errno, "the kmem collector");
	ALLOC_SITES_SIZE(c->skel, stacks,
			 c->options.settings->interval_bytes < 65536 ? BLOCKS_EXACT : BLOCKS, err);
	if (!err)
		err = kmem_programs_choose(c->skel, &c->has);
	if (err)
		return err;
	configure(c, stacks);
	TARGET_CONFIGURE(c->skel, target_config(target), err);
	if (!err)
		SAMPLE_CONFIGURE(c->skel, c->options.unwinder, 0, err);
	if (!err)
		err = kmem_bpf__load(c->skel);
	if (err)
		return bpf_fail(err, "the kmem collector");
	return target_fill(target, bpf_map__fd(c->skel->maps.target_tids),
			   bpf_map__fd(c->skel->maps.target_cgroup));
}

/* --- recording ----------------------------------------------------------------------------- */

static void switch_on(struct kmem_collector *c, uint32_t on)
{
	__atomic_store_n(&c->skel->bss->is_on, on, __ATOMIC_SEQ_CST);
}

static int kmem_start(struct collector *base)
{
	of(base)->start_ns = clock_ns(CLOCK_MONOTONIC);
	switch_on(of(base), 1);
	return 0;
}

static int kmem_stop(struct collector *base)
{
	switch_on(of(base), 0);
	unwind_maps_wait();
	return 0;
}

static unsigned int kmem_patience_ms(const struct collector *base)
{
	const struct kmem_collector *c = (const struct kmem_collector *)base;

	return c->options.settings->interval_bytes == 1 ? PATIENCE_EXACT_MS : PATIENCE_MS;
}

static int kmem_tick(struct collector *base)
{
	return alloc_sites_tick(&of(base)->sites);
}

/* --- draining ------------------------------------------------------------------------------ */

static int64_t tag_of(void *ctx, const struct ft_alloc_site_key *key)
{
	struct kmem_collector *c = ctx;
	struct ft_kmem_cache cache;
	bool is_known =
		key->kind == FT_ALLOC_CACHE &&
		!bpf_map_lookup_elem(bpf_map__fd(c->skel->maps.caches), &key->detail, &cache);

	return kmem_tags_add(&c->tags, key, is_known ? &cache : NULL);
}

static int add_tally(void *ctx, const void *key, const void *value, const struct stack_entry *user,
		     const struct stack_entry *kernel)
{
	struct kmem_collector *c = ctx;

	return alloc_sites_tally(&c->sites, &c->base.capture, key, value, user, kernel);
}

static int kmem_drain(struct collector *base)
{
	return sample_tables_drain(&of(base)->tables);
}

static int kmem_deliver(struct collector *base)
{
	return sample_tables_deliver(&of(base)->tables);
}

static void kmem_describe_tag(const struct collector *base, uint32_t tag, struct sample_tag *ret)
{
	kmem_tags_describe(&((const struct kmem_collector *)base)->tags, tag, ret);
}

/* --- the account --------------------------------------------------------------------------- */

static const char *const own_causes[] = {
	[FT_ALLOC_LOST_SITES - FT_LEDGER_OWN] = "sites_full",
	[FT_ALLOC_LOST_COLLISION - FT_LEDGER_OWN] = "site_collision",
};

static void kmem_progress(const struct collector *base, uint64_t *ret_kept, uint64_t *ret_lost)
{
	const struct kmem_collector *c = (const struct kmem_collector *)base;

	ledger_slots_progress(c->skel->maps.ledgers, own_causes, ARRAY_SIZE(own_causes), ret_kept,
			      ret_lost);
}

static void add_notes(const struct kmem_collector *c, struct collector_summary *s)
{
	const struct ft_alloc_state *state = &c->skel->bss->state;
	const struct ft_kmem_notes *notes = &c->skel->bss->notes;

	summary_add_note(s, "frees", state->frees, NULL);
	summary_add_note(s, "frees_missed", state->frees_missed, NULL);
	summary_add_note(s, "in_use_table_full", state->blocks_full, NULL);
	summary_add_note(s, "allocations_failed", state->failed, NULL);
	summary_add_note(s, "in_interrupts", notes->interrupts, NULL);
	summary_add_note(s, "caches_table_full", notes->caches_full, NULL);
	if (c->has.no_cache)
		summary_add_note(s, "caches_not_told", 1, c->has.no_cache);
	if (c->has.no_slab_code)
		summary_add_note(s, "slab_pages_not_told", 1, c->has.no_slab_code);
}

static int kmem_summarize(struct collector *base, const struct sideband *sb,
			  struct collector_summary *ret)
{
	struct kmem_collector *c = of(base);
	int err = ledger_slots_close(c->skel->maps.ledgers, own_causes, ARRAY_SIZE(own_causes),
				     base->capture.total, &ret->ledger);

	(void)sb;
	if (!err)
		err = alloc_sites_finish(&c->sites, &c->tables.book, &base->capture, c->start_ns,
					 &ret->memory);
	if (err)
		return err;
	ret->memory->how = "tracepoints";
	ret->memory->has_frees = !c->options.settings->allocated_only;
	ret->event = strdup("kernel allocations");
	if (!ret->event)
		return errf(-ENOMEM, "no memory for the summary");
	bpf_cost_of(c->skel->obj, &ret->cost);
	add_notes(c, ret);
	return 0;
}

static int kmem_add_value_types(const struct collector *base, struct profile *p)
{
	const struct kmem_collector *c = (const struct kmem_collector *)base;
	int err = memory_add_value_types(p);

	p->default_value = c->options.settings->weight;
	return err;
}

static const struct collector_ops kmem_ops = {
	.name = "kmem",
	.title = "Kernel memory",
	.start = kmem_start,
	.stop = kmem_stop,
	.patience_ms = kmem_patience_ms,
	.tick = kmem_tick,
	.drain = kmem_drain,
	.deliver = kmem_deliver,
	.add_value_types = kmem_add_value_types,
	.describe_tag = kmem_describe_tag,
	.summarize = kmem_summarize,
	.progress = kmem_progress,
	.free = kmem_free,
};

/* --- made of all that ---------------------------------------------------------------------- */

static void init_tables(struct kmem_collector *c)
{
	struct sample_tables_options options = {
		SAMPLE_TABLES_OF(c->skel, tallies),
		.collector = FT_COLLECTOR_KMEM,
		.unwinder = c->options.unwinder,
		.capture = &c->base.capture,
		.add = add_tally,
		.ctx = c,
	};
	struct alloc_sites_options sites = {
		ALLOC_SITES_OF(c->skel),
		.of_kernel = true,
		.interval_bytes = c->options.settings->interval_bytes,
		.min_age_ns = c->options.settings->min_age_ns,
		.tag = tag_of,
		.ctx = c,
	};

	sample_tables_init(&c->tables, &options);
	alloc_sites_init(&c->sites, &sites);
}

int kmem_collector_new(const struct kmem_options *options, const struct target *target,
		       struct collector **ret)
{
	struct kmem_collector *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return errf(-ENOMEM, "no memory for the kmem collector");
	c->base.ops = &kmem_ops;
	capture_init(&c->base.capture, MEMORY_VALUES);
	kmem_tags_init(&c->tags);
	c->options = *options;
	err = load(c, target);
	if (!err)
		init_tables(c);
	if (!err && kmem_bpf__attach(c->skel))
		err = bpf_fail(-errno, "the kmem collector");
	if (err) {
		kmem_free(&c->base);
		return err;
	}
	*ret = &c->base;
	return 0;
}
