/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/session.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/base/keyset.h"
#include "user/collect/bpf_cost.h"
#include "user/collect/capture.h"
#include "user/collect/cpu.h"
#include "user/collect/java.h"
#include "user/collect/launch.h"
#include "user/collect/processes.h"
#include "user/collect/sideband.h"
#include "user/collect/symbolize.h"
#include "user/collect/unwind_memory.h"
#include "user/collect/unwinder.h"

#define SIDEBAND_MS	100
#define SOON_MS		20	/* when samples wait to be unwound */
#define WORK_MS		100	/* of unwinding late, in one go, */
#define LAST_WORK_MS	10000	/* and at the end */
#define HOUSEKEEPING_MS 1000	/* hotplug, progress */
#define SCAN_NS		5000000 /* of the processes that were there before, in one go */

/* What has been seen of a process image in samples: looked at once in /proc. */
struct seen_key {
	uint64_t start_ns, exec_id;
	uint32_t tgid, pad;
};

struct session {
	const struct session_options *o;
	struct cgroups *cgroups;
	struct processes *processes;
	struct symbolizer *symbolizer;
	struct sideband *sideband;
	struct unwinder *unwinder; /* NULL: user stacks by frame pointers */
	struct target *target;
	struct cpu_collector *cpu;
	struct capture capture;
	struct launch launch;
	struct java_maps java;
	struct keyset seen; /* of struct seen_key */
	uint32_t looked_at; /* samples of the capture whose processes are in 'seen' */
	int stats;	    /* run-time statistics are on while this is open; -1: not allowed */
	int signals;
	uint64_t started_ns;
	int exit_status;
	uint64_t cpus_failed;
};

const char *session_libbpf_version(void)
{
	return libbpf_version_string();
}

static void session_release(struct session *s)
{
	launch_stop(&s->launch);
	java_maps_release(&s->java);
	cpu_collector_free(s->cpu);
	unwinder_free(s->unwinder);
	target_free(s->target);
	sideband_free(s->sideband);
	symbolizer_free(s->symbolizer);
	processes_free(s->processes);
	cgroups_free(s->cgroups);
	capture_release(&s->capture);
	keyset_release(&s->seen);
	if (s->stats >= 0)
		close(s->stats);
	if (s->signals >= 0)
		close(s->signals);
}

/* --- setting up ---------------------------------------------------------------------------- */

static void prepare_mapping(void *ctx, const struct sym_mapping *m)
{
	symbolizer_prepare(ctx, m);
}

/* Rings, events and files that are kept open each take a descriptor. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* From here on signals wait until they are asked for. */
static int catch_signals(struct session *s)
{
	struct sigaction hangup;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set,
		  SIGINT); /* even if ignored: shells do that to what runs in the background */
	sigaddset(&set, SIGTERM);
	/* What nohup has ignored for us stays so. */
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return errf(-errno, "cannot block signals: %m");
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? errf(-errno, "cannot wait for signals: %m") : 0;
}

static int open_rings(struct session *s, const struct cpu_set *online)
{
	unsigned int cpu;
	int err;

	for (cpu = 0; cpu < PERF_MAX_CPUS; cpu++) {
		bool is_open = sideband_fd(s->sideband, cpu) >= 0;

		if (is_open && !cpu_set_has(online, cpu))
			sideband_close_cpu(s->sideband, cpu);
		if (is_open || !cpu_set_has(online, cpu))
			continue;
		err = sideband_open_cpu(s->sideband, cpu);
		if (err && err != -ENODEV)
			return err;
	}
	return 0;
}

/* A kernel that does not take it gives short stacks, better than none: the summary says so. */
static int load_unwinder(struct session *s)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	struct unwind_maps_options options = {
		.memory_bytes = unwind_memory_fitting(s->o->unwind_memory_bytes),
		.samples_per_s = s->o->rate_hz * (cpus > 0 ? cpus : 1),
		.pidns_inum = target_config(s->target)->pidns_inum,
		.command = s->launch.pid,
	};

	int err = unwinder_new(&options, s->processes, s->symbolizer, &s->unwinder);

	return err == -ENOTSUP ? 0 : err;
}

static int load_collector(struct session *s)
{
	struct cpu_options options = {
		.rate_hz = s->o->rate_hz,
		.cpus = s->o->cpus,
		.keep_idle = s->o->keep_idle,
		.table_entries = s->o->table_entries,
	};
	struct target_options target = s->o->target;
	int err = sample_event_choose(s->o->event, &options.event);

	if (err)
		return err;
	if (!s->o->whole_machine)
		target.command = s->launch.pid;
	err = target_new(&target, s->cgroups, &s->target);
	if (!err && !s->o->frame_pointers)
		err = load_unwinder(s);
	options.unwinder = s->unwinder;
	return err ? err : cpu_collector_new(&options, s->target, s->sideband, &s->cpu);
}

