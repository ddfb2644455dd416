/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/cpu.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cpu.skel.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/collect/bpf_cost.h"
#include "user/collect/cpu_programs.h"
#include "user/collect/drain.h"

#define TABLE_MIN	 1024u
#define TABLE_MAX	 65536u
#define COUNTS_PER_STACK 4

/* Of a deferred sample: its kernel stack was not in the table. */
#define KERNEL_LOST (UINT32_MAX - 1)

/* The tables shall last this long at least, however the samples differ. */
#define PATIENCE_MS	500u
#define PATIENCE_MAX_MS 5000u

/* One CPU's sampling event. */
struct event {
	int fd; /* owned by the link; -1: not open */
	struct bpf_link *link;
};

struct cpu_collector {
	struct cpu_options options;
	struct cpu_set wanted; /* unless options.cpus is NULL */
	struct cpu_bpf *skel;
	struct bpf_program *on_sample; /* the one of its variants that is used */
	const struct sideband *sb;
	struct event *events;
	size_t n_events, events_cap;
	unsigned int entries;
	unsigned int n_open;
	bool is_started;
	uint64_t ticks_due; /* of events that are closed */
	uint64_t others_ns; /* run time of other tracing programs, at the start */
	struct cpu_set sampled;

	/* Of the last drain of each set: stacks by their hash. */
	struct drained_set {
		struct keyset hashes;
		struct drained {
			uint32_t node, end;
		} * drained;
		size_t cap;
	} sets[FT_SETS];
	struct drained_set *set; /* that is drained now */
	struct capture *capture;
};

void cpu_collector_free(struct cpu_collector *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->n_events; i++)
		bpf_link__destroy(c->events[i].link);
	free(c->events);
	cpu_bpf__destroy(c->skel);
	for (i = 0; i < FT_SETS; i++) {
		keyset_release(&c->sets[i].hashes);
		free(c->sets[i].drained);
	}
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

/* One of the variants; an error is libbpf's, without a sentence. */
static int load_variant(struct cpu_collector *c, const struct target_config *config, bool by_loop)
{
	int err;

	cpu_bpf__destroy(c->skel);
	c->skel = cpu_bpf__open();
	if (!c->skel)
		return -errno;
	TARGET_CONFIGURE(c->skel, config, err);
	if (err)
		return err;
	c->skel->rodata->cfg_keep_idle = c->options.keep_idle;
	if (sysconf(_SC_PAGESIZE) > c->skel->rodata->cfg_kernel_stack_bytes)
		c->skel->rodata->cfg_kernel_stack_bytes = sysconf(_SC_PAGESIZE);
	c->skel->rodata->cfg_frame_pointers = !c->options.unwinder;
	err = set_entries(c->skel, c->entries);
	if (!err)
		err = cpu_programs_choose(c->skel, by_loop, &c->on_sample);
	if (!err && c->options.unwinder)
		err = unwind_maps_share(unwinder_maps(c->options.unwinder), c->skel->obj);
	return err ? err : cpu_bpf__load(c->skel);
}

static int load(struct cpu_collector *c, const struct target *target)
{
	const struct target_config *config = target_config(target);
	int err = load_variant(c, config, false);

	if (err && err != -EPERM && err != -EACCES && err != -ENOMEM)
		err = load_variant(c, config, true);
	if (err)
		return bpf_fail(err, "the CPU collector");
	err = cpu_programs_link(c->skel);
	if (err)
		return err;
	return target_fill(target, bpf_map__fd(c->skel->maps.target_tids),
			   bpf_map__fd(c->skel->maps.target_cgroup));
}

/* --- events -------------------------------------------------------------------------------- */

static int open_event(struct cpu_collector *c, unsigned int cpu)
{
	_cleanup_(closep) int fd = -1;
	struct event *event;
	int ring = sideband_fd(c->sb, cpu), err;

	if (array_reserve(c->events, c->events_cap, (size_t)cpu + 1))
		return errf(-ENOMEM, "no memory for the event of CPU %u", cpu);
	while (c->n_events <= cpu)
		c->events[c->n_events++] = (struct event){ .fd = -1 };
	event = &c->events[cpu];
	fd = sample_event_open(c->options.event, cpu, c->options.rate_hz);
	if (fd == -ENODEV)
		return 0; /* it went offline just now */
	if (fd < 0)
		return fd;
	/* Without a ring perf drops its notices of throttling; sampling works all the same. */
	if (ring >= 0)
		ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring);
	event->link = bpf_program__attach_perf_event(c->on_sample, fd);
	if (!event->link) {
		err = -errno;
		return bpf_fail(err, "the CPU collector's event");
	}
	if (!c->is_started)
		ioctl(fd, PERF_EVENT_IOC_DISABLE, 0); /* attaching enables it */
	event->fd = take_fd(fd);
	c->n_open++;
	cpu_set_add(&c->sampled, cpu);
	return 0;
}

