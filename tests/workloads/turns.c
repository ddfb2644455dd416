/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * turns: spins in turn_even and turn_odd, half a second each, and leaves in FILE when each turn
 * began and ended, and its CPU time: "NAME FROM TO CPU", nanoseconds of the wall clock.
 *
 *   turns N FILE
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "spin.h"

#define TURN_S 0.5

static volatile unsigned long sink;

/* It looks at the clock seldom, so that nearly all samples are in the function itself. */
#define TURN(name)                                         \
	__attribute__((noinline)) void name(double until); \
	__attribute__((noinline)) void name(double until)  \
	{                                                  \
		unsigned long i;                           \
                                                           \
		do {                                       \
			for (i = 0; i < 20000; i++)        \
				sink = sink * 31 + i;      \
		} while (now() < until);                   \
	}

TURN(turn_even)
TURN(turn_odd)

static uint64_t wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	FILE *out = argc == 3 ? fopen(argv[2], "we") : NULL;
	double start = now();
	int n, i;

	if (!out) {
		fprintf(stderr, "usage: turns N FILE\n");
		return 2;
	}
	n = atoi(argv[1]);
	for (i = 0; i < n; i++) {
		uint64_t from = wall_ns();
		double cpu = thread_cpu();

		if (i % 2)
			turn_odd(start + TURN_S * (i + 1));
		else
			turn_even(start + TURN_S * (i + 1));
		fprintf(out, "%s %llu %llu %.0f\n", i % 2 ? "turn_odd" : "turn_even",
			(unsigned long long)from, (unsigned long long)wall_ns(),
			(thread_cpu() - cpu) * 1e9);
	}
	return fclose(out) ? 1 : 0;
}
