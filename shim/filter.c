/* SPDX-License-Identifier: BSD-2-Clause */
#include "shim/filter.h"

#include <string.h>

#include "shim/own_memory.h"

#define SLOTS	    7
#define MIN_BUCKETS (1ull << 14)
#define MAX_BUCKETS (1ull << 18) /* 16 MiB, which a child copies page by page */

struct bucket {
	uint64_t slots[SLOTS];	/* 0: free */
	uint64_t has_overflown; /* for good: whose address found no room is not known */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct bucket) == 64, "a cache line");

uint8_t filter_counters[FILTER_COUNTERS];

static struct bucket *buckets; /* NULL: all pass */
static uint64_t n_buckets;     /* a power of two */

void filter_start(uint64_t interval_bytes)
{
	uint64_t n = MIN_BUCKETS;

	while (n < MAX_BUCKETS && n < (1ull << 31) / interval_bytes)
		n *= 2;
	buckets = own_memory(n * sizeof(*buckets));
	n_buckets = n;
	if (!buckets)
		filter_pass_all();
}

void filter_pass_all(void)
{
	memset(filter_counters, FILTER_SATURATED, sizeof(filter_counters));
}

void filter_mark(const void *start, size_t bytes)
{
	const char *at = start, *end = at + bytes;

	for (; at < end; at += 512)
		__atomic_store_n(filter_counter(at), FILTER_SATURATED, __ATOMIC_RELAXED);
	__atomic_store_n(filter_counter(end - 1), FILTER_SATURATED, __ATOMIC_RELAXED);
}

static void count(const void *address, int change)
{
	uint8_t *counter = filter_counter(address), old;

	old = __atomic_load_n(counter, __ATOMIC_RELAXED);
	while (old != FILTER_SATURATED &&
	       !__atomic_compare_exchange_n(counter, &old, old + change, true, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED))
		;
}

static struct bucket *bucket_of(const void *address)
{
	uint64_t h = (uintptr_t)address * 0x9e3779b97f4a7c15ull;

	return &buckets[h >> 32 & (n_buckets - 1)];
}

static bool replace(struct bucket *b, uint64_t old, uint64_t new)
{
	uint64_t have;
	int i;

	for (i = 0; i < SLOTS; i++) {
		have = __atomic_load_n(&b->slots[i], __ATOMIC_RELAXED);
		if (have == old && __atomic_compare_exchange_n(&b->slots[i], &have, new, false,
							       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

void filter_put(const void *address)
{
	struct bucket *b;

	if (!buckets)
		return;
	b = bucket_of(address);
	if (!replace(b, 0, (uintptr_t)address))
		__atomic_store_n(&b->has_overflown, 1, __ATOMIC_RELAXED);
	count(address, 1);
}

bool filter_take(const void *address)
{
	struct bucket *b;

	if (!buckets)
		return true;
	b = bucket_of(address);
	if (!replace(b, (uintptr_t)address, 0))
		return __atomic_load_n(&b->has_overflown, __ATOMIC_RELAXED);
	count(address, -1);
	return true;
}

uint64_t filter_count(void)
{
	uint64_t i, n = 0;
	int k;

	for (i = 0; buckets && i < n_buckets; i++) {
		for (k = 0; k < SLOTS; k++)
			n += buckets[i].slots[k] != 0;
	}
	return n;
}
