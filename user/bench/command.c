/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/command.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "user/base/cleanup.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/bench/guardian.h"

#define LOOK_NS	    20000000ull
#define PATIENCE_NS 2000000000ull
#define QUOTED	    400

#define RSS_SLACK_KIB 1024 /* what the child grows by while it executes the command */
#define RSS_SMALL_KIB (8 << 10)
#define RSS_LOOKS     5

/* What the child tells us where a pipe would cost time: shared with it. */
struct report {
	uint64_t start_ns;
	struct rusage before; /* what it used until then */
};

struct running {
	const struct command_options *o;
	struct guardian guardian;
	struct process_tree tree;
	struct report *report;
	struct counters counters;
	pid_t pid; /* 0: none */
	int pidfd, go, failure;
	int out, err, pipe; /* files; read end of the pipe that stdout is, or -1 */
	uint64_t written;   /* by us, to 'out' */
	int write_err;
	uint64_t start_ns, stop_ns;
	long seen_rss_kib; /* the most that the command itself was seen to have */
	uint64_t seen_ns;  /* last, since the start */
	unsigned int n_seen;
	enum command_end end;
};

static void running_release(struct running *r)
{
	int *fds[] = { &r->pidfd, &r->go, &r->failure, &r->out, &r->err, &r->pipe };
	double ignored[COUNTERS];
	size_t i;

	guardian_end(&r->guardian);
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		closep(fds[i]);
	counters_read(&r->counters, ignored);
	process_tree_release(&r->tree);
	if (r->report)
		munmap(r->report, sizeof(*r->report));
}

/* --- the child -------------------------------------------------------------------------------- */

struct failure {
	int err;
	int is_workdir;
};

static void __attribute__((noreturn)) fail(int fd, bool is_workdir)
{
	struct failure f = { .err = errno, .is_workdir = is_workdir };

	if (write(fd, &f, sizeof(f)) < 0)
		_exit(126);
	_exit(127);
}

static void reset_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD };
	sigset_t none;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void __attribute__((noreturn)) child(const struct command_options *o, struct report *report,
					    pid_t parent, int go, int failure, int out, int err)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	setsid();
	reset_signals();
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(err, STDERR_FILENO) < 0)
		fail(failure, false);
	if (o->workdir && chdir(o->workdir))
		fail(failure, true);
	if (o->environment)
		environ = (char **)o->environment;
	if (read(go, &byte, 1) != 1)
		_exit(127);
	if (o->instead) {
		close(failure);
		report->start_ns = clock_ns(CLOCK_MONOTONIC);
		_exit(o->instead(o->instead_ctx));
	}
	/* What others have opened without O_CLOEXEC is none of the command's business. */
	if (failure != 3) {
		if (dup3(failure, 3, O_CLOEXEC) < 0)
			fail(failure, false);
		failure = 3;
	}
	syscall(SYS_close_range, 4, ~0u, 0);
	getrusage(RUSAGE_SELF, &report->before);
	report->start_ns = clock_ns(CLOCK_MONOTONIC);
	execvp(o->argv[0], o->argv);
	fail(failure, false);
}

/* --- start ------------------------------------------------------------------------------------ */

static const char *name_of(const struct command_options *o)
{
	return o->argv && o->argv[0] ? o->argv[0] : "the command";
}

static int make_file(const char *path)
{
	int fd;

	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? errf(-errno, "cannot make '%s': %m", path) : fd;
}

static int prepare(struct running *r)
{
	/* First, so that it is none of the command's processes. */
	int err = guardian_start(&r->guardian);

	if (!err)
		err = process_tree_init(&r->tree);
	if (err)
		return err;
	r->report = mmap(NULL, sizeof(*r->report), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->report == MAP_FAILED) {
		r->report = NULL;
		return errf(-ENOMEM, "no memory to start '%s'", name_of(r->o));
	}
	r->out = make_file(r->o->out);
	if (r->out < 0)
		return r->out;
	r->err = make_file(r->o->err);
	return r->err < 0 ? r->err : 0;
}

