/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/unwind/fde_list.h"

#include <errno.h>

#define RADIX_BITS 11
#define RADIX	   (1u << RADIX_BITS)

struct items {
	struct fde_list_item *at;
	size_t n;
};

static bool is_sorted(const struct items *items)
{
	size_t i;

	for (i = 1; i < items->n; i++) {
		if (items->at[i].start < items->at[i - 1].start)
			return false;
	}
	return true;
}

/* By address; equal ones keep their order. Linear, since a hostile file chooses the order. */
static int sort(struct items *items)
{
	struct fde_list_item *from = items->at, *to, *swap;
	unsigned int shift;
	size_t i;

	if (is_sorted(items))
		return 0;
	to = malloc(items->n * sizeof(*to));
	if (!to)
		return -ENOMEM;
	for (shift = 0; shift < 32; shift += RADIX_BITS) {
		size_t place[RADIX + 1] = { 0 };

		for (i = 0; i < items->n; i++)
			place[(from[i].start >> shift & (RADIX - 1)) + 1]++;
		for (i = 1; i < RADIX; i++)
			place[i] += place[i - 1];
		for (i = 0; i < items->n; i++)
			to[place[from[i].start >> shift & (RADIX - 1)]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	free(to);
	items->at = from;
	return 0;
}

static void cut_overlaps(struct items *items, size_t *n_overlaps)
{
	struct fde_list_item *last = NULL;
	size_t i, n = 0;

	for (i = 0; i < items->n; i++) {
		const struct fde_list_item *item = &items->at[i];

		if (last && item->start < last->end)
			++*n_overlaps;
		if (last && item->start == last->start)
			continue;
		if (last && item->start < last->end)
			last->end = item->start;
		last = &items->at[n++];
		*last = *item;
	}
	items->n = n;
}

/* The linker leaves what .debug_frame says about functions that it drops at address 0. */
static bool is_dropped(const struct frame_entries *e, const struct frame_fde *fde)
{
	return fde->start == fde->end || (!e->from.is_eh && !fde->start);
}

static int items_of(struct fde_list *list, const struct frame_entries *e, uint64_t start,
		    uint64_t end, struct items *ret)
{
	size_t i;

	*ret = (struct items){ .at = malloc((e->n_fdes + 1) * sizeof(*ret->at)) };
	if (!ret->at)
		return -ENOMEM;
	for (i = 0; i < e->n_fdes; i++) {
		const struct frame_fde *fde = &e->fdes[i];

		if (is_dropped(e, fde))
			continue;
		if (fde->start < start || fde->start >= end) {
			list->n_outside++;
			continue;
		}
		ret->at[ret->n++] = (struct fde_list_item){
			.start = fde->start - start,
			.end = (fde->end < end ? fde->end : end) - start,
			.fde = i,
			.is_eh = e->from.is_eh,
		};
	}
	if (sort(ret))
		return -ENOMEM;
	cut_overlaps(ret, &list->n_overlaps);
	return 0;
}

/* All of 'eh', and what of 'debug' lies between. */
static void merge(const struct items *eh, const struct items *debug, struct items *ret)
{
	size_t i = 0, j = 0;

	while (i < eh->n || j < debug->n) {
		if (j == debug->n || (i < eh->n && eh->at[i].start <= debug->at[j].start)) {
			ret->at[ret->n++] = eh->at[i++];
			continue;
		}
		if ((i == eh->n || debug->at[j].end <= eh->at[i].start) &&
		    (i == 0 || eh->at[i - 1].end <= debug->at[j].start))
			ret->at[ret->n++] = debug->at[j];
		j++;
	}
}

int fde_list_make(struct fde_list *list, const struct frame_entries *eh,
		  const struct frame_entries *debug, uint64_t start, uint64_t end)
{
	struct items a = { .n = 0 }, b = { .n = 0 }, both = { .n = 0 };
	int err;

	err = items_of(list, eh, start, end, &a);
	if (!err)
		err = items_of(list, debug, start, end, &b);
	if (!err && !b.n) {
		both = a;
		a.at = NULL;
	} else if (!err) {
		both.at = malloc((a.n + b.n) * sizeof(*both.at));
		if (both.at)
			merge(&a, &b, &both);
		else
			err = -ENOMEM;
	}
	free(a.at);
	free(b.at);
	list->items = both.at;
	list->n = both.n;
	return err;
}

void fde_list_release(struct fde_list *list)
{
	free(list->items);
	*list = (struct fde_list){ .n = 0 };
}
