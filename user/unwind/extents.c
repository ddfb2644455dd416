/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/unwind/extents.h"

#include "user/base/array.h"

void extents_init(struct extents *free_ones)
{
	*free_ones = (struct extents){ .n = 0 };
}

void extents_release(struct extents *free_ones)
{
	free(free_ones->at);
	extents_init(free_ones);
}

int extents_reserve(struct extents *free_ones, size_t n)
{
	return array_reserve(free_ones->at, free_ones->cap, free_ones->n + n);
}

/* The first one that does not end before 'start'. */
static size_t find_from(const struct extents *free_ones, uint32_t start)
{
	size_t low = 0, high = free_ones->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct extent *e = &free_ones->at[middle];

		if (e->start + e->n < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void insert(struct extents *free_ones, size_t i, uint32_t start, uint32_t n)
{
	memmove(&free_ones->at[i + 1], &free_ones->at[i],
		(free_ones->n - i) * sizeof(*free_ones->at));
	free_ones->at[i] = (struct extent){ .start = start, .n = n };
	free_ones->n++;
}

static void erase(struct extents *free_ones, size_t i)
{
	free_ones->n--;
	memmove(&free_ones->at[i], &free_ones->at[i + 1],
		(free_ones->n - i) * sizeof(*free_ones->at));
}

void extents_take(struct extents *free_ones, uint32_t start, uint32_t n)
{
	size_t i = find_from(free_ones, start);
	struct extent *e;
	uint32_t behind;

	/* One that ends where this begins is before it. */
	if (free_ones->at[i].start + free_ones->at[i].n == start)
		i++;
	e = &free_ones->at[i];
	behind = e->start + e->n - (start + n);
	e->n = start - e->start;
	if (behind && e->n)
		insert(free_ones, i + 1, start + n, behind);
	else if (behind)
		*e = (struct extent){ .start = start + n, .n = behind };
	else if (!e->n)
		erase(free_ones, i);
}

void extents_give(struct extents *free_ones, uint32_t start, uint32_t n)
{
	size_t i = find_from(free_ones, start);
	struct extent *e = free_ones->at + i;

	if (i < free_ones->n && e->start + e->n == start) {
		e->n += n;
		if (i + 1 < free_ones->n && e[1].start == start + n) {
			e->n += e[1].n;
			erase(free_ones, i + 1);
		}
	} else if (i < free_ones->n && e->start == start + n) {
		e->start = start;
		e->n += n;
	} else {
		insert(free_ones, i, start, n);
	}
}

uint32_t extents_find(const struct extents *free_ones, uint32_t n)
{
	size_t i;

	for (i = 0; i < free_ones->n; i++) {
		if (free_ones->at[i].n >= n)
			return free_ones->at[i].start;
	}
	return UINT32_MAX;
}