static int set_up(struct session *s)
{
	struct symbolizer_options symbols = {
		.demangle = s->o->demangle,
		.no_lines = s->o->no_inline,
		.lines_cpu_ns = s->o->lines_cpu_ns,
	};
	struct cpu_set online;
	int err;

	bpf_quiet();
	/* First, so that the command has none of our limits and of our signal mask. */
	err = s->o->command ? launch_prepare(s->o->command, &s->launch) : 0;
	raise_file_limit();
	if (!err)
		err = catch_signals(s);
	if (!err)
		err = cgroups_new(&s->cgroups);
	if (!err)
		err = processes_new(&s->processes);
	if (!err)
		err = symbolizer_new(&symbols, &s->symbolizer);
	if (!err)
		err = sideband_new(s->processes, prepare_mapping, s->symbolizer, &s->sideband);
	if (!err)
		err = cpu_set_online(&online);
	if (!err)
		err = open_rings(s, &online);
	if (!err)
		err = load_collector(s);
	if (err)
		return err;
	s->stats = bpf_cost_enable();
	return 0;
}

/* --- recording ----------------------------------------------------------------------------- */

/*
 * Looks at the processes that have been sampled since, while they probably live: mappings that the
 * side band did not tell of (the vDSO), their files, and what their JIT compilers have named.
 */
static int look_at_processes(struct session *s)
{
	_cleanup_(keyset_release) struct keyset pids;
	uint32_t i, number;
	int added, err = 0;

	keyset_init(&pids, sizeof(uint32_t));
	for (; s->looked_at < s->capture.samples.n && !err; s->looked_at++) {
		const struct capture_sample *sample = capture_sample_at(&s->capture, s->looked_at);
		struct seen_key key = {
			.start_ns = sample->start_ns,
			.exec_id = sample->exec_id,
			.tgid = sample->tgid,
		};

		cgroups_path(s->cgroups, sample->cgroup_id);
		if (sample->user == CAPTURE_NO_STACK)
			continue;
		if (keyset_add(&pids, &key.tgid, &number) < 0)
			return errf(-ENOMEM, "no memory for the list of processes");
		added = keyset_add(&s->seen, &key, &number);
		if (added < 0)
			return errf(added, "no memory for the list of processes");
		if (!added)
			continue;
		/* The side band has told all of what began while it was on, but for the vDSO, of
		 * which the unwinder learns. */
		if (!s->unwinder || !processes_since(s->processes, key.tgid)) {
			err = processes_scan(s->processes, key.tgid);
			processes_for_each(s->processes, key.tgid, prepare_mapping, s->symbolizer);
		}
		if (s->o->java_perfmap)
			java_maps_look(&s->java, s->processes, key.tgid);
	}
	for (i = 0; i < pids.n; i++) {
		uint32_t pid = *(const uint32_t *)keyset_key(&pids, i);

		symbolizer_read_perf_map(s->symbolizer, pid, processes_since(s->processes, pid));
	}
	return err;
}

/*
 * Reads what processes have done, and unwinds what waited for that, for a while: 1 if there is more
 * of it. At the end it is given more time, and what is left then is a loss ("drain").
 */
static int catch_up(struct session *s, bool is_end)
{
	uint64_t max_ns = (is_end ? LAST_WORK_MS : WORK_MS) * 1000000ull;
	int err = s->unwinder ? unwinder_read(s->unwinder) : 0, more = 0;

	if (!err)
		err = is_end ? sideband_read_all(s->sideband) : sideband_read(s->sideband);
	if (!err && s->unwinder)
		more = unwinder_work(s->unwinder, sideband_settled(s->sideband), max_ns);
	if (!err && s->unwinder && more >= 0)
		err = cpu_collector_deliver(s->cpu, &s->capture);
	return err ? err : more;
}

/* What was deferred before the last drain of these tables is to be delivered before the next. */
static int drain(struct session *s)
{
	int err = catch_up(s, false);

	if (err >= 0)
		err = cpu_collector_drain(s->cpu, &s->capture);
	return err ? err : look_at_processes(s);
}

/* What was open on a CPU when it went offline stays dead when it is back: opened anew. */
static int follow_hotplug(struct session *s)
{
	struct cpu_set online, alive = { 0 };
	unsigned int cpu;
	int err = cpu_set_online(&online);

	if (err)
		return err;
	for (cpu = 0; cpu < PERF_MAX_CPUS; cpu++) {
		if (cpu_set_has(&online, cpu) && !sideband_has_stopped(s->sideband, cpu))
			cpu_set_add(&alive, cpu);
	}
	err = open_rings(s, &alive);
	if (!err)
		err = cpu_collector_follow_hotplug(s->cpu, &alive);
	if (!err && alive.n != online.n)
		err = open_rings(s, &online);
	if (!err && alive.n != online.n)
		err = cpu_collector_follow_hotplug(s->cpu, &online);
	return err;
}