/* Forks a child that waits for go. */
static int fork_child(struct running *r)
{
	int go[2] = { -1, -1 }, failure[2] = { -1, -1 }, out[2] = { -1, -1 }, err = 0;
	pid_t self = getpid();

	/* A socket: a write to a pipe whose reader has died would be our end. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, go) || pipe2(failure, O_CLOEXEC) ||
	    (r->o->output && pipe2(out, O_CLOEXEC)))
		err = errf(-errno, "cannot prepare to start '%s': %m", name_of(r->o));
	if (!err) {
		fflush(NULL); /* or a child that prints would print ours again */
		r->pid = fork();
		if (r->pid < 0) {
			r->pid = 0;
			err = errf(-errno, "cannot fork to start '%s': %m", name_of(r->o));
		}
	}
	if (!err && r->pid == 0) {
		closep(&go[1]);
		closep(&failure[0]);
		child(r->o, r->report, self, go[0], failure[1], out[1] >= 0 ? out[1] : r->out,
		      r->err);
	}
	closep(&go[0]);
	closep(&failure[1]);
	closep(&out[1]);
	r->go = go[1];
	r->failure = failure[0];
	r->pipe = out[0];
	if (r->pipe >= 0)
		fcntl(r->pipe, F_SETFL, O_NONBLOCK);
	return err;
}

static int start(struct running *r)
{
	struct failure f;
	ssize_t n;
	bool went;
	int err = fork_child(r);

	if (err)
		return err;
	r->pidfd = syscall(SYS_pidfd_open, r->pid, 0);
	if (r->pidfd < 0)
		return errf(-errno, "cannot wait for '%s': %m", name_of(r->o));
	err = guardian_watch(&r->guardian, r->pid);
	if (err)
		return err;
	if (r->o->is_counted)
		counters_open(&r->counters, r->pid);
	r->start_ns = clock_ns(CLOCK_MONOTONIC);
	/* If nobody is there to take it the child has failed already, and may have said why. */
	went = send(r->go, "", 1, MSG_NOSIGNAL) == 1;
	do {
		n = read(r->failure, &f, sizeof(f));
	} while (n < 0 && errno == EINTR);
	if (r->report->start_ns)
		r->start_ns = r->report->start_ns;
	if (n != sizeof(f))
		return went ? 0
			    : errf(-ECHILD, "'%s' has ended before it was started", name_of(r->o));
	errno = f.err;
	if (f.is_workdir)
		return errf(-f.err, "cannot start '%s' in '%s': %m", name_of(r->o), r->o->workdir);
	return errf(-f.err, "cannot start '%s': %m", name_of(r->o));
}

/* --- while it runs ---------------------------------------------------------------------------- */

/* Moves what is in the pipe to the file and to the watch; false at its end. */
static bool drain(struct running *r)
{
	char data[65536];
	size_t keep;
	ssize_t n;

	while (r->pipe >= 0) {
		n = read(r->pipe, data, sizeof(data));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0) {
			close(take_fd(r->pipe));
			return false;
		}
		r->o->output(r->o->watch_ctx, data, n, clock_ns(CLOCK_MONOTONIC) - r->start_ns);
		/* One byte more than allowed tells that there was more. */
		keep = COMMAND_OUTPUT_MAX + 1 - r->written;
		keep = (size_t)n < keep ? (size_t)n : keep;
		if (keep && !r->write_err)
			r->write_err = file_write_all(r->out, r->o->out, data, keep);
		r->written += keep;
		if (r->written > COMMAND_OUTPUT_MAX)
			return true; /* it is ended for that, not read for ever */
	}
	return false;
}

static bool is_flooded(const struct running *r)
{
	struct stat out, err;

	return (!fstat(r->out, &out) && out.st_size > COMMAND_OUTPUT_MAX) ||
	       (!fstat(r->err, &err) && err.st_size > COMMAND_OUTPUT_MAX);
}

