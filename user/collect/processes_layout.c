/* SPDX-License-Identifier: BSD-2-Clause */
/* processes_layout: all that an image has mapped at one moment. */
#include <errno.h>
#include <stdlib.h>

#include "user/base/err.h"
#include "user/collect/processes_images.h"

static int by_age(const void *a, const void *b)
{
	const struct mapping *x = *(const struct mapping *const *)a;
	const struct mapping *y = *(const struct mapping *const *)b;

	if (x->since_ns != y->since_ns)
		return x->since_ns < y->since_ns ? -1 : 1;
	return (x > y) - (x < y);
}

/* Adds what the image has had mapped up to then, over what is there. */
static int paint(const struct image *image, uint32_t number, uint64_t time_ns,
		 struct layout *layout)
{
	_cleanup_(freep) const struct mapping **order = NULL;
	size_t n = 0, i;
	int err = 0;

	order = calloc(image->n + 1, sizeof(*order));
	if (!order)
		return -ENOMEM;
	for (i = 0; i < image->n; i++) {
		if (image->mappings[i].since_ns <= time_ns)
			order[n++] = &image->mappings[i];
	}
	qsort(order, n, sizeof(*order), by_age);
	for (i = 0; i < n && !err; i++)
		err = layout_add(layout, order[i]->m.start, order[i]->m.end, number,
				 order[i] - image->mappings);
	return err;
}

int processes_layout(struct processes *ps, uint32_t image, uint64_t time_ns, struct layout *ret)
{
	uint32_t line[PROCESSES_MAX_GENERATIONS];
	uint64_t until[PROCESSES_MAX_GENERATIONS];
	size_t n = 0;
	int err = 0;

	layout_clear(ret);
	/* What is forked has what its parent had at that moment. */
	while (image != PROCESSES_NO_IMAGE && n < PROCESSES_MAX_GENERATIONS) {
		const struct image *im = &ps->images[image];

		line[n] = image;
		until[n++] = time_ns;
		if (im->since_ns < time_ns)
			time_ns = im->since_ns;
		image = im->parent;
	}
	while (n-- && !err)
		err = paint(&ps->images[line[n]], line[n], until[n], ret);
	return err ? errf(-ENOMEM, "no memory for what a process has mapped") : 0;
}

void processes_part(const struct processes *ps, const struct layout_part *part,
		    struct sym_mapping *ret)
{
	const struct mapping *mapping = &ps->images[part->image].mappings[part->mapping];

	*ret = mapping->m;
	ret->path = strtab_get(&ps->paths, mapping->path);
	ret->pgoff += part->start - ret->start;
	ret->start = part->start;
	ret->end = part->end;
}

size_t processes_n_mappings(const struct processes *ps, uint32_t image)
{
	return ps->images[image].n;
}