static int keep_house(struct session *s)
{
	int err = catch_up(s, false); /* also with what a CPU that is gone has left */

	err = err < 0 ? err : 0;
	/* A CPU without its event is no reason to give up the others. */
	if (!err && follow_hotplug(s))
		s->cpus_failed++;
	target_tidy(s->target);
	java_maps_tick(&s->java, s->processes, s->symbolizer);
	if (!err && s->o->progress) {
		struct session_progress p = { .elapsed_ns =
						      clock_ns(CLOCK_MONOTONIC) - s->started_ns };

		cpu_collector_progress(s->cpu, &p.kept, &p.lost);
		s->o->progress(s->o->ctx, &p);
	}
	return err;
}

/* Whether the recording is over; looks at everything that may end it. 1, 0 or -errno. */
static int is_over(struct session *s, uint64_t now)
{
	struct signalfd_siginfo info;
	int ended;

	if (read(s->signals, &info, sizeof(info)) == sizeof(info))
		return 1;
	if (s->launch.pid) {
		ended = launch_wait(&s->launch, 0, &s->exit_status);
		if (ended)
			return ended;
	}
	if (s->o->duration_ns && now - s->started_ns >= s->o->duration_ns)
		return 1;
	return target_is_gone(s->target);
}

/* True if samples have been deferred; not asked for if that is known already. */
static bool wait_until(struct session *s, uint64_t now, uint64_t next, bool knows_deferred)
{
	struct pollfd fds[] = {
		{ .fd = s->signals, .events = POLLIN },
		{ .fd = s->launch.pid ? s->launch.pidfd : -1, .events = POLLIN },
		{ .fd = s->unwinder && !knows_deferred ? unwinder_fd(s->unwinder) : -1,
		  .events = POLLIN },
	};
	uint64_t left = next > now ? next - now : 0;
	struct timespec timeout = { .tv_sec = left / 1000000000, .tv_nsec = left % 1000000000 };

	ppoll(fds, ARRAY_SIZE(fds), &timeout, NULL);
	return fds[2].revents & POLLIN;
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int loop(struct session *s)
{
	uint64_t patience = cpu_collector_patience_ms(s->cpu) * 1000000ull;
	uint64_t now = clock_ns(CLOCK_MONOTONIC), next;
	uint64_t side_at = now, drain_at = now + patience,
		 house_at = now + HOUSEKEEPING_MS * 1000000ull;
	uint64_t end_at = s->o->duration_ns ? s->started_ns + s->o->duration_ns : UINT64_MAX;
	int err = 0, over = 0, more = 1;
	bool knows_deferred = false;

	while (!err && !over) {
		now = clock_ns(CLOCK_MONOTONIC);
		if (now >= side_at) {
			err = catch_up(s, false);
			/* Whether it is over is asked in between. */
			side_at = err > 0 ? now : now + SIDEBAND_MS * 1000000ull;
			knows_deferred = err > 0;
			err = err < 0 ? err : 0;
		}
		if (!err && now >= drain_at) {
			err = drain(s);
			drain_at = now + patience;
		}
		if (!err && now >= house_at) {
			err = keep_house(s);
			house_at = now + HOUSEKEEPING_MS * 1000000ull;
		}
		if (!err && more) {
			more = processes_scan_some(s->processes, SCAN_NS);
			err = more < 0 ? more : 0;
		}
		next = earliest(earliest(side_at, drain_at), earliest(house_at, end_at));
		if (more)
			next = 0; /* signals are looked at in between */
		if (!err && !over) {
			if (wait_until(s, clock_ns(CLOCK_MONOTONIC), next, knows_deferred)) {
				knows_deferred = true;
				side_at = earliest(
					side_at, clock_ns(CLOCK_MONOTONIC) + SOON_MS * 1000000ull);
			}
			over = is_over(s, clock_ns(CLOCK_MONOTONIC));
		}
	}
	return err ? err : over < 0 ? over : 0;
}

/* What goes wrong once events fire is the host's doing: other arguments would not mend it. */
static int while_recording(int err)
{
	return err ? errf(err == -ENOMEM ? -ENOMEM : -EIO, "%s", err_text()) : 0;
}

/* The command stands before its first instruction: its tables are made now. */
static int at_start(void *ctx)
{
	struct session *s = ctx;
	int err = sideband_read_all(s->sideband);

	return err ? err : unwinder_prepare_command(s->unwinder, s->launch.pid);
}

static int record(struct session *s, struct run_summary *summary)
{
	int err;

	summary->start_ns = clock_ns(CLOCK_REALTIME);
	s->started_ns = clock_ns(CLOCK_MONOTONIC);
	err = cpu_collector_start(s->cpu);
	if (!err && s->o->command)
		err = launch_go(&s->launch, s->o->command[0], s->unwinder ? at_start : NULL, s);
	if (err)
		return err;
	err = loop(s);
	if (err)
		return while_recording(err);
	err = cpu_collector_stop(s->cpu);
	summary->span_ns = clock_ns(CLOCK_MONOTONIC) - s->started_ns;
	if (!err)
		err = drain(s);
	if (!err)
		err = catch_up(s, true);
	err = err < 0 ? err : 0;
	sideband_end(s->sideband);
	java_maps_finish(&s->java, s->processes, s->symbolizer); /* while the command lives */
	launch_stop(&s->launch);
	summary->exit_status = s->exit_status;
	return while_recording(err);
}

/* --- finishing ----------------------------------------------------------------------------- */

static int make_profile(struct session *s, const struct run_summary *summary,
			struct stack_quality *quality, struct profile **ret)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	int err;

	if (!p || profile_add_value_type(p, "samples", "count") ||
	    profile_add_value_type(p, "cpu", "nanoseconds"))
		return errf(-ENOMEM, "no memory for the profile");
	p->start_ns = summary->start_ns;
	p->duration_ns = summary->span_ns;
	p->period_ns = 1000000000 / s->o->rate_hz;
	err = symbolize(&s->capture, s->processes, s->symbolizer, s->cgroups, p->period_ns, p,
			quality);
	if (!err)
		*ret = take(p);
	return err;
}