/* What the CPU's event should have fired, by the time that it was on. */
static uint64_t ticks_due(const struct cpu_collector *c, int fd)
{
	struct perf_reading r;

	if (c->options.event != SAMPLE_CPU_CLOCK || perf_read(fd, &r))
		return 0;
	return r.value / (1000000000 / c->options.rate_hz);
}

static void close_event(struct cpu_collector *c, struct event *event)
{
	c->ticks_due += ticks_due(c, event->fd);
	bpf_link__destroy(event->link);
	*event = (struct event){ .fd = -1 };
	c->n_open--;
}

int cpu_collector_follow_hotplug(struct cpu_collector *c, const struct cpu_set *online)
{
	unsigned int cpu;
	int err = 0;

	for (cpu = 0; cpu < PERF_MAX_CPUS && !err; cpu++) {
		bool is_open = cpu < c->n_events && c->events[cpu].fd >= 0;
		bool is_wanted = cpu_set_has(online, cpu) &&
				 (!c->options.cpus || cpu_set_has(&c->wanted, cpu));

		if (is_open && !is_wanted)
			close_event(c, &c->events[cpu]);
		else if (!is_open && is_wanted)
			err = open_event(c, cpu);
	}
	return err;
}

int cpu_collector_new(const struct cpu_options *options, const struct target *target,
		      const struct sideband *sb, struct cpu_collector **ret)
{
	_cleanup_(cpu_collector_freep) struct cpu_collector *c = calloc(1, sizeof(*c));
	struct cpu_set online;
	size_t i;
	int err;

	if (!c)
		return errf(-ENOMEM, "no memory for the CPU collector");
	for (i = 0; i < FT_SETS; i++)
		keyset_init(&c->sets[i].hashes, sizeof(uint64_t));
	c->options = *options;
	if (options->cpus)
		c->wanted = *options->cpus;
	c->sb = sb;
	c->entries =
		options->table_entries ? options->table_entries : fitting_entries(options->rate_hz);
	err = cpu_set_online(&online);
	if (!err)
		err = load(c, target);
	if (!err)
		err = cpu_collector_follow_hotplug(c, &online);
	if (!err && !c->n_open)
		err = errf(-EINVAL, "none of the CPUs asked for is online");
	if (err)
		return err;
	*ret = take(c);
	return 0;
}

static int set_events(struct cpu_collector *c, unsigned long request, const char *what)
{
	size_t i;

	for (i = 0; i < c->n_events; i++) {
		if (c->events[i].fd >= 0 && ioctl(c->events[i].fd, request, 0))
			return errf(-errno, "cannot %s the event of CPU %zu: %m", what, i);
	}
	return 0;
}

int cpu_collector_start(struct cpu_collector *c)
{
	int err;

	c->others_ns = bpf_cost_of_others(c->skel->obj);
	err = set_events(c, PERF_EVENT_IOC_ENABLE, "enable");
	c->is_started = !err;
	return err;
}

int cpu_collector_stop(struct cpu_collector *c)
{
	c->is_started = false;
	return set_events(c, PERF_EVENT_IOC_DISABLE, "disable");
}

unsigned int cpu_collector_patience_ms(const struct cpu_collector *c)
{
	/* Half of the table: the drain itself takes its time. */
	uint64_t per_second = 2ull * c->options.rate_hz * (c->n_open ? c->n_open : 1);
	uint64_t ms = c->entries / 2 * 1000ull / per_second;

	return ms < 20 ? 20 : ms > PATIENCE_MAX_MS ? PATIENCE_MAX_MS : ms;
}

/* --- draining ------------------------------------------------------------------------------ */

static int on_stack(void *ctx, const void *key, const void *value)
{
	struct cpu_collector *c = ctx;
	const struct ft_stack *stack = value;
	struct drained d = { .end = stack->end <= FT_END_NULL ? stack->end : FT_END_NONE };
	struct drained_set *set = c->set;
	uint32_t i;
	int err = capture_add_stack(c->capture, stack, &d.node);

	if (err)
		return err;
	if (array_reserve(set->drained, set->cap, set->hashes.n + 1) ||
	    keyset_add(&set->hashes, key, &i) < 0)
		return errf(-ENOMEM, "no memory to drain the kernel's tables");
	set->drained[i] = d;
	return 0;
}

