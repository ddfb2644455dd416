/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/repetition.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/str.h"
#include "user/bench/command.h"
#include "user/bench/hook.h"
#include "user/bench/oracle.h"
#include "user/bench/readiness.h"
#include "user/bench/window.h"

#define LOOK_NS	      20000000ull
#define READY_LOOK_NS 1000000ull

const struct repetition_metric repetition_metrics[REPETITION_VALUES] = {
	[VALUE_WALL] = { "wall_ns", "ns" },
	[VALUE_CPU] = { "cpu_ns", "ns" },
	[VALUE_USER] = { "user_ns", "ns" },
	[VALUE_SYSTEM] = { "system_ns", "ns" },
	[VALUE_MAX_RSS] = { "max_rss_bytes", "bytes" },
	[VALUE_MINOR_FAULTS] = { "minor_faults", "count" },
	[VALUE_MAJOR_FAULTS] = { "major_faults", "count" },
	[VALUE_VOLUNTARY_SWITCHES] = { "voluntary_switches", "count" },
	[VALUE_INVOLUNTARY_SWITCHES] = { "involuntary_switches", "count" },
	[VALUE_READ] = { "read_bytes", "bytes" },
	[VALUE_WRITTEN] = { "written_bytes", "bytes" },
	[VALUE_READY] = { "ready_ns", "ns" },
	[VALUE_INSTRUCTIONS] = { "instructions", "count" },
	[VALUE_CYCLES] = { "cycles", "count" },
	[VALUE_CACHE_MISSES] = { "cache_misses", "count" },
	[VALUE_BRANCH_MISSES] = { "branch_misses", "count" },
};

/* Shared with the child that records. */
struct recording {
	int returned; /* what 'profile' has returned */
	bool has_returned;
	struct profile_usage usage;
};

struct context {
	const struct repetition_options *o;
	struct repetition *rep;
	struct str message;
	struct readiness ready;
	struct recording *recording; /* NULL: not profiled */
	uint64_t stop_ns;	     /* since the start, when it was stopped for being through */
	uint64_t looked_ns;	     /* for memory */
	enum repetition_outcome killed_for;
	char err[PATH_MAX];
};

int repetition_path(const struct scenario_case *c, const char *file, char ret[PATH_MAX])
{
	int n;

	if (file[0] == '/' || !c->workdir)
		n = snprintf(ret, PATH_MAX, "%s", file);
	else
		n = snprintf(ret, PATH_MAX, "%s/%s", c->workdir, file);
	if (n >= PATH_MAX)
		return errf(-ENAMETOOLONG, "the path '%.100s...' is too long", file);
	return 0;
}

/* Files have times of the kernel's tick, which may be 10 ms behind the clock. */
bool repetition_is_stale(int fd, uint64_t since_ns)
{
	struct stat st;

	return !fstat(fd, &st) &&
	       st.st_mtim.tv_sec * 1000000000ull + st.st_mtim.tv_nsec + 20000000 < since_ns;
}

static bool stops_when_ready(const struct context *x)
{
	return x->ready.wanted->kind != READY_NONE && x->ready.wanted->stop;
}

/* Whoever records knows how to wait for an end, but not for a command that has none by itself. */
static bool watches_readiness(const struct context *x)
{
	return x->ready.wanted->kind != READY_NONE && (!x->recording || stops_when_ready(x));
}

/* --- while it runs ---------------------------------------------------------------------------- */

static enum command_wish kill_for(struct context *x, enum repetition_outcome why)
{
	x->killed_for = why;
	return WISH_KILL;
}

static bool is_over_memory(struct context *x, const struct command_look *look)
{
	uint64_t limit = x->o->scenario->ceilings.memory_bytes;

	if (!limit || look->elapsed_ns < x->looked_ns + LOOK_NS)
		return false;
	x->looked_ns = look->elapsed_ns;
	/* The child that records is not the command. */
	return process_tree_bytes(look->tree, x->recording ? look->pid : 0, limit) > limit;
}

/* Whether it has run for as long as it should. */
static bool is_through(struct context *x, uint64_t elapsed_ns, uint64_t *next_ns)
{
	const struct scenario_ready *ready = x->ready.wanted;
	uint64_t duration = x->o->scenario->duration_ns, end;

	if (ready->kind != READY_NONE && !x->ready.ready_ns) {
		*next_ns = READY_LOOK_NS;
		return false;
	}
	if (stops_when_ready(x)) {
		x->stop_ns = x->ready.ready_ns;
		return true;
	}
	if (!duration)
		return false;
	end = x->ready.ready_ns + duration;
	if (elapsed_ns >= end) {
		x->stop_ns = elapsed_ns;
		return true;
	}
	if (end - elapsed_ns < *next_ns)
		*next_ns = end - elapsed_ns;
	return false;
}

