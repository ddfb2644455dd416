/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter: the addresses of kept blocks, so that a free of another block costs a look at one byte.
 * Two levels: counters of kept blocks for each 512 bytes of address space, folded to 2^16; behind
 * them the set of addresses, in buckets of a cache line. Without locks: of one address there is one
 * owner at a time, its program's, and what orders the program's own use of a block orders ours.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILTER_COUNTERS	 (1u << 16)
#define FILTER_SATURATED 255 /* is never counted down */

extern uint8_t filter_counters[FILTER_COUNTERS] __attribute__((visibility("hidden")));

/* Neighbours are neighbours here, too, or each free would fetch a cache line. */
static inline uint8_t *filter_counter(const void *address)
{
	uintptr_t a = (uintptr_t)address;

	return &filter_counters[(a >> 9 ^ a >> 25) & (FILTER_COUNTERS - 1)];
}

/* Whether the block may be one that was kept, or one that is to be looked at for another reason. */
static inline bool filter_may_hold(const void *address)
{
	return __builtin_expect(__atomic_load_n(filter_counter(address), __ATOMIC_RELAXED) != 0, 0);
}

/*
 * Room for 4 GiB of blocks at this mean interval, from 1 MiB to 16 MiB of memory. What finds no
 * room passes, and so do all blocks if there is no memory at all.
 */
void filter_start(uint64_t interval_bytes);

/* All blocks pass, and no set is kept. */
void filter_pass_all(void);

/* Blocks in these bytes are looked at. */
void filter_mark(const void *start, size_t bytes);

void filter_put(const void *address);

/* Takes an address out; false if it was not in. True of others, too, where all must pass. */
bool filter_take(const void *address);

/* Addresses that are in the set now, by counting them. */
uint64_t filter_count(void);
