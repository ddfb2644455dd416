/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/pagefault.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bpf/pagefault_wire.h"

#include "pagefault.skel.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/collect/alloc_weights.h"
#include "user/collect/bpf_cost.h"
#include "user/collect/ledger_slots.h"
#include "user/collect/pagefault_programs.h"
#include "user/collect/sample_tables.h"

#define STACKS		  8192u
#define TALLIES_PER_STACK 4

/* Stacks of a process that are passed up before what it has mapped is known: a program that has
 * just begun touches much. */
#define ASKED_AT_MOST 16384u

/* How often the tables are read empty. */
#define PATIENCE_MS	  200u
#define PATIENCE_EXACT_MS 50u /* when every fault is an event */

enum pagefault_value { SAMPLES, FAULTS, MAJOR, GROWN, RELEASED, PAGEFAULT_VALUES };

struct pagefault_collector {
	struct collector base;
	struct pagefault_options options;
	struct pagefault_bpf *skel;
	struct pagefault_programs programs;
	struct sample_tables tables;
};

static struct pagefault_collector *of(struct collector *base)
{
	return (struct pagefault_collector *)base;
}

static void pagefault_free(struct collector *base)
{
	struct pagefault_collector *c = of(base);

	pagefault_programs_release(&c->programs);
	sample_tables_release(&c->tables);
	pagefault_bpf__destroy(c->skel);
	capture_release(&base->capture);
	free(c);
}

/* --- loading ------------------------------------------------------------------------------- */

static int set_entries(struct pagefault_collector *c, unsigned int stacks)
{
	if (bpf_map__set_max_entries(c->skel->maps.stacks_0, stacks) ||
	    bpf_map__set_max_entries(c->skel->maps.stacks_1, stacks) ||
	    bpf_map__set_max_entries(c->skel->maps.tallies_0, stacks * TALLIES_PER_STACK) ||
	    bpf_map__set_max_entries(c->skel->maps.tallies_1, stacks * TALLIES_PER_STACK))
		return errf(-EINVAL, "cannot size the kernel's tables");
	return 0;
}

/* The same share of the faults as of the bytes; odd, as what programs do twice or four times each
 * time is no reason to see always the same of it. */
static uint64_t period_of(uint64_t interval_bytes)
{
	uint64_t pages = interval_bytes / sysconf(_SC_PAGESIZE);

	return pages > 2 ? (pages - 1) | 1 : 1;
}

static void configure(struct pagefault_collector *c, unsigned int stacks)
{
	uint64_t interval = c->options.interval_bytes;

	c->skel->rodata->cfg_interval_bytes = interval;
	if (interval > 1)
		alloc_weights_fill(interval, (struct ft_alloc_draw *)&c->skel->rodata->cfg_draw);
	c->skel->rodata->cfg_period = c->programs.period;
	c->skel->rodata->cfg_page_bytes = sysconf(_SC_PAGESIZE);
	c->skel->rodata->cfg_max_deferred = stacks;
	c->skel->rodata->cfg_unwind_max_asked = ASKED_AT_MOST;
}

static int load(struct pagefault_collector *c, const struct target *target)
{
	unsigned int stacks = c->options.table_entries ? c->options.table_entries : STACKS;
	int err;

	c->skel = pagefault_bpf__open();
	if (!c->skel)
		return bpf_fail(-errno, "the pagefault collector");
	err = pagefault_programs_choose(&c->programs, c->skel);
	if (!err)
		err = set_entries(c, stacks);
	if (err)
		return err;
	configure(c, stacks);
	TARGET_CONFIGURE(c->skel, target_config(target), err);
	if (!err)
		SAMPLE_CONFIGURE(c->skel, c->options.unwinder, c->options.slot_ns, err);
	if (!err)
		err = pagefault_bpf__load(c->skel);
	if (err)
		return bpf_fail(err, "the pagefault collector");
	return target_fill(target, bpf_map__fd(c->skel->maps.target_tids),
			   bpf_map__fd(c->skel->maps.target_cgroup));
}

