/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sampling: what a thread knows of its own allocations, and the decision which of them are kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/ranges.h"

struct sampling_thread {
	int64_t left;	     /* bytes before the next point; a block that has more has it, too */
	const void *last;    /* the block that this thread was given last */
	uint64_t random;     /* state of its draws; seeded when ... */
	uint64_t generation; /* ... this is that of the process; 0: never */
	unsigned nested;     /* calls of an allocator by an allocator */
};
extern __thread struct sampling_thread sampling_me
	__attribute__((visibility("hidden"), tls_model("initial-exec")));

/* Of the process; zero in a child after fork, where it is made anew. */
struct sampling_process {
	uint64_t generation; /* 0: not yet known */
	uint64_t threads;    /* that have drawn */
	struct ranges ranges;
};
extern struct sampling_process *sampling_process __attribute__((visibility("hidden")));

/*
 * The thread has used up its bytes, and a block is given out: what it stands for if it is kept
 * (SHIM_WEIGHT_ONE: itself), which is noted, or 0. errno stays as it was.
 */
uint64_t sampling_weigh(const void *address, size_t bytes);

/* The block's mark was found, and it is to be freed: whether that is to be told. */
bool sampling_forgets(const void *address);

/* It was not freed after all. */
void sampling_remembers(const void *address);

/* Whether anonymous mappings are followed. */
bool sampling_has_maps(void);

/*
 * Around what other functions than malloc() ask the allocator for: what it asks for in turn, by
 * names that this library stands before, is no allocation of the program's.
 */
static inline int64_t sampling_nest(void)
{
	int64_t left = sampling_me.left;

	sampling_me.left = INT64_MAX;
	sampling_me.nested++;
	return left;
}

static inline void sampling_unnest(int64_t left)
{
	sampling_me.left = left;
	sampling_me.nested--;
}
