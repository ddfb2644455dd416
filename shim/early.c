/* SPDX-License-Identifier: BSD-2-Clause */
#include "shim/early.h"

#include <errno.h>
#include <stdint.h>

#include "shim/filter.h"

#define HEADER 16 /* the size is before each block */

static char arena[32768] __attribute__((aligned(4096)));
static size_t used;

void *early_alloc(size_t bytes, size_t align)
{
	size_t old = __atomic_load_n(&used, __ATOMIC_RELAXED), at;

	if (align < HEADER)
		align = HEADER;
	do {
		at = (old + HEADER + align - 1) & ~(align - 1);
		if (align > sizeof(arena) || bytes > sizeof(arena) || at > sizeof(arena) - bytes) {
			errno = ENOMEM;
			return NULL;
		}
	} while (!__atomic_compare_exchange_n(&used, &old, at + bytes, true, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	*(size_t *)(arena + at - sizeof(size_t)) = bytes;
	filter_mark(arena, sizeof(arena));
	return arena + at;
}

bool early_has(const void *p)
{
	return (uintptr_t)p - (uintptr_t)arena < sizeof(arena);
}

size_t early_size(const void *p)
{
	return *(const size_t *)((const char *)p - sizeof(size_t));
}