static int attach(struct pagefault_collector *c)
{
	struct bpf_program *program =
		c->programs.has.tells_pages ? c->skel->progs.on_rss_count : c->skel->progs.on_rss;
	struct bpf_link **link =
		c->programs.has.tells_pages ? &c->skel->links.on_rss_count : &c->skel->links.on_rss;
	struct cpu_set online;
	int err = cpu_set_online(&online);

	if (!err)
		err = pagefault_programs_follow(&c->programs, &online);
	if (err || c->programs.has.no_growth)
		return err;
	*link = bpf_program__attach(program);
	return *link ? 0 : bpf_fail(-errno, "the pagefault collector");
}

/* --- recording ----------------------------------------------------------------------------- */

static void switch_on(struct pagefault_collector *c, uint32_t on)
{
	__atomic_store_n(&c->skel->bss->is_on, on, __ATOMIC_SEQ_CST);
}

static int pagefault_start(struct collector *base)
{
	struct pagefault_collector *c = of(base);

	c->skel->bss->began_boot_ns = clock_ns(CLOCK_BOOTTIME);
	c->skel->bss->slots_from_ns = base->started_ns;
	pagefault_programs_start(&c->programs);
	switch_on(c, 1);
	return 0;
}

static int pagefault_stop(struct collector *base)
{
	switch_on(of(base), 0);
	unwind_maps_wait();
	return 0;
}

static int pagefault_follow_hotplug(struct collector *base, const struct cpu_set *online)
{
	return pagefault_programs_follow(&of(base)->programs, online);
}

static unsigned int pagefault_patience_ms(const struct collector *base)
{
	const struct pagefault_collector *c = (const struct pagefault_collector *)base;

	return c->programs.period == 1 ? PATIENCE_EXACT_MS : PATIENCE_MS;
}

/* --- draining ------------------------------------------------------------------------------ */

#define TAG(what, memory) ((what)*FT_MEMORY_KINDS + (memory))

static int add_tally(void *ctx, const void *key, const void *value, const struct stack_entry *user,
		     const struct stack_entry *kernel)
{
	struct pagefault_collector *c = ctx;
	struct ft_pagefault_key k;
	struct ft_pagefault_tally tally;
	struct capture_sample sample;
	bool is_fault;

	/* What has waited is not aligned. */
	memcpy(&k, key, sizeof(k));
	memcpy(&tally, value, sizeof(tally));
	is_fault = k.what == FT_FAULT_MINOR || k.what == FT_FAULT_MAJOR;
	sample = sample_of(&k.origin, user, kernel);
	sample.tag = TAG(k.what, k.memory);
	return capture_add(&c->base.capture, &sample,
			   (const uint64_t[PAGEFAULT_VALUES]){
				   [SAMPLES] = tally.n,
				   [FAULTS] = is_fault ? tally.amount : 0,
				   [MAJOR] = k.what == FT_FAULT_MAJOR ? tally.amount : 0,
				   [GROWN] = k.what == FT_RSS_GROWN ? tally.amount : 0,
				   [RELEASED] = k.what == FT_RSS_RELEASED ? tally.amount : 0,
			   },
			   tally.first_ns);
}

static int pagefault_drain(struct collector *base)
{
	return sample_tables_drain(&of(base)->tables);
}

static int pagefault_deliver(struct collector *base)
{
	return sample_tables_deliver(&of(base)->tables);
}

static void pagefault_describe_tag(const struct collector *base, uint32_t tag,
				   struct sample_tag *ret)
{
	static const char *const whats[] = {
		[FT_FAULT_MINOR] = "minor fault",
		[FT_FAULT_MAJOR] = "major fault",
		[FT_RSS_GROWN] = "resident",
		[FT_RSS_RELEASED] = "released",
	};
	static const char *const memories[FT_MEMORY_KINDS] = {
		[FT_MEMORY_UNKNOWN] = "",
		[FT_MEMORY_FILE] = "file",
		[FT_MEMORY_ANON] = "anon",
		[FT_MEMORY_SHMEM] = "shmem",
	};
	const char *what = whats[tag / FT_MEMORY_KINDS % 4];
	const char *memory = memories[tag % FT_MEMORY_KINDS];

	(void)base;
	*ret = (struct sample_tag){ 0 };
	snprintf(ret->leaf, sizeof(ret->leaf), "[%s%s%s]", what, *memory ? " " : "", memory);
	ret->labels[ret->n_labels++] = (struct sample_tag_label){ .key = "what", .text = what };
	if (*memory)
		ret->labels[ret->n_labels++] =
			(struct sample_tag_label){ .key = "memory", .text = memory };
}

