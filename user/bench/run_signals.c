/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/run_signals.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "user/base/err.h"

int run_signals_init(struct run_signals *s)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	struct run_signals made = { .fd = -1 };
	struct sigaction hangup;
	sigset_t set;

	sigemptyset(&set);
	/* Even if ignored: shells do that to what runs in the background. */
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	/* What nohup has ignored for us stays so. */
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	made.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (made.fd < 0)
		return errf(-errno, "cannot wait for signals: %m");
	if (prctl(PR_GET_CHILD_SUBREAPER, &made.was_subreaper) ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1) || sigprocmask(SIG_BLOCK, &set, &made.mask)) {
		int err = errf(-errno, "cannot prepare to run commands: %m");

		close(made.fd);
		return err;
	}
	/* Ignored, children would vanish before they are waited for. */
	sigaction(SIGCHLD, &standard, &made.child);
	*s = made;
	return 0;
}

bool run_signals_take(struct run_signals *s)
{
	struct signalfd_siginfo info;
	bool any = false;

	while (read(s->fd, &info, sizeof(info)) == sizeof(info))
		any = true;
	return any;
}

void run_signals_release(struct run_signals *s)
{
	run_signals_take(s);
	close(s->fd);
	sigaction(SIGCHLD, &s->child, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, s->was_subreaper);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
}
