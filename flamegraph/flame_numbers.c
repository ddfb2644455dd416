/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/flame_numbers.h"

#include <string.h>

#include "flamegraph/flame_pack.h"
#include "user/base/array.h"
#include "user/base/err.h"

/* --- edges ---------------------------------------------------------------------------------------
 */

/* Which place a frame has among those that were met below another; 0: the slot is free. */
struct slot {
	uint64_t edge;
	uint32_t place;
};

struct edges {
	struct slot *slots;
	size_t n, n_slots; /* a power of two */
	unsigned int shift;
	uint32_t *n_below; /* of each frame of the tree: how many others were met below it */
};

static struct slot *find(const struct edges *edges, uint64_t edge)
{
	/* Numbers of frames, not names: nobody chooses them so that they meet (Fibonacci hashing).
	 */
	size_t i = edge * 0x9e3779b97f4a7c15u >> edges->shift;

	while (edges->slots[i].place && edges->slots[i].edge != edge)
		i = (i + 1) & (edges->n_slots - 1);
	return &edges->slots[i];
}

static int grow(struct edges *edges)
{
	struct edges more = *edges;
	size_t i;

	more.n_slots = edges->n_slots ? edges->n_slots * 2 : 1024;
	more.shift = edges->n_slots ? edges->shift - 1 : 64 - 10;
	more.slots = calloc(more.n_slots, sizeof(*more.slots));
	if (!more.slots)
		return -ENOMEM;
	for (i = 0; i < edges->n_slots; i++) {
		if (edges->slots[i].place)
			*find(&more, edges->slots[i].edge) = edges->slots[i];
	}
	free(edges->slots);
	*edges = more;
	return 0;
}

static uint32_t number_of(struct flame_numbers *numbers, uint32_t frame)
{
	if (numbers->of[frame] == PROFILE_NONE) {
		numbers->of[frame] = numbers->n;
		numbers->frames[numbers->n++] = frame;
	}
	return numbers->of[frame];
}

static int add_edge(struct edges *edges, struct flame_numbers *numbers,
		    const struct flame_edge *edge, struct str *out)
{
	struct slot *slot;
	int err;

	if (edges->n * 2 >= edges->n_slots && grow(edges))
		return -ENOMEM;
	slot = find(edges, (uint64_t)edge->parent_frame << 32 | edge->frame);
	if (slot->place)
		return flame_add_varint(out, slot->place);
	slot->edge = (uint64_t)edge->parent_frame << 32 | edge->frame;
	slot->place = ++edges->n_below[edge->parent_frame];
	edges->n++;
	err = flame_add_varint(out, 0);
	return err ? err : flame_add_varint(out, number_of(numbers, edge->frame));
}

static int add_edges(struct flame_numbers *numbers, const struct flame_kept *kept, struct str *out)
{
	struct edges edges = { 0 };
	int err = 0;
	size_t i;

	edges.n_below = calloc(numbers->tree->n_frames + 1, sizeof(*edges.n_below));
	if (!edges.n_below)
		return -ENOMEM;
	for (i = 0; i + 1 < kept->n && !err; i++)
		err = add_edge(&edges, numbers, &kept->edges[i], out);
	free(edges.slots);
	free(edges.n_below);
	return err;
}

int flame_numbers_new(const struct flame_tree *tree, const struct flame_kept *kept,
		      struct str *edges, struct flame_numbers **ret)
{
	_cleanup_(flame_numbers_freep) struct flame_numbers *numbers = calloc(1, sizeof(*numbers));
	int err = -ENOMEM;

	if (numbers) {
		numbers->tree = tree;
		numbers->of = array_of_none(tree->n_frames);
		numbers->frames = array_of_none(tree->n_frames);
		if (numbers->of && numbers->frames) {
			number_of(numbers, 0);
			err = add_edges(numbers, kept, edges);
		}
	}
	if (err)
		return errf(err, "no memory for the frames of a flame graph");
	*ret = take(numbers);
	return 0;
}

void flame_numbers_free(struct flame_numbers *numbers)
{
	free(numbers->of);
	free(numbers->frames);
	free(numbers);
}

/* --- frames that are in rests only ---------------------------------------------------------------
 */

int flame_frame_compare(const struct flame_tree *tree, uint32_t a, uint32_t b)
{
	const struct flame_frame *x = &tree->frames[a], *y = &tree->frames[b];
	int order = strcmp(strtab_get(&tree->names, x->name), strtab_get(&tree->names, y->name));

	if (!order)
		order = strcmp(strtab_get(&tree->names, x->module),
			       strtab_get(&tree->names, y->module));
	return order ? order : (x->kind > y->kind) - (x->kind < y->kind);
}

static int by_name(const void *a, const void *b, void *arg)
{
	return flame_frame_compare(arg, *(const uint32_t *)a, *(const uint32_t *)b);
}

void flame_numbers_add(struct flame_numbers *numbers, uint32_t *frames, size_t n)
{
	size_t i;

	qsort_r(frames, n, sizeof(*frames), by_name, (void *)numbers->tree);
	for (i = 0; i < n; i++)
		number_of(numbers, frames[i]);
}

/* --- names ---------------------------------------------------------------------------------------
 */

/* Names are clean, so there is no LF in them; if there is all the same, the lines must still fit.
 */
static int add_line(struct str *out, const char *text)
{
	size_t start = out->len;
	char *lf;

	if (str_add(out, text))
		return -ENOMEM;
	while ((lf = memchr(out->data + start, '\n', out->len - start)))
		*lf = '?';
	return str_add_bytes(out, "\n", 1);
}

static int add_frame(const struct flame_frame *frame, uint32_t module, uint32_t color,
		     struct str *out)
{
	const char bytes[] = { (char)frame->kind, (char)(color >> 16), (char)(color >> 8),
			       (char)color };
	int err = flame_add_varint(out, module);

	return err ? err : str_add_bytes(out, bytes, sizeof(bytes));
}

/* 'number_of_module' is of each string. */
static int write_frames(const struct flame_numbers *numbers, const uint32_t *colors,
			uint32_t *number_of_module, struct str *names, struct str *modules,
			struct str *frames)
{
	const struct flame_tree *tree = numbers->tree;
	uint32_t n_modules = 1, i;
	int err = add_line(modules, "");

	number_of_module[0] = 0;
	for (i = 0; i < numbers->n && !err; i++) {
		const struct flame_frame *frame = &tree->frames[numbers->frames[i]];
		uint32_t *module = &number_of_module[frame->module];

		if (*module == PROFILE_NONE) {
			*module = n_modules++;
			err = add_line(modules, strtab_get(&tree->names, frame->module));
		}
		if (!err)
			err = add_line(names, strtab_get(&tree->names, frame->name));
		if (!err)
			err = add_frame(frame, *module, colors ? colors[numbers->frames[i]] : 0,
					frames);
	}
	return err;
}

int flame_numbers_write(const struct flame_numbers *numbers, const uint32_t *colors,
			struct str *names, struct str *modules, struct str *frames)
{
	uint32_t *number_of_module = array_of_none(numbers->tree->names.n);
	int err = -ENOMEM;

	if (number_of_module)
		err = write_frames(numbers, colors, number_of_module, names, modules, frames);
	free(number_of_module);
	return err;
}