static void add_costs(const struct session *s, struct collector_summary *c)
{
	struct target_cost following;

	struct bpf_cost keeping = { 0 };

	target_cost(s->target, &following);
	if (s->unwinder) {
		unwinder_cost(s->unwinder, &keeping);
		unwinder_summarize(s->unwinder, &c->unwind);
		c->unwind.is_on = true;
	}
	c->targets_lost = following.lost;
	c->cost.following_ns = s->stats < 0 ? -1 : (int64_t)(following.kernel_ns + keeping.run_ns);
	c->cost.map_bytes += following.map_bytes;
	if (s->stats < 0)
		c->cost.kernel_ns = -1;
	c->cost.start_ns = s->started_ns - s->o->began_ns;
}

static void add_names(const struct session *s, struct name_quality *names)
{
	struct symbolizer_counts counts = symbolizer_counts(s->symbolizer);

	*names = (struct name_quality){
		.addresses = counts.addresses,
		.with_lines = counts.with_lines,
		.with_inlined = counts.with_inlined,
		.over_budget = counts.over_budget,
		.debuginfod_found = counts.debuginfod_found,
		.debuginfod_missing = counts.debuginfod_missing,
		.debuginfod_failed = counts.debuginfod_failed,
		.worker_cpu_ns = counts.worker_cpu_ns,
		.java_maps = s->java.written,
		.java_failed = s->java.failed,
	};
}

static int summarize(struct session *s, struct run_summary *summary, struct profile **ret)
{
	struct collector_summary *cpu = &summary->collectors[0];
	int err = cpu_collector_summarize(s->cpu, &s->capture, s->sideband, cpu);

	summary->n_collectors = 1;
	summary->target = strdup(target_text(s->target));
	if (!err && !summary->target)
		err = errf(-ENOMEM, "no memory for the summary");
	if (!err)
		err = make_profile(s, summary, &cpu->stacks, ret);
	cpu->files_failed = symbolizer_files_failed(s->symbolizer);
	add_names(s, &cpu->names);
	cpu->sideband_dropped = processes_dropped(s->processes);
	cpu->cpus_failed = s->cpus_failed;
	add_costs(s, cpu);
	return err;
}

int session_record(const struct session_options *options, struct run_summary *ret_summary,
		   struct profile **ret_profile)
{
	struct session s = {
		.o = options,
		.launch = { .go = -1, .failure = -1, .pidfd = -1 },
		.stats = -1,
		.signals = -1,
		.exit_status = -1,
	};
	struct run_summary summary = { .exit_status = -1 };
	int err;

	capture_init(&s.capture);
	java_maps_init(&s.java);
	keyset_init(&s.seen, sizeof(struct seen_key));
	err = set_up(&s);
	if (!err)
		err = record(&s, &summary);
	if (!err)
		err = while_recording(summarize(&s, &summary, ret_profile));
	session_release(&s);
	if (err)
		run_summary_release(&summary);
	else
		*ret_summary = summary;
	return err;
}
