/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * marker: keeps a CPU busy for ever and calls itself "@MILLISECONDS", the time of CLOCK_MONOTONIC,
 * so that a profile's samples tell by their comm when they were taken, whatever the profiler says.
 * With "idle" it runs only while nothing else wants the CPU.
 *
 *   marker CPU [idle]
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

int main(int argc, char **argv)
{
	struct sched_param param = { 0 };
	uint64_t ms, last = 0;
	struct timespec ts;
	cpu_set_t cpus;
	char name[24];

	if (argc < 2) {
		fprintf(stderr, "usage: marker CPU [idle]\n");
		return 2;
	}
	CPU_ZERO(&cpus);
	CPU_SET(atoi(argv[1]), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) ||
	    (argc > 2 && !strcmp(argv[2], "idle") && sched_setscheduler(0, SCHED_IDLE, &param))) {
		perror("marker");
		return 3;
	}
	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		ms = ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
		if (ms == last)
			continue;
		snprintf(name, sizeof(name), "@%llu", (unsigned long long)ms);
		prctl(PR_SET_NAME, name);
		last = ms;
	}
}
