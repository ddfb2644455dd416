/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chain: how these workloads keep their calls as they are written: without frame pointers, with
 * full optimisation, but neither inlined nor turned into jumps.
 */
#pragma once

#include <stdlib.h>

#include "../spin.h"

#ifdef __clang__
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE __attribute__((noinline, noclone))
#endif

/* Behind a call: it is not the last thing that its caller does, so it is no tail call. */
#define STAY() __asm__ volatile("" ::: "memory")

/* CPU time of the process: on a busy machine a workload merely takes longer. */
static inline double cpu_now(void)
{
	return clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static inline double seconds_of(int argc, char **argv)
{
	return argc > 1 ? atof(argv[1]) : 1;
}
