/* SPDX-License-Identifier: BSD-2-Clause */
/* spin: how workloads spend CPU time that is known, and the clocks they do it by, in seconds. */
#pragma once

#include <time.h>

static inline double clock_seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* CPU time of the calling thread. */
static inline double thread_cpu(void)
{
	return clock_seconds(CLOCK_THREAD_CPUTIME_ID);
}

static inline double now(void)
{
	return clock_seconds(CLOCK_MONOTONIC);
}

/*
 * Defines NAME(seconds), which spins for so much CPU time itself. It looks at the clock seldom, so
 * that nearly all samples are in NAME and not in the clock.
 */
#define BURN(name)                                           \
	__attribute__((noinline)) void name(double seconds); \
	__attribute__((noinline)) void name(double seconds)  \
	{                                                    \
		static volatile unsigned long sink;          \
		double end = thread_cpu() + seconds;         \
		unsigned long i;                             \
                                                             \
		do {                                         \
			for (i = 0; i < 20000; i++)          \
				sink = sink * 31 + i;        \
		} while (thread_cpu() < end);                \
	}
