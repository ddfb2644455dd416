/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/flamegraph.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "user/base/array.h"
#include "user/base/err.h"

void flame_layout_free(struct flame_layout *layout)
{
	if (!layout)
		return;
	free(layout->widths);
	free(layout->boxes);
	free(layout);
}

bool flame_is_narrow(const struct flame_layout *layout, uint32_t node)
{
	return layout->widths[node] > 0 && layout->widths[node] < layout->narrow;
}

/* Not the tree's totals: those may be negative or saturated, and then children outgrow parents. */
static void measure(struct flame_layout *layout)
{
	const struct calltree *tree = layout->tree;
	int64_t left = INT64_MAX;
	size_t i;

	for (i = 0; i < tree->n_nodes; i++) {
		int64_t self = tree->nodes[i].self;

		self = self < 0 ? 0 : self > left ? left : self;
		layout->widths[i] = self;
		left -= self;
	}
	for (i = tree->n_nodes; i-- > 1;)
		layout->widths[tree->nodes[i].parent] += layout->widths[i];
}

/* Nodes with a width in the subtree of each node, itself included. */
static void count_nodes(const struct flame_layout *layout, uint32_t *sizes)
{
	const struct calltree *tree = layout->tree;
	size_t i;

	for (i = tree->n_nodes; i--;) {
		sizes[i] += layout->widths[i] > 0;
		if (i)
			sizes[tree->nodes[i].parent] += sizes[i];
	}
}

static int64_t share_of(int64_t total, double share)
{
	double v = ceil(total * share);

	return v >= total ? total : v > 0 ? v : 0;
}

static int add_box(struct flame_layout *layout, const struct flame_box *box)
{
	if (array_reserve(layout->boxes, layout->cap, layout->n + 1))
		return -ENOMEM;
	layout->boxes[layout->n++] = *box;
	if (box->depth >= layout->rows)
		layout->rows = box->depth + 1;
	return 0;
}

static int add_children(struct flame_layout *layout, const uint32_t *sizes, uint32_t parent)
{
	const struct calltree_node *nodes = layout->tree->nodes;
	const struct flame_box above = layout->boxes[parent]; /* a copy: the array moves */
	struct flame_box box = { .x = above.x, .depth = above.depth + 1, .parent = parent };
	int64_t narrow_width = 0;
	uint32_t child, hidden = 0;
	int err;

	for (child = nodes[above.node].first_child; child != PROFILE_NONE;
	     child = nodes[child].next) {
		if (layout->widths[child] <= 0)
			continue;
		if (flame_is_narrow(layout, child)) {
			hidden += sizes[child];
			narrow_width += layout->widths[child];
			continue;
		}
		box.node = child;
		box.width = layout->widths[child];
		err = add_box(layout, &box);
		if (err)
			return err;
		box.x += box.width;
	}
	if (!hidden)
		return 0;
	box.node = PROFILE_NONE;
	box.width = narrow_width;
	box.hidden = hidden;
	return add_box(layout, &box);
}

static int place(struct flame_layout *layout, const uint32_t *sizes)
{
	struct flame_box root = { .width = layout->total, .parent = PROFILE_NONE };
	int err = add_box(layout, &root);
	size_t i;

	for (i = 0; !err && i < layout->n; i++) {
		if (layout->boxes[i].node != PROFILE_NONE)
			err = add_children(layout, sizes, i);
	}
	return err;
}

int flame_layout_new(const struct calltree *tree, double min_share, struct flame_layout **ret)
{
	_cleanup_(flame_layout_freep) struct flame_layout *layout = calloc(1, sizeof(*layout));
	_cleanup_(freep) uint32_t *sizes = calloc(tree->n_nodes, sizeof(*sizes));

	if (layout)
		layout->widths = calloc(tree->n_nodes, sizeof(*layout->widths));
	if (!layout || !sizes || !layout->widths)
		return errf(-ENOMEM, "no memory to lay out %zu frames", tree->n_nodes);
	layout->tree = tree;
	measure(layout);
	count_nodes(layout, sizes);
	layout->total = layout->widths[0];
	layout->narrow = share_of(layout->total, min_share);
	if (place(layout, sizes))
		return errf(-ENOMEM, "no memory to lay out %zu frames", tree->n_nodes);
	*ret = take(layout);
	return 0;
}

int flame_layout_new_bounded(const struct calltree *tree, double min_share,
			     struct flame_layout **ret)
{
	_cleanup_(flame_layout_freep) struct flame_layout *layout = NULL;
	int err;

	for (;;) {
		err = flame_layout_new(tree, min_share, &layout);
		if (err)
			return err;
		if (layout->n <= FLAME_MAX_BOXES || min_share >= 1)
			break;
		flame_layout_free(take(layout));
		min_share = min_share < 1e-6 ? 1e-6 : min_share * 2;
	}
	*ret = take(layout);
	return 0;
}
