/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * burn: spends 70, 20 and 10 % of its CPU time in burn_seventy, burn_twenty and burn_ten. With
 * "threads" as its second argument each of the three is a thread of its own name instead, and
 * with "children" a child process; then they work at the same time, in the same shares.
 *
 *   burn SECONDS [threads|children]	of CPU time: on a busy machine it merely takes longer
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spin.h"

BURN(burn_seventy)
BURN(burn_twenty)
BURN(burn_ten)

struct part {
	const char *name;
	void (*burn)(double seconds);
	double share;
	double seconds;
};

/* Each part has its own amount of CPU time: the shares hold whatever the scheduler does. */
static void *work(void *arg)
{
	const struct part *part = arg;

	prctl(PR_SET_NAME, part->name);
	while (thread_cpu() < part->share * part->seconds) {
		part->burn(part->share * 0.01);
		usleep((1 - part->share) * 10000);
	}
	return NULL;
}

static void in_turn(double seconds)
{
	double end = thread_cpu() + seconds; /* what went before exec is counted, too */

	while (thread_cpu() < end) {
		burn_seventy(0.007);
		burn_twenty(0.002);
		burn_ten(0.001);
	}
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 5;
	struct part parts[] = {
		{ "burn-70", burn_seventy, 0.7, seconds },
		{ "burn-20", burn_twenty, 0.2, seconds },
		{ "burn-10", burn_ten, 0.1, seconds },
	};
	pthread_t threads[3];
	int i;

	if (argc < 3) {
		in_turn(seconds);
		return 0;
	}
	for (i = 0; i < 3; i++) {
		if (!strcmp(argv[2], "threads")) {
			pthread_create(&threads[i], NULL, work, &parts[i]);
		} else if (fork() == 0) {
			work(&parts[i]);
			return 0;
		}
	}
	for (i = 0; i < 3; i++) {
		if (!strcmp(argv[2], "threads"))
			pthread_join(threads[i], NULL);
		else
			wait(NULL);
	}
	return 0;
}