/* --- the account --------------------------------------------------------------------------- */

static void pagefault_progress(const struct collector *base, uint64_t *ret_kept, uint64_t *ret_lost)
{
	const struct pagefault_collector *c = (const struct pagefault_collector *)base;

	ledger_slots_progress(c->skel->maps.ledgers, NULL, 0, ret_kept, ret_lost);
}

static void add_notes(const struct pagefault_collector *c, struct collector_summary *s)
{
	const struct ft_pagefault_notes *notes = &c->skel->bss->notes;
	uint64_t counted[PAGEFAULT_EVENTS];

	pagefault_programs_counted(&c->programs, counted);
	summary_add_note(s, "faults_of_all", counted[0] + counted[1], NULL);
	summary_add_note(s, "major_faults_of_all", counted[1], NULL);
	summary_add_note(s, "faults_per_sample", c->programs.period, NULL);
	summary_add_note(s, "changes_of_unknown_size", notes->first_seen, NULL);
	summary_add_note(s, "processes_table_full", notes->processes_full, NULL);
	summary_add_note(s, "faults_without_mapping", notes->unmapped, NULL);
	if (c->programs.has.no_growth)
		summary_add_note(s, "growth_not_followed", 1, c->programs.has.no_growth);
	if (c->programs.has.no_memory_kind)
		summary_add_note(s, "faults_without_kind", 1, c->programs.has.no_memory_kind);
}

static int pagefault_summarize(struct collector *base, const struct sideband *sb,
			       struct collector_summary *ret)
{
	struct pagefault_collector *c = of(base);
	int err = ledger_slots_close(c->skel->maps.ledgers, NULL, 0, base->capture.total,
				     &ret->ledger);

	(void)sb;
	if (err)
		return err;
	ret->event = strdup("page faults");
	if (!ret->event)
		return errf(-ENOMEM, "no memory for the summary");
	bpf_cost_of(c->skel->obj, &ret->cost);
	add_notes(c, ret);
	return 0;
}

static int pagefault_add_value_types(const struct collector *base, struct profile *p)
{
	(void)base;
	if (profile_add_value_type(p, "samples", "count") ||
	    profile_add_value_type(p, "faults", "count") ||
	    profile_add_value_type(p, "major_faults", "count") ||
	    profile_add_value_type(p, "rss_growth", "bytes") ||
	    profile_add_value_type(p, "rss_released", "bytes"))
		return -ENOMEM;
	p->default_value = FAULTS;
	return 0;
}

static const struct collector_ops pagefault_ops = {
	.name = "pagefault",
	.title = "Page faults",
	.start = pagefault_start,
	.stop = pagefault_stop,
	.follow_hotplug = pagefault_follow_hotplug,
	.patience_ms = pagefault_patience_ms,
	.drain = pagefault_drain,
	.deliver = pagefault_deliver,
	.add_value_types = pagefault_add_value_types,
	.describe_tag = pagefault_describe_tag,
	.summarize = pagefault_summarize,
	.progress = pagefault_progress,
	.free = pagefault_free,
};

/* --- made of all that ---------------------------------------------------------------------- */

static void init_tables(struct pagefault_collector *c)
{
	struct sample_tables_options options = {
		SAMPLE_TABLES_OF(c->skel, tallies),
		.collector = FT_COLLECTOR_PAGEFAULT,
		.unwinder = c->options.unwinder,
		.capture = &c->base.capture,
		.add = add_tally,
		.ctx = c,
	};

	sample_tables_init(&c->tables, &options);
}

int pagefault_collector_new(const struct pagefault_options *options, const struct target *target,
			    struct collector **ret)
{
	struct pagefault_collector *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return errf(-ENOMEM, "no memory for the pagefault collector");
	c->base.ops = &pagefault_ops;
	capture_init(&c->base.capture, PAGEFAULT_VALUES);
	c->base.capture.slot_ns = options->slot_ns;
	c->options = *options;
	c->programs.period = period_of(options->interval_bytes);
	err = pagefault_kernel_look(&c->programs.has);
	if (!err)
		err = load(c, target);
	if (!err) {
		init_tables(c);
		err = attach(c);
	}
	if (err) {
		pagefault_free(&c->base);
		return err;
	}
	*ret = &c->base;
	return 0;
}
