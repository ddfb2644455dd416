/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/alloc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/alloc_wire.h"

#include "bpf/draw_wire.h"

#include "alloc.skel.h"
#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/collect/alloc_calls.h"
#include "user/collect/alloc_follow.h"
#include "user/collect/alloc_settling.h"
#include "user/collect/alloc_shim.h"
#include "user/collect/alloc_sites.h"
#include "user/collect/alloc_weights.h"
#include "user/collect/bpf_cost.h"
#include "user/collect/ledger_slots.h"
#include "user/collect/sample_tables.h"
#include "user/collect/shim_image.h"

/* Stacks that may wait until what their process has mapped is known, of each set: 64 KiB each, as a
 * rule. */
#define MAX_DEFERRED 1024u

/* How often the tables are read empty. */
#define PATIENCE_MS	  100u
#define PATIENCE_EXACT_MS 50u /* when every block is an event */

struct alloc_collector {
	struct collector base;
	struct alloc_options options;
	struct alloc_bpf *skel;
	struct alloc_calls calls; /* of allocators; none with the library */
	struct alloc_shim shim;	  /* probes of the library */
	struct alloc_provider
		*providers; /* of the processes that were asked for; NULL: not of all */
	uint64_t interval_bytes;
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

	alloc_shim_release(&c->shim);
	for (i = 0; c->providers && i < c->options.n_pids; i++)
		alloc_provider_release(&c->providers[i]);
	free(c->providers);
	alloc_calls_release(&c->calls);
	alloc_settling_release(&c->settling);
	alloc_sites_release(&c->sites);
	sample_tables_release(&c->tables);
	alloc_bpf__destroy(c->skel);
	capture_release(&base->capture);
	free(c);
}

/* --- loading ------------------------------------------------------------------------------ */

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

/* A call costs what its stack and its site do, at most. */
#define KEPT_NS 3000

/* About how many of an allocator's calls are sampled: blocks are seldom larger than this on
 * average. */
#define LARGE_BYTES 4096

static bool is_for_everyone(const struct alloc_collector *c)
{
	return !c->options.n_pids && !c->options.command;
}

/* Whether all processes that were asked for tell of their blocks themselves. */
static int find_providers(struct alloc_collector *c)
{
	size_t i;
	int err = 0;

	if (!c->options.n_pids)
		return 0;
	c->providers = calloc(c->options.n_pids, sizeof(*c->providers));
	if (!c->providers)
		return errf(-ENOMEM, "no memory for the alloc collector");
	for (i = 0; i < c->options.n_pids && !err; i++)
		err = alloc_provider_find(c->options.pids[i], &c->providers[i]);
	if (!err && c->providers[0].interval_bytes)
		c->interval_bytes = c->providers[0].interval_bytes;
	for (i = 0; err && i < c->options.n_pids; i++)
		alloc_provider_release(&c->providers[i]);
	if (err) {
		free(c->providers);
		c->providers = NULL;
	}
	return err == -ENOENT ? 0 : err;
}

static bool is_told(const struct alloc_collector *c)
{
	return c->options.shim_path || c->providers;
}

/* Which programs there will be. */
static int choose(struct alloc_collector *c)
{
	const struct alloc_settings *settings = c->options.settings;
	double sampled = (double)LARGE_BYTES / c->interval_bytes;
	struct alloc_calls_options options = {
		.in_use = !settings->allocated_only,
		.everyone = is_for_everyone(c),
		.allow_slow = settings->allow_slow,
		.best_way = UPROBES_SESSION,
		.max_slowdown = settings->max_slowdown,
		.sampled = sampled < 1 ? sampled : 1,
		.kept_ns = KEPT_NS,
	};

	if (c->interval_bytes > 1)
		alloc_weights_fill(c->interval_bytes,
				   (struct ft_alloc_draw *)&c->skel->rodata->cfg_draw);
	c->skel->rodata->cfg_in_use = options.in_use;
	if (is_told(c)) {
		alloc_shim_choose(&c->shim, c->skel, settings->follow_maps, options.in_use);
		return alloc_calls_choose(&c->calls, c->skel, NULL);
	}
	alloc_shim_leave_out(c->skel);
	c->skel->rodata->cfg_tell_news = 1;
	return alloc_calls_choose(&c->calls, c->skel, &options);
}

