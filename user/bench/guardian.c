/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"

/* Told a session, it remembers; told 0, it leaves; told nothing more, we are dead. */
static void __attribute__((noreturn)) guard(int told)
{
	pid_t session = 0, next;
	sigset_t all;
	ssize_t n;

	/* Whoever ends our process group does not mean the one who cleans up behind it. */
	setsid();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	/* Locks and pipes of ours are not to live on in it. */
	if (dup2(told, STDIN_FILENO) < 0)
		_exit(1);
	syscall(SYS_close_range, STDIN_FILENO + 1, ~0u, 0);
	do {
		n = read(STDIN_FILENO, &next, sizeof(next));
		if (n == sizeof(next) && !next)
			_exit(0);
		if (n == sizeof(next))
			session = next;
	} while (n == sizeof(next) || (n < 0 && errno == EINTR));
	if (session > 1)
		kill(-session, SIGKILL);
	_exit(0);
}

int guardian_start(struct guardian *ret)
{
	struct guardian g = { .tell = -1 };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return errf(-errno, "cannot prepare to start a command: %m");
	g.pid = fork();
	if (!g.pid) {
		close(ends[1]);
		guard(ends[0]);
	}
	close(ends[0]);
	g.tell = ends[1];
	if (g.pid < 0) {
		int err = errf(-errno, "cannot fork to start a command: %m");

		close(g.tell);
		return err;
	}
	*ret = g;
	return 0;
}

int guardian_watch(struct guardian *g, pid_t session)
{
	return write(g->tell, &session, sizeof(session)) == sizeof(session)
		       ? 0
		       : errf(-EPIPE, "who would end a command behind us has ended");
}

void guardian_end(struct guardian *g)
{
	pid_t none = 0;

	if (g->pid <= 0)
		return;
	/* If it cannot be told it is not there any more, or is ended. */
	if (write(g->tell, &none, sizeof(none)) != sizeof(none))
		kill(g->pid, SIGKILL);
	closep(&g->tell);
	g->tell = -1;
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		;
	g->pid = 0;
}
