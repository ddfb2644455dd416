/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gaps: what interruptions cost the interrupted. Below DEPTH frames (default 30) it reads the clock
 * again and again for SECONDS on one CPU, with real-time priority so that no other program has its
 * turn there; where two readings lie far apart, the CPU did something else. Gaps beyond a tenth of
 * a millisecond are not interruptions (but the hypervisor, or the limit of real-time priority) and
 * not counted. Prints JSON:
 *   {"seconds": spent here, "gaps": how many, "gap_ns": their sum, "floor_ns": the smallest
 * counted}
 *
 *   gaps CPU SECONDS [DEPTH]
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define GAP_MIN_NS 500
#define GAP_MAX_NS 100000

static uint64_t gaps, gap_ns, away_ns;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

__attribute__((noinline)) static void watch(uint64_t end)
{
	uint64_t last = now_ns(), at, gap;

	while (last < end) {
		at = now_ns();
		gap = at - last;
		last = at;
		if (gap > GAP_MAX_NS) {
			away_ns += gap;
		} else if (gap >= GAP_MIN_NS) {
			gaps++;
			gap_ns += gap;
		}
	}
}

__attribute__((noinline)) static void descend(int depth, uint64_t end)
{
	static volatile int sink;

	if (depth > 0)
		descend(depth - 1, end);
	else
		watch(end);
	sink++;
}

int main(int argc, char **argv)
{
	struct sched_param first = { .sched_priority = 1 };
	int depth = argc > 3 ? atoi(argv[3]) : 30;
	uint64_t begin;
	cpu_set_t cpus;

	if (argc < 3) {
		fprintf(stderr, "usage: gaps CPU SECONDS [DEPTH]\n");
		return 2;
	}
	CPU_ZERO(&cpus);
	CPU_SET(atoi(argv[1]), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus)) {
		perror("gaps");
		return 3;
	}
	if (sched_setscheduler(0, SCHED_FIFO, &first))
		perror("gaps: no real-time priority");
	begin = now_ns();
	descend(depth, begin + (uint64_t)(atof(argv[2]) * 1e9));
	printf("{\"seconds\": %.6f, \"gaps\": %llu, \"gap_ns\": %llu, \"floor_ns\": %d}\n",
	       (now_ns() - begin - away_ns) / 1e9, (unsigned long long)gaps,
	       (unsigned long long)gap_ns, GAP_MIN_NS);
	return 0;
}