static void end_by(struct running *r, enum command_end end, int signal_number)
{
	bool is_asked = signal_number == SIGTERM;

	/* Who does not heed a request, and has no less time for it than for all, was too slow. */
	if (r->end == COMMAND_EXITED || (r->end == COMMAND_STOPPED && end == COMMAND_TIMED_OUT))
		r->end = end;
	if (is_asked)
		r->stop_ns = clock_ns(CLOCK_MONOTONIC);
	/* One of ours ends what it has started; of others the session's processes come first, and
	 * those that have left its group are found later. */
	if ((is_asked && r->o->instead) || kill(-r->pid, signal_number))
		kill(r->pid, signal_number);
}

static void see_rss(struct running *r, uint64_t elapsed)
{
	char path[64], text[4096], *at;
	long kib;
	ssize_t n;
	int fd;

	if (elapsed < r->seen_ns + LOOK_NS)
		return;
	r->seen_ns = elapsed;
	snprintf(path, sizeof(path), "/proc/%d/status", r->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "\nVmHWM:");
	if (!at || sscanf(at, "\nVmHWM: %ld", &kib) != 1)
		return;
	r->n_seen++;
	if (kib > r->seen_rss_kib)
		r->seen_rss_kib = kib;
}

/* Looks after it once. Returns how long nothing needs to be looked at. */
static uint64_t look_after(struct running *r)
{
	uint64_t elapsed = clock_ns(CLOCK_MONOTONIC) - r->start_ns, next = LOOK_NS;
	struct command_look look = { .pid = r->pid, .elapsed_ns = elapsed, .tree = &r->tree };
	enum command_wish wish = WISH_GO_ON;

	if (r->written > COMMAND_OUTPUT_MAX || is_flooded(r)) {
		end_by(r, COMMAND_FLOODED, SIGKILL);
		return next;
	}
	see_rss(r, elapsed);
	if (r->stop_ns && !r->o->instead) {
		if (r->start_ns + elapsed - r->stop_ns > PATIENCE_NS)
			end_by(r, COMMAND_STOPPED, SIGKILL);
		return next;
	}
	if (r->o->timeout_ns && elapsed >= r->o->timeout_ns) {
		end_by(r, COMMAND_TIMED_OUT, SIGKILL);
		return next;
	}
	if (r->o->look && !r->stop_ns)
		wish = r->o->look(r->o->watch_ctx, &look, &next);
	if (wish == WISH_STOP)
		end_by(r, COMMAND_STOPPED, SIGTERM);
	else if (wish == WISH_KILL)
		end_by(r, COMMAND_KILLED, SIGKILL);
	if (r->o->timeout_ns && r->o->timeout_ns - elapsed < next)
		next = r->o->timeout_ns - elapsed;
	return next;
}

/* Returns when it has ended, with the time of that. */
static uint64_t watch(struct running *r)
{
	struct pollfd fds[3] = { { .fd = r->pidfd, .events = POLLIN },
				 { .fd = r->o->stop_fd, .events = POLLIN },
				 { .fd = r->pipe, .events = POLLIN } };
	struct timespec wait;
	uint64_t next;

	while (true) {
		next = look_after(r);
		wait = (struct timespec){ .tv_sec = next / 1000000000,
					  .tv_nsec = next % 1000000000 };
		if (ppoll(fds, 3, &wait, NULL) <= 0)
			continue;
		if (fds[0].revents)
			return clock_ns(CLOCK_MONOTONIC);
		if (fds[1].revents) {
			end_by(r, COMMAND_INTERRUPTED, SIGKILL);
			fds[1].fd = -1;
		}
		if (fds[2].revents && !drain(r))
			fds[2].fd = -1;
		else if (r->written > COMMAND_OUTPUT_MAX)
			fds[2].fd = -1;
	}
}

/* --- end -------------------------------------------------------------------------------------- */

/*
 * What the child was before it executed the command, a copy of us, stays with it as the least of
 * its largest resident set (exec_mmap() in fs/exec.c). A command that had less than that is told by
 * what was seen of it, if it was seen often enough; else it is not known, unless we are so small
 * that it does not matter.
 */
