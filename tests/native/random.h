/* SPDX-License-Identifier: BSD-2-Clause */
/* random: numbers for property tests, the same in every run. */
#pragma once

#include <stdint.h>

static uint64_t random_state = 20260417;

/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016). */
static inline uint32_t random_below(uint32_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1dULL >> 33) % n;
}
