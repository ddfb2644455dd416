/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/addr_table.h"

#include <stdlib.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"

#define BLOCK 64 /* starts: eight cache lines */

/* What a sweep from low to high addresses has to remember. */
struct sweep {
	const struct addr_range *ranges;
	uint32_t *heap; /* ranges that have begun, the highest order on top */
	size_t n_heap, heap_cap;
	uint64_t *starts;
	struct addr_piece *pieces;
	size_t n, starts_cap, pieces_cap;
};

static int compare_ranges(const void *a, const void *b)
{
	const struct addr_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void sort_ranges(struct addr_range *ranges, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++) {
		if (compare_ranges(&ranges[i - 1], &ranges[i]) > 0) {
			qsort(ranges, n, sizeof(*ranges), compare_ranges);
			return;
		}
	}
}

static uint64_t range_end(const struct addr_range *r)
{
	if (r->end <= r->start)
		return r->start;
	return r->end - r->start > UINT32_MAX ? r->start + UINT32_MAX : r->end;
}

static bool wins(const struct sweep *s, size_t a, size_t b)
{
	return s->ranges[s->heap[a]].order > s->ranges[s->heap[b]].order;
}

static void swap(struct sweep *s, size_t a, size_t b)
{
	uint32_t t = s->heap[a];

	s->heap[a] = s->heap[b];
	s->heap[b] = t;
}

static int heap_push(struct sweep *s, uint32_t range)
{
	size_t i = s->n_heap;

	if (array_reserve(s->heap, s->heap_cap, s->n_heap + 1))
		return -ENOMEM;
	s->heap[s->n_heap++] = range;
	for (; i && wins(s, i, (i - 1) / 2); i = (i - 1) / 2)
		swap(s, i, (i - 1) / 2);
	return 0;
}

static void heap_pop(struct sweep *s)
{
	size_t i = 0, child;

	s->heap[0] = s->heap[--s->n_heap];
	while ((child = 2 * i + 1) < s->n_heap) {
		if (child + 1 < s->n_heap && wins(s, child + 1, child))
			child++;
		if (!wins(s, child, i))
			break;
		swap(s, i, child);
		i = child;
	}
}

static int emit(struct sweep *s, uint64_t start, uint64_t end, const struct addr_range *r)
{
	struct addr_piece *last = s->n ? &s->pieces[s->n - 1] : NULL;

	/* A range that began below this one and lost has cut it here for nothing. */
	if (last && last->value == r->value && s->starts[s->n - 1] + last->size == start &&
	    s->starts[s->n - 1] - last->back == r->start) {
		last->size += end - start;
		return 0;
	}
	if (array_reserve(s->starts, s->starts_cap, s->n + 1) ||
	    array_reserve(s->pieces, s->pieces_cap, s->n + 1))
		return -ENOMEM;
	s->starts[s->n] = start;
	s->pieces[s->n++] = (struct addr_piece){
		.size = end - start,
		.back = start - r->start,
		.value = r->value,
	};
	return 0;
}

static int sweep_ranges(struct sweep *s, size_t n)
{
	uint64_t at = 0, end;
	size_t i = 0;

	for (;;) {
		while (s->n_heap && range_end(&s->ranges[s->heap[0]]) <= at)
			heap_pop(s);
		if (!s->n_heap) {
			if (i == n)
				return 0;
			at = s->ranges[i].start;
		}
		for (; i < n && s->ranges[i].start <= at; i++) {
			if (range_end(&s->ranges[i]) > at && heap_push(s, i))
				return -ENOMEM;
		}
		if (!s->n_heap)
			continue;
		end = range_end(&s->ranges[s->heap[0]]);
		if (i < n && s->ranges[i].start < end)
			end = s->ranges[i].start;
		if (emit(s, at, end, &s->ranges[s->heap[0]]))
			return -ENOMEM;
		at = end;
	}
}

/* A block that doubled on its way may be half empty for as long as the program runs. */
static void *shrink(void *block, size_t bytes)
{
	void *p = bytes ? realloc(block, bytes) : NULL;

	return p ? p : block;
}

static uint64_t *index_starts(const uint64_t *starts, size_t n)
{
	uint64_t *index = n ? malloc((n + BLOCK - 1) / BLOCK * sizeof(*index)) : NULL;
	size_t i;

	for (i = 0; index && i < n; i += BLOCK)
		index[i / BLOCK] = starts[i];
	return index;
}

int addr_table_init(struct addr_table *table, struct addr_range *ranges, size_t n)
{
	struct sweep s = { .ranges = ranges };
	int err;

	if (n > UINT32_MAX)
		return -ENOMEM;
	sort_ranges(ranges, n);
	err = sweep_ranges(&s, n);
	free(s.heap);
	if (err) {
		free(s.starts);
		free(s.pieces);
		return err;
	}
	table->every_64th = index_starts(s.starts, s.n);
	if (s.n && !table->every_64th) {
		free(s.starts);
		free(s.pieces);
		return -ENOMEM;
	}
	table->starts = shrink(s.starts, s.n * sizeof(*s.starts));
	table->pieces = shrink(s.pieces, s.n * sizeof(*s.pieces));
	table->n = s.n;
	return 0;
}

void addr_table_release(struct addr_table *table)
{
	free(table->starts);
	free(table->every_64th);
	free(table->pieces);
	*table = (struct addr_table){ 0 };
}

/* The last of 'n' sorted numbers that is not above 'address', which the first is not either. */
static size_t last_below(const uint64_t *numbers, size_t n, uint64_t address)
{
	const uint64_t *base = numbers;
	size_t half;

	while (n > 1) {
		half = n / 2;
		base = base[half] <= address ? base + half : base;
		n -= half;
	}
	return base - numbers;
}

bool addr_table_find(const struct addr_table *table, uint64_t address, uint32_t *ret_value,
		     uint64_t *ret_offset)
{
	const struct addr_piece *piece;
	size_t n = table->n, i;

	if (!n || address < table->starts[0])
		return false;
	i = last_below(table->every_64th, (n + BLOCK - 1) / BLOCK, address) * BLOCK;
	i += last_below(table->starts + i, n - i < BLOCK ? n - i : BLOCK, address);
	piece = &table->pieces[i];
	if (address - table->starts[i] >= piece->size)
		return false;
	*ret_value = piece->value;
	*ret_offset = address - table->starts[i] + piece->back;
	return true;
}
