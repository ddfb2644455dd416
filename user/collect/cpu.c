/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/cpu.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpu.skel.h"
#include "user/base/err.h"
#include "user/collect/bpf_cost.h"
#include "user/collect/cpu_events.h"
#include "user/collect/ledger_slots.h"
#include "user/collect/sample_tables.h"

#define TABLE_MIN	 1024u
#define TABLE_MAX	 65536u
#define COUNTS_PER_STACK 4

/* The tables shall last this long at least, however the samples differ. */
#define PATIENCE_MS	500u
#define PATIENCE_MAX_MS 5000u

struct cpu_collector {
	struct collector base;
	struct cpu_options options;
	struct cpu_set wanted; /* unless options.cpus is NULL */
	struct cpu_bpf *skel;
	struct cpu_events events;
	struct sample_tables tables;
	unsigned int entries;
	uint64_t others_ns; /* run time of other tracing programs, at the start */
};

static void cpu_free(struct collector *base)
{
	struct cpu_collector *c = (struct cpu_collector *)base;

	cpu_events_release(&c->events);
	sample_tables_release(&c->tables);
	cpu_bpf__destroy(c->skel);
	capture_release(&base->capture);
	free(c);
}

/* --- loading ------------------------------------------------------------------------------- */

/* A user and a kernel stack for each sample of PATIENCE_MS, were they all different. */
static unsigned int fitting_entries(unsigned int rate_hz)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	uint64_t need = 2ull * rate_hz * (cpus > 0 ? cpus : 1) * PATIENCE_MS / 1000;
	unsigned int entries = TABLE_MIN;

	while (entries < need && entries < TABLE_MAX)
		entries *= 2;
	return entries;
}

static int set_entries(struct cpu_bpf *skel, unsigned int entries)
{
	if (bpf_map__set_max_entries(skel->maps.stacks_0, entries) ||
	    bpf_map__set_max_entries(skel->maps.stacks_1, entries) ||
	    bpf_map__set_max_entries(skel->maps.counts_0, entries * COUNTS_PER_STACK) ||
	    bpf_map__set_max_entries(skel->maps.counts_1, entries * COUNTS_PER_STACK))
		return errf(-EINVAL, "cannot size the kernel's tables");
	return 0;
}

static int load(struct cpu_collector *c, const struct target *target)
{
	int err;

	c->skel = cpu_bpf__open();
	if (!c->skel)
		return bpf_fail(-errno, "the CPU collector");
	err = set_entries(c->skel, c->entries);
	if (err)
		return err;
	c->skel->rodata->cfg_keep_idle = c->options.keep_idle;
	TARGET_CONFIGURE(c->skel, target_config(target), err);
	if (!err)
		SAMPLE_CONFIGURE(c->skel, c->options.unwinder, c->options.slot_ns, err);
	if (!err)
		err = cpu_bpf__load(c->skel);
	if (err)
		return bpf_fail(err, "the CPU collector");
	return target_fill(target, bpf_map__fd(c->skel->maps.target_tids),
			   bpf_map__fd(c->skel->maps.target_cgroup));
}

static int cpu_follow_hotplug(struct collector *base, const struct cpu_set *online)
{
	return cpu_events_follow(&((struct cpu_collector *)base)->events, online);
}

static int cpu_start(struct collector *base)
{
	struct cpu_collector *c = (struct cpu_collector *)base;

	c->others_ns = bpf_cost_of_others(c->skel->obj);
	c->skel->bss->slots_from_ns = base->started_ns;
	return cpu_events_switch(&c->events, true);
}

static int cpu_stop(struct collector *base)
{
	return cpu_events_switch(&((struct cpu_collector *)base)->events, false);
}

static unsigned int cpu_patience_ms(const struct collector *base)
{
	const struct cpu_collector *c = (const struct cpu_collector *)base;
	/* Half of the table: the drain itself takes its time. */
	uint64_t per_second = 2ull * c->options.rate_hz * (c->events.n_open ? c->events.n_open : 1);
	uint64_t ms = c->entries / 2 * 1000ull / per_second;

	return ms < 20 ? 20 : ms > PATIENCE_MAX_MS ? PATIENCE_MAX_MS : ms;
}

/* --- draining ------------------------------------------------------------------------------ */

static int add_count(void *ctx, const void *key, const void *value, const struct stack_entry *user,
		     const struct stack_entry *kernel)
{
	struct cpu_collector *c = ctx;
	const struct ft_count *count = value;
	struct capture_sample sample = sample_of(key, user, kernel);
	uint64_t values[] = { count->n, count->n * (1000000000 / c->options.rate_hz) };

	return capture_add(&c->base.capture, &sample, values, count->first_ns);
}

static void wait_for_programs(void *ctx)
{
	cpu_events_wait(&((struct cpu_collector *)ctx)->events);
}

static int cpu_drain(struct collector *base)
{
	return sample_tables_drain(&((struct cpu_collector *)base)->tables);
}

static int cpu_deliver(struct collector *base)
{
	return sample_tables_deliver(&((struct cpu_collector *)base)->tables);
}

