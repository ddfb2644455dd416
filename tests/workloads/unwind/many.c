/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * many: has many children that sleep, while it works itself: main, works_on, many_burn.
 *
 *   many SECONDS [CHILDREN]	(default: 2000)
 */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chain.h"

BURN(many_burn)

static NOINLINE void works_on(double seconds)
{
	many_burn(seconds);
	STAY();
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 2000, i;

	signal(SIGTERM, SIG_IGN); /* of the group's, in the end */
	setpgid(0, 0);
	for (i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("many: fork");
			break;
		}
		if (pid == 0) {
			signal(SIGTERM, SIG_DFL);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pause();
			_exit(0);
		}
	}
	works_on(seconds_of(argc, argv));
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
	return i == n ? 0 : 1;
}
