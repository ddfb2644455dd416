/* SPDX-License-Identifier: BSD-2-Clause */
/* canary: work that never changes, so that its time tells of the machine (environment.h). */
#include "user/base/clock.h"
#include "user/bench/environment.h"

#define WORDS 16384  /* 64 KiB: more than a first-level cache, less than a second-level one */
#define STEPS 450000 /* about a millisecond at 3 GHz */

static uint32_t words[WORDS];

/* Each step needs the last one's result: a multiplication and a read that wait for each other. */
static uint64_t __attribute__((noinline)) chain(void)
{
	uint64_t x = 1;
	int i;

	for (i = 0; i < STEPS; i++)
		x = x * 6364136223846793005u + words[x >> 50];
	return x;
}

uint64_t canary_ns(unsigned int rounds)
{
	static volatile uint64_t sink;
	uint64_t best = UINT64_MAX, start, took;
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		words[i] = i * 2654435761u | 1;
	for (i = 0; i < rounds; i++) {
		start = clock_ns(CLOCK_MONOTONIC);
		sink = chain();
		took = clock_ns(CLOCK_MONOTONIC) - start;
		if (took < best)
			best = took;
	}
	(void)sink;
	return rounds ? best : 0;
}
