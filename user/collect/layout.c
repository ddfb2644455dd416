/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"

void layout_release(struct layout *layout)
{
	free(layout->parts);
	*layout = (struct layout){ 0 };
}

void layout_clear(struct layout *layout)
{
	layout->n = 0;
}

/* The first part that ends behind the address. */
static size_t first_behind(const struct layout *layout, uint64_t address)
{
	size_t low = 0, high = layout->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (layout->parts[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int layout_add(struct layout *layout, uint64_t start, uint64_t end, uint32_t image,
	       uint32_t mapping)
{
	struct layout_part
		put[3]; /* what is left of the first, the new one, what is left of the last */
	size_t from = first_behind(layout, start), to = from, n = 0;

	if (start >= end)
		return 0;
	if (array_reserve(layout->parts, layout->cap, layout->n + 2))
		return -ENOMEM;
	while (to < layout->n && layout->parts[to].start < end)
		to++;
	if (to > from && layout->parts[from].start < start) {
		put[n] = layout->parts[from];
		put[n++].end = start;
	}
	put[n++] = (struct layout_part){
		.start = start, .end = end, .image = image, .mapping = mapping
	};
	if (to > from && layout->parts[to - 1].end > end) {
		put[n] = layout->parts[to - 1];
		put[n++].start = end;
	}
	memmove(&layout->parts[from + n], &layout->parts[to],
		(layout->n - to) * sizeof(*layout->parts));
	memcpy(&layout->parts[from], put, n * sizeof(*put));
	layout->n = layout->n + n - (to - from);
	return 0;
}
