/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/base/cleanup.h"
#include "user/base/clock.h"
#include "user/base/err.h"

#define STOP_PATIENCE_MS 2000
#define STEP_MS		 20

static void __attribute__((noreturn))
child(char *const *argv, char *const *environment, int go, int failure)
{
	char byte;
	int err;

	signal(SIGPIPE, SIG_DFL);
	/* Nothing comes if fathom gave up or died: then there is nothing to run either. */
	if (read(go, &byte, 1) != 1)
		_exit(127);
	execvpe(argv[0], argv, environment ? environment : environ);
	err = errno;
	if (write(failure, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

int launch_prepare(char *const *argv, char *const *environment, struct launch *ret)
{
	struct launch l = { .go = -1, .failure = -1, .pidfd = -1 };
	int go[2], failure[2];

	if (pipe2(go, O_CLOEXEC))
		return errf(-errno, "cannot prepare to start '%s': %m", argv[0]);
	if (pipe2(failure, O_CLOEXEC)) {
		close(go[0]);
		close(go[1]);
		return errf(-errno, "cannot prepare to start '%s': %m", argv[0]);
	}
	l.pid = fork();
	if (l.pid == 0) {
		close(go[1]);
		close(failure[0]);
		child(argv, environment, go[0], failure[1]);
	}
	close(go[0]);
	close(failure[1]);
	l.go = go[1];
	l.failure = failure[0];
	if (l.pid < 0) {
		l.pid = 0;
		launch_stop(&l);
		return errf(-EAGAIN, "cannot fork to start '%s'", argv[0]);
	}
	l.pidfd = syscall(SYS_pidfd_open, l.pid, 0);
	*ret = l;
	return 0;
}

static uint64_t timeval_ns(const struct timeval *tv)
{
	return tv->tv_sec * 1000000000ull + tv->tv_usec * 1000ull;
}

/* waitpid(2), which also notes what it took once it has ended. */
static pid_t wait_and_note(struct launch *l, int *status, int flags)
{
	struct rusage usage;
	pid_t pid;

	do {
		pid = wait4(l->pid, status, flags, &usage);
	} while (pid < 0 && errno == EINTR);
	if (pid <= 0 || WIFSTOPPED(*status))
		return pid;
	l->usage = (struct command_usage){
		.wall_ns = clock_ns(CLOCK_MONOTONIC) - l->started_ns,
		.user_ns = timeval_ns(&usage.ru_utime),
		.system_ns = timeval_ns(&usage.ru_stime),
		.max_rss_bytes = usage.ru_maxrss * 1024ull,
	};
	return pid;
}

/*
 * Waits for the stop that follows the exec: false if it never comes. For others than root a traced
 * program would not get the rights of a set-user-ID file (security/commoncap.c).
 */
static bool wait_for_exec(struct launch *l)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = wait_and_note(l, &status, __WALL);
		if (pid != l->pid)
			return false;
		if (!WIFSTOPPED(status)) {
			l->has_ended = true;
			l->status = status;
			return false;
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
			return true;
		/* Signals go on to it; they stop it here only because it is traced. */
		ptrace(PTRACE_CONT, l->pid, 0, status >> 16 ? 0 : WSTOPSIG(status));
	}
}

/* Why it could not be executed, as -errno with a sentence, or 0. */
static int exec_failure(struct launch *l, const char *name)
{
	int err = 0;
	ssize_t n;

	do {
		n = read(l->failure, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	close(take_fd(l->failure));
	if (n != sizeof(err))
		return 0;
	errno = err;
	return errf(-err, "cannot start '%s': %m", name);
}

int launch_go(struct launch *l, const char *name, launch_fn at_start, void *ctx)
{
	bool is_traced, is_stopped;
	int err;

	is_traced = at_start && !geteuid() && !ptrace(PTRACE_SEIZE, l->pid, 0, PTRACE_O_TRACEEXEC);
	l->started_ns = clock_ns(CLOCK_MONOTONIC);
	if (write(l->go, "", 1) != 1)
		return errf(-errno, "cannot start '%s': %m", name);
	close(take_fd(l->go));
	/* First of all: a signal before the exec stops it, too, and then it says nothing. */
	is_stopped = is_traced && wait_for_exec(l);
	err = exec_failure(l, name);
	if (!is_stopped)
		return err;
	err = at_start(ctx);
	l->started_ns = clock_ns(CLOCK_MONOTONIC);
	ptrace(PTRACE_DETACH, l->pid, 0, 0);
	return err;
}

int launch_wait(struct launch *l, int timeout_ms, int *ret_status)
{
	struct pollfd p = { .fd = l->pidfd, .events = POLLIN };
	int status = l->status, waited_ms;
	pid_t pid = 0;

	if (l->has_ended)
		pid = l->pid;
	else if (timeout_ms && l->pidfd >= 0)
		poll(&p, 1, timeout_ms);
	for (waited_ms = 0; !l->has_ended; waited_ms += STEP_MS) {
		pid = wait_and_note(l, &status, WNOHANG);
		if (pid || !timeout_ms || l->pidfd >= 0 ||
		    (timeout_ms > 0 && waited_ms >= timeout_ms))
			break;
		poll(NULL, 0, STEP_MS); /* without a pidfd one can only look again */
	}
	if (pid < 0)
		return errf(-errno, "cannot wait for PID %d: %m", l->pid);
	if (!pid)
		return 0;
	l->pid = 0;
	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 1;
}

void launch_stop(struct launch *l)
{
	int status;

	if (l->go >= 0)
		close(take_fd(l->go)); /* a child that still waits ends by itself */
	if (l->failure >= 0)
		close(take_fd(l->failure));
	/* Of one that has ended the PID may be somebody else's. */
	if (l->pid && !l->has_ended) {
		kill(l->pid, SIGTERM);
		if (launch_wait(l, STOP_PATIENCE_MS, &status) == 0) {
			kill(l->pid, SIGKILL);
			wait_and_note(l, &status, 0);
		}
	}
	l->pid = 0;
	if (l->pidfd >= 0)
		close(take_fd(l->pidfd));
}
