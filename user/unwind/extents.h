/* SPDX-License-Identifier: BSD-2-Clause */
/* extents: which parts of an array of up to 2^32 - 1 elements are free. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct extent {
	uint32_t start, n;
};

struct extents {
	struct extent *at; /* free ones in ascending order; two never touch */
	size_t n, cap;
};

void extents_init(struct extents *free_ones);
void extents_release(struct extents *free_ones);

/* Makes sure that 'n' extents can be given back before the next call of this. 0 or -ENOMEM. */
int extents_reserve(struct extents *free_ones, size_t n);

/* Takes 'n' elements from 'start' on, which are free. Room for one extent must be reserved. */
void extents_take(struct extents *free_ones, uint32_t start, uint32_t n);

/* Gives elements back, which are not free. Room for one extent must be reserved. */
void extents_give(struct extents *free_ones, uint32_t start, uint32_t n);

/* The start of the first 'n' free elements in a row, or UINT32_MAX. */
uint32_t extents_find(const struct extents *free_ones, uint32_t n);