static const struct drained *find_stack(const struct drained_set *set, uint64_t hash)
{
	static const struct drained none = { .node = CAPTURE_NO_STACK, .end = FT_END_NONE };
	uint32_t i;

	if (!hash)
		return &none;
	i = keyset_find(&set->hashes, &hash);
	return i == KEYSET_NONE ? NULL : &set->drained[i];
}

static struct capture_sample sample_of(const struct ft_count_key *k, const struct drained *user,
				       const struct drained *kernel)
{
	struct capture_sample sample = {
		.start_ns = k->start_ns,
		.cgroup_id = k->cgroup_id,
		.exec_id = k->exec_id,
		.tgid = k->tgid,
		.tid = k->tid,
		.user = user->node,
		.end = user->end,
		.kernel = kernel->node,
	};

	memcpy(sample.comm, k->comm, sizeof(sample.comm));
	memcpy(sample.process_comm, k->process_comm, sizeof(sample.process_comm));
	return sample;
}

static int on_count(void *ctx, const void *key, const void *value)
{
	struct cpu_collector *c = ctx;
	const struct ft_count_key *k = key;
	const struct ft_count *count = value;
	const struct drained *user = find_stack(c->set, k->user_stack);
	const struct drained *kernel = find_stack(c->set, k->kernel_stack);
	struct capture_sample sample;

	if (!user || !kernel)
		return 0; /* the ledger's "drain" counts what does not arrive */
	sample = sample_of(k, user, kernel);
	return capture_add(c->capture, &sample, count->n, count->first_ns);
}

/* The node of its kernel stack, CAPTURE_NO_STACK, or KERNEL_LOST. */
static uint32_t on_deferred_drained(void *ctx, const struct ft_deferred *d)
{
	struct cpu_collector *c = ctx;
	const struct drained *kernel = find_stack(c->set, d->key.kernel_stack);

	return kernel ? kernel->node : KERNEL_LOST;
}

static int on_late(void *ctx, const struct ft_deferred *d, const struct ft_stack *stack,
		   uint32_t kernel_node)
{
	struct cpu_collector *c = ctx;
	struct drained user = { .end = stack->end }, kernel = { .node = kernel_node };
	struct capture_sample sample;
	int err;

	if (kernel_node == KERNEL_LOST)
		return 0;
	err = capture_add_stack(c->capture, stack, &user.node);
	if (err)
		return err;
	sample = sample_of(&d->key, &user, &kernel);
	return capture_add(c->capture, &sample, 1, d->time_ns);
}

int cpu_collector_deliver(struct cpu_collector *c, struct capture *capture)
{
	c->capture = capture;
	return unwinder_deliver(c->options.unwinder, FT_COLLECTOR_CPU, on_late, c);
}

/*
 * Waits until the programs that run now have ended. The kernel reads an active event on its own
 * CPU, in an interrupt (perf_event_read() in kernel/events/core.c): whatever the event's program
 * interrupted before is over when that answers.
 */
static void wait_for_programs(const struct cpu_collector *c)
{
	struct perf_reading r;
	size_t i;

	for (i = 0; i < c->n_events; i++) {
		if (c->events[i].fd >= 0)
			perf_read(c->events[i].fd, &r);
	}
}

int cpu_collector_drain(struct cpu_collector *c, struct capture *capture)
{
	uint32_t set = c->skel->bss->active_set;
	struct bpf_map *stacks = set ? c->skel->maps.stacks_1 : c->skel->maps.stacks_0;
	struct bpf_map *counts = set ? c->skel->maps.counts_1 : c->skel->maps.counts_0;
	int err;

	__atomic_store_n(&c->skel->bss->active_set, 1 - set, __ATOMIC_SEQ_CST);
	wait_for_programs(c);
	if (c->options.unwinder) {
		err = unwinder_read(c->options.unwinder);
		if (err)
			return err;
	}
	c->capture = capture;
	c->set = &c->sets[set % FT_SETS];
	keyset_clear(&c->set->hashes);
	err = drain_map(bpf_map__fd(stacks), sizeof(uint64_t), sizeof(struct ft_stack), on_stack,
			c);
	if (!err && c->options.unwinder)
		unwinder_set_drained(c->options.unwinder, FT_COLLECTOR_CPU, set,
				     on_deferred_drained, c);
	if (!err)
		err = drain_map(bpf_map__fd(counts), sizeof(struct ft_count_key),
				sizeof(struct ft_count), on_count, c);
	return err;
}

/* --- the account --------------------------------------------------------------------------- */

