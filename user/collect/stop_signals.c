/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/stop_signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "user/base/err.h"

int stop_signals_catch(int *ret)
{
	struct sigaction hangup;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set,
		  SIGINT); /* even if ignored: shells do that to what runs in the background */
	sigaddset(&set, SIGTERM);
	/* What nohup has ignored for us stays so. */
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return errf(-errno, "cannot block signals: %m");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return errf(-errno, "cannot wait for signals: %m");
	*ret = fd;
	return 0;
}

int stop_signals_came(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == sizeof(info);
}
