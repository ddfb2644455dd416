/* SPDX-License-Identifier: BSD-2-Clause */
/* counters: what the CPU itself counts of a command and its children, by perf_event_open(2). */
#pragma once

#include <sys/types.h>

enum {
	COUNTER_INSTRUCTIONS,
	COUNTER_CYCLES,
	COUNTER_CACHE_MISSES,
	COUNTER_BRANCH_MISSES,
	COUNTERS
};

struct counters {
	int fds[COUNTERS]; /* -1: there is none */
};

/* Counting begins when 'pid' executes a program. */
void counters_open(struct counters *c, pid_t pid);

/* NAN for what is not counted here; extrapolated where the CPU had to share its counters. Closes
 * them. */
void counters_read(struct counters *c, double ret[COUNTERS]);