static int read_ledger(const struct cpu_collector *c, struct ft_ledger *ret)
{
	int n = libbpf_num_possible_cpus(), cpu, slot;
	_cleanup_(freep) struct ft_ledger *all = NULL;
	uint32_t zero = 0;

	if (n <= 0)
		return errf(-EINVAL, "cannot tell how many CPUs are possible");
	all = calloc(n, sizeof(*all));
	if (!all)
		return errf(-ENOMEM, "no memory for the ledger of %d CPUs", n);
	if (bpf_map_lookup_elem(bpf_map__fd(c->skel->maps.ledgers), &zero, all))
		return errf(-errno, "cannot read the ledger: %m");
	*ret = (struct ft_ledger){ 0 };
	for (cpu = 0; cpu < n; cpu++) {
		for (slot = 0; slot < FT_LEDGER_SLOTS; slot++)
			ret->n[slot] += all[cpu].n[slot];
	}
	return 0;
}

static const char *const slot_names[FT_LEDGER_SLOTS] = {
	[FT_FILTERED_SELF] = "filtered_self",
	[FT_FILTERED_IDLE] = "filtered_idle",
	[FT_FILTERED_TARGET] = "filtered_target",
	[FT_LOST_STACKS_FULL] = "stack_table_full",
	[FT_LOST_STACK_COLLISION] = "stack_collision",
	[FT_LOST_COUNTS_FULL] = "counts_full",
	[FT_LOST_MAP_BUSY] = "map_busy",
	[FT_LOST_WALK_FAILED] = "walk_failed",
};

void cpu_collector_progress(const struct cpu_collector *c, uint64_t *ret_kept, uint64_t *ret_lost)
{
	struct ft_ledger ledger = { 0 };
	int slot;

	*ret_kept = *ret_lost = 0;
	if (read_ledger(c, &ledger))
		return;
	*ret_kept = ledger.n[FT_KEPT];
	for (slot = FT_LOST_STACKS_FULL; slot < FT_LEDGER_SLOTS; slot++)
		*ret_lost += ledger.n[slot];
}

static int close_ledger(struct cpu_collector *c, const struct capture *capture,
			const struct sideband *sb, struct collector_summary *s)
{
	struct sideband_counts side;
	struct ft_ledger ledger;
	uint64_t throttled, in_bpf, due = c->ticks_due;
	size_t i;
	int err = read_ledger(c, &ledger);

	if (err)
		return err;
	sideband_counts(sb, &side);
	throttled = side.throttled_ns * c->options.rate_hz / 1000000000;
	/* They were due, but our program did not see them: they stand on both sides. */
	in_bpf = bpf_cost_of_others(c->skel->obj);
	in_bpf = in_bpf > c->others_ns ? in_bpf - c->others_ns : 0; /* some may be gone by now */
	in_bpf = in_bpf * c->options.rate_hz / 1000000000;
	s->ledger.fired = ledger.n[FT_FIRED] + throttled + in_bpf;
	s->ledger.kept = capture->total;
	for (i = FT_KEPT + 1; i < FT_LEDGER_SLOTS; i++)
		ledger_add(&s->ledger, slot_names[i], ledger.n[i]);
	ledger_add(&s->ledger, "throttled", throttled);
	ledger_add(&s->ledger, "in_bpf_program", in_bpf);
	/* What the kernel says it kept but did not come out of its tables. */
	ledger_add(&s->ledger, "drain", ledger.n[FT_KEPT] - capture->total);
	for (i = 0; i < c->n_events; i++) {
		if (c->events[i].fd >= 0)
			due += ticks_due(c, c->events[i].fd);
	}
	s->ticks_missed = due > s->ledger.fired ? due - s->ledger.fired : 0;
	s->sideband_records = side.records;
	s->sideband_lost = side.lost + side.malformed;
	return 0;
}

int cpu_collector_summarize(struct cpu_collector *c, const struct capture *capture,
			    const struct sideband *sb, struct collector_summary *ret)
{
	struct bpf_cost cost = { 0 };

	ret->name = "cpu";
	ret->cpus_sampled = c->sampled.n;
	ret->rate_hz = c->options.rate_hz;
	ret->event = strdup(sample_event_name(c->options.event));
	if (!ret->event)
		return errf(-ENOMEM, "no memory for the summary");
	bpf_cost_add(c->skel->obj, &cost);
	ret->cost.kernel_ns = cost.run_ns;
	ret->cost.kernel_runs = cost.runs;
	ret->cost.map_bytes = cost.map_bytes;
	return close_ledger(c, capture, sb, ret);
}
