/* SPDX-License-Identifier: BSD-2-Clause */
/* array: arrays that grow, as a pointer and a capacity. */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Makes room for 'need' elements of 'size' bytes in the block at *ptr, which has room for *cap;
 * new room is not initialized. Returns 0, or -ENOMEM with everything as it was.
 */
static inline int array_reserve_bytes(void **ptr, size_t *cap, size_t need, size_t size)
{
	size_t new_cap = *cap ? *cap : 8, bytes;
	void *p;

	if (need <= *cap)
		return 0;
	while (new_cap < need) {
		if (__builtin_mul_overflow(new_cap, (size_t)2, &new_cap))
			return -ENOMEM;
	}
	if (__builtin_mul_overflow(new_cap, size, &bytes))
		return -ENOMEM;
	p = realloc(*ptr, bytes);
	if (!p)
		return -ENOMEM;
	*ptr = p;
	*cap = new_cap;
	return 0;
}

/* The same for a typed pointer variable. */
#define array_reserve(ptr, cap, need)                                                    \
	({                                                                               \
		void *__block = (ptr);                                                   \
		int __err = array_reserve_bytes(&__block, &(cap), need, sizeof(*(ptr))); \
		(ptr) = __block;                                                         \
		__err;                                                                   \
	})

/* A map of n numbers (and at least one) that are all UINT32_MAX, "none" everywhere; NULL if there
 * is no memory. */
static inline uint32_t *array_of_none(size_t n)
{
	uint32_t *map = n < SIZE_MAX / sizeof(*map) ? malloc((n + 1) * sizeof(*map)) : NULL;

	if (map)
		memset(map, 0xff, (n + 1) * sizeof(*map));
	return map;
}
