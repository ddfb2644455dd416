/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ranges: which addresses belong to anonymous mappings that were told of, each with the number of
 * its mapping, sorted, in memory of its own. All zero is an empty table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
	uintptr_t start, end;
	uint64_t id;
};
struct ranges {
	uint32_t lock;
	uint64_t serial; /* of the last mapping */
	struct range *all;
	size_t n, cap;
};

/*
 * One thread at a time, and no signal handler in it: one that maps memory, too, would wait for the
 * very thread that it has interrupted. Returns the signal mask of before.
 */
uint64_t ranges_lock(struct ranges *r);
void ranges_unlock(struct ranges *r, uint64_t signals);

/* A new mapping, where nothing is: its number, which is odd and no block's address; 0 if there is
 * no memory to keep it in. */
uint64_t ranges_add(struct ranges *r, uintptr_t start, uintptr_t end);

/* Takes away the first piece of what is known between 'start' and 'end'; false if there is none. */
bool ranges_cut(struct ranges *r, uintptr_t start, uintptr_t end, uint64_t *ret_id,
		uint64_t *ret_bytes);

/* What is known between 'start' and 'end' is at 'to' now, where nothing is known. */
void ranges_move(struct ranges *r, uintptr_t start, uintptr_t end, uintptr_t to);

bool ranges_has(const struct ranges *r, uintptr_t address);