static long largest_rss(const struct running *r, long kib)
{
	long ours = r->report->before.ru_maxrss;

	if (kib > ours + RSS_SLACK_KIB || ours < RSS_SMALL_KIB)
		return kib;
	return r->n_seen >= RSS_LOOKS ? r->seen_rss_kib : -1;
}

/* User and system time are shares of a sum, and either may come out smaller later on. */
static void take_off(struct timeval *t, const struct timeval *ours)
{
	struct timeval left;

	timersub(t, ours, &left);
	if (left.tv_sec < 0)
		timerclear(&left);
	*t = left;
}

/* What the child did before it executed the command was our doing. */
static void take_off_ours(struct running *r, struct rusage *u)
{
	const struct rusage *ours = &r->report->before;

	take_off(&u->ru_utime, &ours->ru_utime);
	take_off(&u->ru_stime, &ours->ru_stime);
	u->ru_minflt -= ours->ru_minflt;
	u->ru_majflt -= ours->ru_majflt;
	u->ru_inblock -= ours->ru_inblock;
	u->ru_oublock -= ours->ru_oublock;
	u->ru_nvcsw -= ours->ru_nvcsw;
	u->ru_nivcsw -= ours->ru_nivcsw;
	u->ru_maxrss = largest_rss(r, u->ru_maxrss);
}

/* Waits for the child and ends all that it has left behind. */
static int finish(struct running *r, struct command_result *result)
{
	int status = 0, err;
	pid_t pid;

	if (!r->pid)
		return 0;
	/* While it is not waited for nobody else's group can have its number. */
	kill(-r->pid, SIGKILL);
	guardian_end(&r->guardian);
	do {
		pid = wait4(r->pid, &status, 0, &result->usage);
	} while (pid < 0 && errno == EINTR);
	r->pid = 0;
	take_off_ours(r, &result->usage);
	result->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	err = process_tree_end(&r->tree, &result->usage);
	if (err)
		return err;
	drain(r);
	if (r->end == COMMAND_EXITED && (is_flooded(r) || r->written > COMMAND_OUTPUT_MAX))
		r->end = COMMAND_FLOODED;
	return r->write_err;
}

int command_run(const struct command_options *o, struct command_result *ret)
{
	_cleanup_(running_release) struct running r = { .o = o,
							.guardian = { .tell = -1 },
							.pidfd = -1,
							.go = -1,
							.failure = -1,
							.out = -1,
							.err = -1,
							.pipe = -1 };
	struct command_result result = { 0 };
	uint64_t end_ns;
	int err, i;

	for (i = 0; i < COUNTERS; i++)
		r.counters.fds[i] = -1;
	err = prepare(&r);
	if (!err)
		err = start(&r);
	if (err) {
		if (r.pid) {
			kill(r.pid, SIGKILL);
			finish(&r, &result);
		}
		return err;
	}
	end_ns = watch(&r);
	err = finish(&r, &result);
	if (err)
		return err_prefix(err, "'%s' has ended, but", name_of(o));
	counters_read(&r.counters, result.counters);
	result.end = r.end;
	result.start_ns = r.start_ns;
	result.wall_ns = end_ns - r.start_ns;
	*ret = result;
	return 0;
}

int command_quote(struct str *s, const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char text[QUOTED + 1];
	struct stat st;
	off_t from;
	ssize_t n;
	char *at;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	from = st.st_size > QUOTED ? st.st_size - QUOTED : 0;
	n = pread(fd, text, QUOTED, from);
	while (n > 0 && strchr(" \t\r\n", text[n - 1]))
		n--;
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* From the start of a line, if one starts there at all. */
	at = from ? strchr(text, '\n') : NULL;
	at = at ? at + 1 : text;
	if (str_add(s, ": "))
		return -ENOMEM;
	while (*at) {
		size_t len = strcspn(at, "\n");

		if (str_add_clean(s, at, len, 0) || (at[len] && str_add(s, " / ")))
			return -ENOMEM;
		at += len + !!at[len];
	}
	return 0;
}