/* --- the account --------------------------------------------------------------------------- */

static void cpu_progress(const struct collector *base, uint64_t *ret_kept, uint64_t *ret_lost)
{
	const struct cpu_collector *c = (const struct cpu_collector *)base;

	ledger_slots_progress(c->skel->maps.ledgers, NULL, 0, ret_kept, ret_lost);
}

static int close_ledger(struct cpu_collector *c, const struct sideband *sb,
			struct collector_summary *s)
{
	uint64_t throttled, in_bpf, due = cpu_events_due(&c->events);
	struct sideband_counts side;
	struct ft_ledger slots;
	int err = ledger_slots_read(c->skel->maps.ledgers, &slots);

	if (err)
		return err;
	sideband_counts(sb, &side);
	throttled = side.throttled_ns * c->options.rate_hz / 1000000000;
	/* They were due, but our program did not see them: they stand on both sides. */
	in_bpf = bpf_cost_of_others(c->skel->obj);
	in_bpf = in_bpf > c->others_ns ? in_bpf - c->others_ns : 0; /* some may be gone by now */
	in_bpf = in_bpf * c->options.rate_hz / 1000000000;
	ledger_slots_add(&slots, NULL, 0, &s->ledger);
	s->ledger.fired += throttled + in_bpf;
	s->ledger.kept = c->base.capture.total;
	ledger_add(&s->ledger, "throttled", throttled);
	ledger_add(&s->ledger, "in_bpf_program", in_bpf);
	/* What the kernel says it kept but did not come out of its tables. */
	ledger_add(&s->ledger, "drain", slots.n[FT_KEPT] - c->base.capture.total);
	s->ticks_missed = due > s->ledger.fired ? due - s->ledger.fired : 0;
	return 0;
}

static int cpu_summarize(struct collector *base, const struct sideband *sb,
			 struct collector_summary *ret)
{
	struct cpu_collector *c = (struct cpu_collector *)base;

	ret->cpus_sampled = c->events.sampled.n;
	ret->rate_hz = c->options.rate_hz;
	ret->event = strdup(sample_event_name(c->options.event));
	if (!ret->event)
		return errf(-ENOMEM, "no memory for the summary");
	bpf_cost_of(c->skel->obj, &ret->cost);
	return close_ledger(c, sb, ret);
}

static int cpu_add_value_types(const struct collector *base, struct profile *p)
{
	p->period_ns = 1000000000 / ((const struct cpu_collector *)base)->options.rate_hz;
	if (profile_add_value_type(p, "samples", "count") ||
	    profile_add_value_type(p, "cpu", "nanoseconds"))
		return -ENOMEM;
	return 0;
}

static const struct collector_ops cpu_ops = {
	.name = "cpu",
	.title = "CPU time",
	.start = cpu_start,
	.stop = cpu_stop,
	.follow_hotplug = cpu_follow_hotplug,
	.patience_ms = cpu_patience_ms,
	.drain = cpu_drain,
	.deliver = cpu_deliver,
	.add_value_types = cpu_add_value_types,
	.summarize = cpu_summarize,
	.progress = cpu_progress,
	.free = cpu_free,
};

/* --- made of all that ---------------------------------------------------------------------- */

static void init_tables(struct cpu_collector *c)
{
	struct sample_tables_options options = {
		SAMPLE_TABLES_OF(c->skel, counts),
		.collector = FT_COLLECTOR_CPU,
		.unwinder = c->options.unwinder,
		.capture = &c->base.capture,
		.wait = wait_for_programs,
		.add = add_count,
		.ctx = c,
	};

	sample_tables_init(&c->tables, &options);
}

static int open_events(struct cpu_collector *c, const struct sideband *sb)
{
	struct cpu_set online;
	int err = cpu_set_online(&online);

	c->events.event = c->options.event;
	c->events.rate_hz = c->options.rate_hz;
	c->events.wanted = c->options.cpus ? &c->wanted : NULL;
	c->events.sb = sb;
	c->events.program = c->skel->progs.on_sample;
	if (!err)
		err = cpu_events_follow(&c->events, &online);
	if (!err && !c->events.n_open)
		err = errf(-EINVAL, "none of the CPUs asked for is online");
	return err;
}

int cpu_collector_new(const struct cpu_options *options, const struct target *target,
		      const struct sideband *sb, struct collector **ret)
{
	struct cpu_collector *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return errf(-ENOMEM, "no memory for the CPU collector");
	c->base.ops = &cpu_ops;
	capture_init(&c->base.capture, 2);
	c->base.capture.slot_ns = options->slot_ns;
	c->options = *options;
	if (options->cpus)
		c->wanted = *options->cpus;
	c->entries =
		options->table_entries ? options->table_entries : fitting_entries(options->rate_hz);
	err = load(c, target);
	if (!err) {
		init_tables(c);
		err = open_events(c, sb);
	}
	if (err) {
		cpu_free(&c->base);
		return err;
	}
	*ret = &c->base;
	return 0;
}