static int load(struct alloc_collector *c, const struct target *target)
{
	unsigned int stacks =
		c->options.table_entries ? c->options.table_entries : ALLOC_SITES_STACKS;
	int err;

	c->skel = alloc_bpf__open();
	if (!c->skel)
		return bpf_fail(-errno, "the alloc collector");
	ALLOC_SITES_SIZE(c->skel, stacks, max_blocks(c->interval_bytes), err);
	if (!err)
		err = make_on_demand(c);
	if (!err)
		err = choose(c);
	if (err)
		return err;
	c->skel->rodata->cfg_interval_bytes = c->interval_bytes;
	c->skel->rodata->cfg_max_deferred = MAX_DEFERRED;
	TARGET_CONFIGURE(c->skel, target_config(target), err);
	if (!err)
		SAMPLE_CONFIGURE(c->skel, c->options.unwinder, 0, err);
	if (!err)
		err = alloc_bpf__load(c->skel);
	if (err)
		return bpf_fail(err, "the alloc collector");
	return target_fill(target, bpf_map__fd(c->skel->maps.target_tids),
			   bpf_map__fd(c->skel->maps.target_cgroup));
}

static void say_cost(const struct alloc_collector *c)
{
	char sentence[160];

	if (!c->options.warn)
		return;
	if (c->options.settings->follow_maps)
		c->options.warn(c->options.warn_ctx,
				"mappings are followed by the library alone: --alloc-maps is "
				"without effect here");
	if (c->calls.warning[0])
		c->options.warn(c->options.warn_ctx, c->calls.warning);
	if (!c->calls.counts.slowdown)
		return;
	snprintf(sentence, sizeof(sentence),
		 "%.0f calls of allocators a second: expected to run %.2f times as long while they "
		 "are recorded",
		 c->calls.counts.calls_per_s, c->calls.counts.slowdown);
	c->options.warn(c->options.warn_ctx, sentence);
}

static int attach_calls(struct alloc_collector *c)
{
	size_t i;
	int err = 0;

	if (is_for_everyone(c))
		err = alloc_calls_attach_all(&c->calls);
	else if (c->options.command)
		err = alloc_follow_command(&c->calls, c->options.command, c->options.command_path);
	for (i = 0; i < c->options.n_pids && !err; i++)
		err = alloc_calls_attach(&c->calls, c->options.pids[i]);
	if (!err)
		say_cost(c);
	return err;
}

static int attach_program(struct bpf_program *program, struct bpf_link **ret)
{
	*ret = bpf_program__attach(program);
	return *ret ? 0 : bpf_fail(-errno, "the alloc collector");
}

static int attach(struct alloc_collector *c)
{
	size_t i;
	int err = attach_program(c->skel->progs.on_exit, &c->skel->links.on_exit);

	if (!err)
		err = attach_program(c->skel->progs.on_exec, &c->skel->links.on_exec);
	if (!err && c->options.shim_path)
		return alloc_shim_attach(&c->shim, c->options.shim_path);
	for (i = 0; c->providers && i < c->options.n_pids && !err; i++)
		err = alloc_shim_attach_provider(&c->shim, &c->providers[i]);
	if (c->providers)
		return err;
	if (!err)
		err = attach_program(c->skel->progs.on_fork, &c->skel->links.on_fork);
	return err ? err : attach_calls(c);
}

/* --- recording ---------------------------------------------------------------------------- */

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
	/* Who starts from now on waits for nothing. */
	shim_known_set(of(base)->options.known, UINT64_MAX);
	unwind_maps_wait();
	return 0;
}

