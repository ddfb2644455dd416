/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gaps: what interruptions cost the interrupted. Below DEPTH frames (default 30) it reads the clock
 * again and again for SECONDS on one CPU, with real-time priority so that no other program has its
 * turn there; where two readings lie far apart, the CPU did something else. Gaps beyond a tenth of
 * a millisecond are not interruptions (but the hypervisor, or the limit of real-time priority) and
 * not counted. Prints JSON:
 *   {"seconds": spent here, "gaps": how many, "gap_ns": their sum, "quartile_ns": the lower}
 *
 *   gaps CPU SECONDS [DEPTH]
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Below this is what the CPU itself does, a refill of a cache for instance. */
#define GAP_MIN_NS 5000
#define GAP_MAX_NS 100000

#define GAPS_MAX 1000000

static uint32_t gaps[GAPS_MAX];
static size_t n_gaps;
static uint64_t gap_ns, away_ns;

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
		} else if (gap >= GAP_MIN_NS && n_gaps < GAPS_MAX) {
			gaps[n_gaps++] = gap;
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

static int by_size(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
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
	begin = now_ns() - begin - away_ns;
	qsort(gaps, n_gaps, sizeof(*gaps), by_size);
	printf("{\"seconds\": %.6f, \"gaps\": %zu, \"gap_ns\": %llu, \"quartile_ns\": %u}\n",
	       begin / 1e9, n_gaps, (unsigned long long)gap_ns, gaps[n_gaps / 4]);
	return 0;
}