/*
 * A command that is to be ended when it is ready would be recorded for ever. SIGTERM ends the
 * recording, which ends the command, and then needs as long as it needs for what it has seen.
 */
static void stop_recording(struct context *x, const struct command_look *look, uint64_t *next_ns)
{
	if (!stops_when_ready(x) || x->stop_ns)
		return;
	readiness_look(&x->ready, look->elapsed_ns);
	if (!x->ready.ready_ns) {
		*next_ns = READY_LOOK_NS;
		return;
	}
	x->stop_ns = look->elapsed_ns;
	kill(look->pid, SIGTERM);
}

static enum command_wish look_at(void *ctx, const struct command_look *look, uint64_t *next_ns)
{
	struct context *x = ctx;
	uint64_t time_limit = x->o->scenario->ceilings.time_ns;

	if (is_over_memory(x, look))
		return kill_for(x, REPETITION_OVER_MEMORY);
	if (x->recording) {
		stop_recording(x, look, next_ns);
		return WISH_GO_ON; /* it takes longer, and ends the command itself */
	}
	if (time_limit && look->elapsed_ns > time_limit)
		return kill_for(x, REPETITION_OVER_TIME);
	readiness_look(&x->ready, look->elapsed_ns);
	return is_through(x, look->elapsed_ns, next_ns) ? WISH_STOP : WISH_GO_ON;
}

static void take_output(void *ctx, const char *data, size_t len, uint64_t elapsed_ns)
{
	struct context *x = ctx;

	readiness_output(&x->ready, data, len, elapsed_ns);
}

static int record(void *ctx)
{
	struct context *x = ctx;
	struct recording *r = x->recording;

	r->returned = x->o->profile(x->o->profile_ctx, x->o->c, x->o->number, x->o->profile_folder,
				    &r->usage);
	r->has_returned = true;
	return r->returned < 0 ? 125 : r->returned;
}

/* --- what it used ----------------------------------------------------------------------------- */

static double ns_of(const struct timeval *t)
{
	return t->tv_sec * 1e9 + t->tv_usec * 1e3;
}

static void take_usage(struct context *x, const struct command_result *r)
{
	const struct rusage *u = &r->usage;
	double *v = x->rep->values;
	int i;

	v[VALUE_WALL] = x->stop_ns ? x->stop_ns : r->wall_ns;
	v[VALUE_USER] = ns_of(&u->ru_utime);
	v[VALUE_SYSTEM] = ns_of(&u->ru_stime);
	v[VALUE_CPU] = v[VALUE_USER] + v[VALUE_SYSTEM];
	v[VALUE_MAX_RSS] = u->ru_maxrss >= 0 ? u->ru_maxrss * 1024.0 : NAN;
	v[VALUE_MINOR_FAULTS] = u->ru_minflt;
	v[VALUE_MAJOR_FAULTS] = u->ru_majflt;
	v[VALUE_VOLUNTARY_SWITCHES] = u->ru_nvcsw;
	v[VALUE_INVOLUNTARY_SWITCHES] = u->ru_nivcsw;
	v[VALUE_READ] = u->ru_inblock * 512.0; /* getrusage(2) counts blocks of 512 bytes */
	v[VALUE_WRITTEN] = u->ru_oublock * 512.0;
	if (x->ready.ready_ns && !x->recording)
		v[VALUE_READY] = x->ready.ready_ns;
	for (i = 0; i < COUNTERS; i++)
		v[VALUE_INSTRUCTIONS + i] = r->counters[i];
}

/* What the kernel says of the child is the recorder's; what that says of the command counts. */
static void take_recorded_usage(struct context *x)
{
	const struct profile_usage *u = &x->recording->usage;
	double *v = x->rep->values;
	int i;

	for (i = VALUE_WALL; i <= VALUE_READY; i++)
		v[i] = NAN;
	for (i = 0; i < COUNTERS; i++)
		v[VALUE_INSTRUCTIONS + i] = NAN;
	if (!u->wall_ns)
		return; /* a service, which it did not start */
	v[VALUE_WALL] = u->wall_ns;
	v[VALUE_USER] = u->user_ns;
	v[VALUE_SYSTEM] = u->system_ns;
	v[VALUE_CPU] = (double)u->user_ns + u->system_ns;
	v[VALUE_MAX_RSS] = u->max_rss_bytes;
}

/* --- how it ended ----------------------------------------------------------------------------- */

