/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/session.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/collect/session_state.h"
#include "user/collect/stop_signals.h"

#define SIDEBAND_MS	100
#define SOON_MS		20	/* when samples wait to be unwound */
#define WORK_MS		100	/* of unwinding late, in one go, */
#define LAST_WORK_MS	10000	/* and at the end */
#define HOUSEKEEPING_MS 1000	/* hotplug, progress */
#define SCAN_NS		5000000 /* of the processes that were there before, in one go */

const char *session_libbpf_version(void)
{
	return libbpf_version_string();
}

void recorded_release(struct recorded *r)
{
	unsigned int i;

	for (i = 0; i < SUMMARY_MAX_COLLECTORS; i++)
		profile_free(r->profiles[i]);
	run_summary_release(&r->summary);
	*r = (struct recorded){ 0 };
}

static void session_release(struct session *s)
{
	_cleanup_(freep) char *left = NULL;
	unsigned int i;

	launch_stop(&s->launch);
	shim_launch_release(&s->shim, &left);
	if (left && s->o->warn)
		s->o->warn(s->o->ctx, left);
	java_maps_release(&s->java);
	for (i = 0; i < s->n_parts; i++)
		collector_free(s->parts[i].c);
	unwinder_free(s->unwinder);
	target_free(s->target);
	sideband_free(s->sideband);
	symbolizer_free(s->symbolizer);
	processes_free(s->processes);
	cgroups_free(s->cgroups);
	sampled_release(&s->sampled);
	if (s->stats >= 0)
		close(s->stats);
	if (s->signals >= 0)
		close(s->signals);
}

/* Calls a function of each collector that has it, until one fails. */
static int for_each(struct session *s, int (*fn)(struct session *s, struct part *part))
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < s->n_parts && !err; i++)
		err = fn(s, &s->parts[i]);
	return err;
}

static int start_part(struct session *s, struct part *part)
{
	part->c->started_ns = s->started_ns;
	return part->c->ops->start(part->c);
}

static int stop_part(struct session *s, struct part *part)
{
	(void)s;
	return part->c->ops->stop(part->c);
}

static int tick_part(struct session *s, struct part *part)
{
	(void)s;
	return part->c->ops->tick ? part->c->ops->tick(part->c) : 0;
}

static int deliver_part(struct session *s, struct part *part)
{
	(void)s;
	return part->c->ops->deliver(part->c);
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
		err = for_each(s, deliver_part);
	return err ? err : more;
}

static int drain_part(struct session *s, struct part *part)
{
	int err = part->c->ops->drain(part->c);

	part->drain_at =
		clock_ns(CLOCK_MONOTONIC) + part->c->ops->patience_ms(part->c) * 1000000ull;
	return err ? err : sampled_look(&s->sampled, &part->c->capture, &part->looked_at);
}

static int drain_due(struct session *s, struct part *part)
{
	return clock_ns(CLOCK_MONOTONIC) < part->drain_at ? 0 : drain_part(s, part);
}

static int follow_in_part(struct part *part, const struct cpu_set *online)
{
	return part->c->ops->follow_hotplug ? part->c->ops->follow_hotplug(part->c, online) : 0;
}

static int follow_in_parts(struct session *s, const struct cpu_set *online)
{
	unsigned int i;
	int err = session_open_rings(s, online);

	for (i = 0; i < s->n_parts && !err; i++)
		err = follow_in_part(&s->parts[i], online);
	return err;
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
	err = follow_in_parts(s, &alive);
	return err || alive.n == online.n ? err : follow_in_parts(s, &online);
}

static void show_progress(const struct session *s)
{
	struct session_progress p = { .elapsed_ns = clock_ns(CLOCK_MONOTONIC) - s->started_ns };
	unsigned int i;

	for (i = 0; i < s->n_parts; i++) {
		uint64_t kept, lost;

		s->parts[i].c->ops->progress(s->parts[i].c, &kept, &lost);
		p.kept += kept;
		p.lost += lost;
	}
	s->o->progress(s->o->ctx, &p);
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
	if (!err && s->o->progress)
		show_progress(s);
	return err;
}

