/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/unwind/fde_list.h"

#include <errno.h>

#define RADIX_BITS 8
#define RADIX	   (1u << RADIX_BITS)

/* 0 if they are sorted, else the largest address. */
static uint32_t unsorted_up_to(const struct frame_fde *fdes, size_t n)
{
	uint32_t max = 0;
	bool sorted = true;
	size_t i;

	for (i = 0; i < n; i++) {
		if (fdes[i].start < max)
			sorted = false;
		else
			max = fdes[i].start;
	}
	return sorted ? 0 : max;
}

static void sort_round(const struct frame_fde *from, size_t n, unsigned int shift,
		       struct frame_fde *to)
{
	uint32_t place[RADIX] = { 0 }, sum = 0, count;
	size_t i;

	for (i = 0; i < n; i++)
		place[from[i].start >> shift & (RADIX - 1)]++;
	for (i = 0; i < RADIX; i++) {
		count = place[i];
		place[i] = sum;
		sum += count;
	}
	for (i = 0; i < n; i++)
		to[place[from[i].start >> shift & (RADIX - 1)]++] = from[i];
}

/* By address; equal ones keep their order. Linear, since a hostile file chooses the order. */
static int sort(struct frame_entries *e)
{
	uint32_t max = unsorted_up_to(e->fdes, e->n_fdes);
	_cleanup_(freep) struct frame_fde *to = NULL;
	unsigned int shift;

	if (!max)
		return 0;
	to = malloc(e->n_fdes * sizeof(*to));
	if (!to)
		return -ENOMEM;
	for (shift = 0; shift < 32 && max >> shift; shift += RADIX_BITS) {
		struct frame_fde *from = e->fdes;

		sort_round(from, e->n_fdes, shift, to);
		e->fdes = to;
		to = from;
	}
	e->cap_fdes = e->n_fdes;
	return 0;
}

static void cut_overlaps(struct frame_entries *e, size_t *n_overlaps)
{
	struct frame_fde *last = NULL;
	size_t i, n = 0;

	for (i = 0; i < e->n_fdes; i++) {
		const struct frame_fde *fde = &e->fdes[i];

		if (last && fde->start < last->end)
			++*n_overlaps;
		if (last && fde->start == last->start)
			continue;
		if (last && fde->start < last->end)
			last->end = fde->start;
		last = &e->fdes[n++];
		*last = *fde;
	}
	e->n_fdes = n;
}

/* All of 'eh', and what of 'debug' lies between. */
static void merge(const struct frame_entries *eh, const struct frame_entries *debug,
		  struct fde_list *list)
{
	size_t i = 0, j = 0;

	while (i < eh->n_fdes || j < debug->n_fdes) {
		const struct frame_fde *a = &eh->fdes[i], *b = &debug->fdes[j];

		if (j == debug->n_fdes || (i < eh->n_fdes && a->start <= b->start)) {
			list->at[list->n++] = *a;
			i++;
			continue;
		}
		if ((i == eh->n_fdes || b->end <= a->start) && (i == 0 || a[-1].end <= b->start))
			list->at[list->n++] = *b;
		j++;
	}
}

int fde_list_make(struct fde_list *list, struct frame_entries *eh, struct frame_entries *debug)
{
	if (sort(eh) || sort(debug))
		return -ENOMEM;
	cut_overlaps(eh, &list->n_overlaps);
	cut_overlaps(debug, &list->n_overlaps);
	if (!eh->n_fdes || !debug->n_fdes) {
		struct frame_entries *only = eh->n_fdes ? eh : debug;

		list->at = take(only->fdes);
		list->n = only->n_fdes;
		return 0;
	}
	list->at = malloc((eh->n_fdes + debug->n_fdes) * sizeof(*list->at));
	if (!list->at)
		return -ENOMEM;
	merge(eh, debug, list);
	return 0;
}

void fde_list_release(struct fde_list *list)
{
	free(list->at);
	*list = (struct fde_list){ .n = 0 };
}