static unsigned int alloc_patience_ms(const struct collector *base)
{
	const struct alloc_collector *c = (const struct alloc_collector *)base;

	return c->interval_bytes == 1 ? PATIENCE_EXACT_MS : PATIENCE_MS;
}

static int alloc_tick(struct collector *base)
{
	struct alloc_collector *c = of(base);
	int err = alloc_settling_tick(&c->settling);

	if (!err && !is_told(c))
		err = alloc_follow_tick(&c->calls, c->skel->maps.news,
					c->options.settings->no_follow ? c->options.command : 0);
	return err ? err : alloc_sites_tick(&c->sites);
}

static int add_tally(void *ctx, const void *key, const void *value, const struct stack_entry *user,
		     const struct stack_entry *kernel)
{
	struct alloc_collector *c = ctx;

	return alloc_sites_tally(&c->sites, &c->base.capture, key, value, user, kernel);
}

static int alloc_drain(struct collector *base)
{
	return sample_tables_drain(&of(base)->tables);
}

static int alloc_deliver(struct collector *base)
{
	return sample_tables_deliver(&of(base)->tables);
}

/* --- the account -------------------------------------------------------------------------- */

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

static void add_notes(const struct alloc_collector *c, struct collector_summary *s)
{
	const struct ft_alloc_state *state = &c->skel->bss->state;

	summary_add_note(s, "frees", state->frees, NULL);
	summary_add_note(s, "frees_of_unknown", state->frees_unknown, NULL);
	summary_add_note(s, "frees_of_inherited", state->frees_inherited, NULL);
	summary_add_note(s, "frees_missed", state->frees_missed, NULL);
	summary_add_note(s, "in_use_table_full", state->blocks_full, NULL);
	summary_add_note(s, "processes_table_full", state->processes_full, NULL);
	if (c->options.shim_path && !c->options.settings->no_follow &&
	    state->execs > state->started)
		summary_add_note(s, "programs_without_library", state->execs - state->started,
				 NULL);
	if (is_told(c))
		return;
	summary_add_note(s, "calls_that_failed", state->failed, NULL);
	summary_add_note(s, "probes", c->calls.counts.probes, NULL);
	summary_add_note(s, "functions_left_out", c->calls.counts.left_out, NULL);
	summary_add_note(s, "processes_without_allocator", c->calls.counts.not_found, NULL);
	summary_add_note(s, "processes_not_attached", c->calls.counts.failed, NULL);
	summary_add_note(s, "allocators_left_out", c->calls.counts.too_many, NULL);
	summary_add_note(s, "processes_not_told", state->news_full, NULL);
}

static int alloc_summarize(struct collector *base, const struct sideband *sb,
			   struct collector_summary *ret)
{
	struct alloc_collector *c = of(base);
	int err = ledger_slots_close(c->skel->maps.ledgers, own_causes, ARRAY_SIZE(own_causes),
				     base->capture.total, &ret->ledger);

	(void)sb;
	if (!err)
		err = alloc_sites_finish(&c->sites, &c->tables.book, &base->capture, c->start_ns,
					 &ret->memory);
	if (err)
		return err;
	ret->memory->how = c->options.shim_path ? "shim" : c->providers ? "usdt" : "uprobes";
	ret->memory->has_frees = c->skel->rodata->cfg_in_use;
	ret->memory->has_temporary = ret->memory->has_frees && is_told(c);
	ret->memory->expected_slowdown = c->calls.counts.slowdown;
	ret->event = strdup("allocations");
	if (!ret->event)
		return errf(-ENOMEM, "no memory for the summary");
	bpf_cost_of(c->skel->obj, &ret->cost);
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
	.own_file = SHIM_FILE_NAME,
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

/* --- made of all that --------------------------------------------------------------------- */

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
		.interval_bytes = c->interval_bytes,
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
	/* By frame pointers a stack is walked at once. */
	if (!c->options.unwinder)
		shim_known_set(c->options.known, UINT64_MAX);
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
	c->interval_bytes = options->settings->interval_bytes;
	err = find_providers(c);
	if (!err)
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