/* Whether the recording is over; looks at everything that may end it. 1, 0 or -errno. */
static int is_over(struct session *s, uint64_t now)
{
	int ended;

	if (stop_signals_came(s->signals))
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

/* When what is to be done when; CLOCK_MONOTONIC. */
struct schedule {
	uint64_t side_at, house_at;
	bool knows_deferred; /* that there is something to unwind late */
};

static uint64_t next_of(const struct session *s, const struct schedule *at)
{
	uint64_t next = earliest(at->side_at, at->house_at);
	unsigned int i;

	for (i = 0; i < s->n_parts; i++)
		next = earliest(next, s->parts[i].drain_at);
	return s->o->duration_ns ? earliest(next, s->started_ns + s->o->duration_ns) : next;
}

/* Does what is due. 0 or -errno. */
static int work(struct session *s, struct schedule *at)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	int err = 0;

	if (now >= at->side_at) {
		err = catch_up(s, false);
		/* Whether it is over is asked in between. */
		at->side_at = err > 0 ? now : now + SIDEBAND_MS * 1000000ull;
		at->knows_deferred = err > 0;
		err = err < 0 ? err : for_each(s, tick_part);
	}
	if (!err)
		err = for_each(s, drain_due);
	if (!err && now >= at->house_at) {
		err = keep_house(s);
		at->house_at = now + HOUSEKEEPING_MS * 1000000ull;
	}
	return err;
}

static int loop(struct session *s)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), next;
	struct schedule at = { .side_at = now, .house_at = now + HOUSEKEEPING_MS * 1000000ull };
	int err = 0, over = 0, more = 1;
	unsigned int i;

	for (i = 0; i < s->n_parts; i++)
		s->parts[i].drain_at =
			now + s->parts[i].c->ops->patience_ms(s->parts[i].c) * 1000000ull;
	while (!err && !over) {
		err = work(s, &at);
		if (!err && more) {
			more = processes_scan_some(s->processes, SCAN_NS);
			err = more < 0 ? more : 0;
		}
		next = more ? 0 : next_of(s, &at); /* signals are looked at in between */
		if (err)
			break;
		if (wait_until(s, clock_ns(CLOCK_MONOTONIC), next, at.knows_deferred)) {
			at.knows_deferred = true;
			at.side_at = earliest(at.side_at,
					      clock_ns(CLOCK_MONOTONIC) + SOON_MS * 1000000ull);
		}
		over = is_over(s, clock_ns(CLOCK_MONOTONIC));
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

/* Processes that run already have their tables before their first event. */
static int prepare_running(struct session *s)
{
	const struct target_options *target = &s->o->target;
	size_t i;
	int err = 0;

	for (i = 0; i < target->n_pids && !err; i++)
		err = processes_scan(s->processes, target->pids[i]);
	if (!err)
		err = sideband_read_all(s->sideband);
	return err ? err : unwinder_prepare_running(s->unwinder, target->pids, target->n_pids);
}

static int record(struct session *s, struct run_summary *summary)
{
	int err;

	err = s->unwinder ? prepare_running(s) : 0;
	if (err)
		return err;
	summary->start_ns = clock_ns(CLOCK_REALTIME);
	s->started_ns = clock_ns(CLOCK_MONOTONIC);
	err = for_each(s, start_part);
	if (!err && s->o->command)
		err = launch_go(&s->launch, s->o->command[0], s->unwinder ? at_start : NULL, s);
	if (err)
		return err;
	err = loop(s);
	if (err)
		return while_recording(err);
	err = for_each(s, stop_part);
	summary->span_ns = clock_ns(CLOCK_MONOTONIC) - s->started_ns;
	if (!err)
		err = for_each(s, tick_part);
	if (!err)
		err = for_each(s, drain_part);
	if (!err)
		err = catch_up(s, true);
	err = err < 0 ? err : 0;
	sideband_end(s->sideband);
	java_maps_finish(&s->java, s->processes, s->symbolizer); /* while the command lives */
	launch_stop(&s->launch);
	summary->usage = s->launch.usage;
	summary->exit_status = s->exit_status;
	return while_recording(err);
}

int session_record(const struct session_options *options, struct recorded *ret)
{
	struct session s = {
		.o = options,
		.launch = { .go = -1, .failure = -1, .pidfd = -1 },
		.stats = -1,
		.signals = -1,
		.exit_status = -1,
	};
	struct recorded recorded = { .summary.exit_status = -1 };
	int err;

	java_maps_init(&s.java);
	sampled_init(&s.sampled);
	err = session_set_up(&s);
	if (!err)
		err = record(&s, &recorded.summary);
	if (!err)
		err = while_recording(session_summarize(&s, &recorded));
	session_release(&s);
	if (err)
		recorded_release(&recorded);
	else
		*ret = recorded;
	return err;
}