static int end_as(struct context *x, enum repetition_outcome outcome, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int end_as(struct context *x, enum repetition_outcome outcome, const char *fmt, ...)
{
	char text[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	x->rep->outcome = outcome;
	str_clear(&x->message);
	return str_add_clean(&x->message, text, strlen(text), 0);
}

static int end_with_status(struct context *x, const char *when)
{
	int status = x->rep->exit_status, err;

	if (status > 128 && status < 128 + NSIG)
		err = end_as(x, REPETITION_FAILED, "it was ended by signal %d (%s)%s", status - 128,
			     strsignal(status - 128), when);
	else
		err = end_as(x, REPETITION_FAILED, "it ended with status %d%s", status, when);
	return err ? err : command_quote(&x->message, x->err);
}

static int end_killed(struct context *x)
{
	const struct scenario_ceilings *ceilings = &x->o->scenario->ceilings;

	if (x->killed_for == REPETITION_OVER_TIME)
		return end_as(x, REPETITION_OVER_TIME,
			      "it took longer than the ceiling of %.3g s and was killed",
			      ceilings->time_ns / 1e9);
	return end_as(x, REPETITION_OVER_MEMORY,
		      "it used more memory than the ceiling of %" PRIu64 " bytes",
		      ceilings->memory_bytes);
}

static bool is_waiting(const struct context *x)
{
	return watches_readiness(x) && !x->ready.ready_ns;
}

static int judge_exit(struct context *x)
{
	int err;

	if (is_waiting(x)) {
		readiness_look(&x->ready, x->rep->values[VALUE_WALL]);
		if (x->ready.ready_ns)
			x->rep->values[VALUE_READY] = x->ready.ready_ns;
	}
	if (is_waiting(x)) {
		err = end_with_status(x, " before it was ready");
		x->rep->outcome = REPETITION_NOT_READY;
		return err;
	}
	return x->rep->exit_status ? end_with_status(x, "") : 0;
}

static int judge_end(struct context *x, const struct command_result *r)
{
	uint64_t memory = x->o->scenario->ceilings.memory_bytes;
	int err = 0;

	switch (r->end) {
	case COMMAND_EXITED:
		/* Of a recorder that was told to end the command any end is right, too. */
		err = x->recording && x->stop_ns ? 0 : judge_exit(x);
		break;
	case COMMAND_STOPPED:
		break; /* by us: however it ends then is right */
	case COMMAND_KILLED:
		return end_killed(x);
	case COMMAND_TIMED_OUT:
		err = end_as(x, REPETITION_TIMED_OUT, "it ran for longer than %.3g s%s",
			     x->o->timeout_ns / 1e9, is_waiting(x) ? " and was not ready" : "");
		return err ? err : command_quote(&x->message, x->err);
	case COMMAND_FLOODED:
		return end_as(x, REPETITION_FAILED, "it wrote more than %u MiB of output",
			      COMMAND_OUTPUT_MAX >> 20);
	case COMMAND_INTERRUPTED:
		return end_as(x, REPETITION_INTERRUPTED, "it was interrupted");
	}
	/* What was larger only between two looks, or is gone. */
	if (!err && memory && x->rep->values[VALUE_MAX_RSS] > memory) {
		x->killed_for = REPETITION_OVER_MEMORY;
		return end_killed(x);
	}
	return err;
}

/* --- the command ------------------------------------------------------------------------------ */

static int run_command(struct context *x, char *const *environment)
{
	const struct repetition_options *o = x->o;
	struct command_options c = {
		.argv = o->c->subject.command,
		.instead = x->recording ? record : NULL,
		.instead_ctx = x,
		.workdir = o->c->workdir,
		.environment = environment,
		.out = x->rep->out,
		.err = x->err,
		.timeout_ns = o->timeout_ns,
		.stop_fd = o->stop_fd,
		.is_counted = !x->recording,
		.look = look_at,
		.output = x->ready.wanted->kind == READY_STDOUT && watches_readiness(x)
				  ? take_output
				  : NULL,
		.watch_ctx = x,
	};
	struct command_result r = { 0 };
	int err;

	x->rep->start_ns = clock_ns(CLOCK_REALTIME);
	err = command_run(&c, &r);
	if (err == -ENOMEM)
		return err;
	if (err) {
		x->rep->exit_status = err == -ENOENT ? 127 : 126;
		return end_as(x, REPETITION_FAILED, "%s", err_text());
	}
	x->rep->exit_status = r.status;
	take_usage(x, &r);
	if (x->recording)
		take_recorded_usage(x);
	if (x->recording && x->recording->has_returned && x->recording->returned < 0) {
		x->rep->recording_failed = true;
		x->recording->usage.failure[sizeof(x->recording->usage.failure) - 1] = '\0';
		return end_as(x, REPETITION_FAILED, "cannot record%s%s: %s", *o->c->name ? " " : "",
			      o->c->name, x->recording->usage.failure);
	}
	return judge_end(x, &r);
}

static int watch_service(struct context *x)
{
	struct window w = { .subject = &x->o->c->subject,
			    .duration_ns = x->o->scenario->duration_ns,
			    .memory_ceiling = x->o->scenario->ceilings.memory_bytes,
			    .stop_fd = x->o->stop_fd };
	int err, fd;

	/* Nothing comes from a service's stdout. */
	fd = open(x->rep->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errf(-errno, "cannot make '%s': %m", x->rep->out);
	close(fd);
	x->rep->start_ns = clock_ns(CLOCK_REALTIME);
	err = window_watch(&w, x->rep->values);
	if (err == -ENOMEM)
		return err;
	x->rep->other_ns = isnan(x->rep->values[VALUE_CPU]) ? 0 : x->rep->values[VALUE_CPU];
	if (err)
		return end_as(x, REPETITION_FAILED, "%s", err_text());
	if (w.end == WINDOW_INTERRUPTED)
		return end_as(x, REPETITION_INTERRUPTED, "it was interrupted");
	if (w.end == WINDOW_OVER_MEMORY) {
		x->killed_for = REPETITION_OVER_MEMORY;
		return end_killed(x);
	}
	return 0;
}

/* --- before and after ------------------------------------------------------------------------- */

/* Written data first: only clean pages are dropped (admin-guide/sysctl/vm). */
static int drop_caches(struct context *x)
{
	int fd;

	if (!x->o->scenario->drop_caches)
		return 0;
	sync();
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "3\n", 2) != 2) {
		int err = end_as(x, REPETITION_FAILED, "cannot drop caches: %m");

		closep(&fd);
		return err;
	}
	close(fd);
	return 0;
}

static int run_hook(struct context *x, char *const *environment, const char *name,
		    char *const *words, enum repetition_outcome outcome)
{
	struct hook_options h = { .name = name,
				  .words = words,
				  .workdir = x->o->c->workdir,
				  .environment = environment,
				  .folder = x->o->folder,
				  .timeout_ns = x->o->hook_timeout_ns,
				  .stop_fd = x->o->stop_fd };
	_cleanup_(freep) char *message = NULL;
	enum hook_end end;
	int err = hook_run(&h, &end, &message);

	if (err || end == HOOK_DONE)
		return err;
	return end_as(x, end == HOOK_INTERRUPTED ? REPETITION_INTERRUPTED : outcome, "%s", message);
}

static int run_all(struct context *x, char *const *environment)
{
	const struct repetition_options *o = x->o;
	_cleanup_(freep) char *difference = NULL;
	struct pollfd stop = { .fd = o->stop_fd, .events = POLLIN };
	int err;

	if (poll(&stop, 1, 0) > 0)
		return end_as(x, REPETITION_INTERRUPTED, "it was interrupted before it started");
	err = run_hook(x, environment, "before_each", o->c->before_each, REPETITION_FAILED);
	if (!err && x->rep->outcome == REPETITION_OK)
		err = drop_caches(x);
	if (err || x->rep->outcome != REPETITION_OK)
		return err;
	if (o->c->subject.command && watches_readiness(x) && readiness_init(&x->ready, o->c))
		return end_as(x, REPETITION_NOT_READY, "%s", err_text());
	if (o->c->subject.command || x->recording)
		err = run_command(x, environment);
	else
		err = watch_service(x);
	if (err || x->rep->outcome != REPETITION_OK)
		return err;
	err = oracle_check(o->c, x->rep, &difference);
	if (err)
		return err;
	if (difference)
		return end_as(x, REPETITION_WRONG_OUTPUT, "%s", difference);
	return run_hook(x, environment, "verify", o->c->verify, REPETITION_NOT_VERIFIED);
}

static void context_release(struct context *x)
{
	str_release(&x->message);
	readiness_release(&x->ready);
	if (x->recording)
		munmap(x->recording, sizeof(*x->recording));
}

int repetition_run(const struct repetition_options *o, struct repetition *ret)
{
	struct repetition rep = { .start_ns = clock_ns(CLOCK_REALTIME) };
	_cleanup_(context_release) struct context x = { .o = o, .rep = &rep };
	_cleanup_(freep) char **environment = NULL;
	int err, i;

	for (i = 0; i < REPETITION_VALUES; i++)
		rep.values[i] = NAN;
	x.ready.wanted = &o->c->ready;
	if (snprintf(rep.out, sizeof(rep.out), "%s/stdout", o->folder) >= (int)sizeof(rep.out) ||
	    snprintf(x.err, sizeof(x.err), "%s/stderr", o->folder) >= (int)sizeof(x.err))
		return errf(-ENAMETOOLONG, "the path '%.100s...' is too long", o->folder);
	if (o->profile) {
		x.recording = mmap(NULL, sizeof(*x.recording), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (x.recording == MAP_FAILED) {
			x.recording = NULL;
			return errf(-ENOMEM, "no memory to record '%s'", o->c->name);
		}
	}
	err = command_environment(o->scenario->name, o->c, o->number, &environment);
	if (!err)
		err = run_all(&x, environment);
	if (err)
		return err;
	rep.message = take(x.message.data);
	*ret = rep;
	return 0;
}
