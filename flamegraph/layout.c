/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/flamegraph.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/saturate.h"

#define NO_LIMIT SIZE_MAX
#define TOO_MANY 1 /* boxes: more than the limit */

/* Widths by their logarithm, sixteen steps for each power of two. */
#define STEPS	 16
#define STEP_LOG 4
#define BUCKETS	 (63 * STEPS)

/* How many nodes are as wide as that or wider, of those that are not narrower than 'least'. */
struct census {
	int64_t least;
	size_t n[BUCKETS + 1];
};

void flame_layout_free(struct flame_layout *layout)
{
	if (!layout)
		return;
	free(layout->widths);
	free(layout->boxes);
	free(layout);
}

/* --- widths -------------------------------------------------------------------------------- */

/* What a node spent itself, as the side has it, both of them measured alike. */
static double own_width(const struct flame_tree *tree, enum flame_side side, uint32_t node)
{
	bool is_before =
		side == FLAME_BEFORE || (side == FLAME_JOINED && flame_is_vanished(tree, node));
	int64_t own = is_before ? flame_tree_self_before(tree, node) : flame_tree_self(tree, node);

	return own > 0 ? own * (is_before ? tree->scale_before : tree->scale_after) : 0;
}

/*
 * Sums of whole numbers, so that children never outgrow their parents; of a tree whose own sums
 * were cut they may be.
 */
static void measure(struct flame_layout *layout, enum flame_side side, double factor)
{
	const struct flame_tree *tree = layout->tree;
	size_t i;

	for (i = tree->n_nodes; i--;) {
		add_saturating(&layout->widths[i], llround(factor * own_width(tree, side, i)));
		if (i)
			add_saturating(&layout->widths[tree->nodes[i].parent], layout->widths[i]);
	}
}

static int64_t larger(int64_t a, double b)
{
	if (b >= 0x1p63)
		return INT64_MAX;
	return b > a ? llround(b) : a;
}

static int measure_both(struct flame_layout *layout, const struct flame_layout_options *o)
{
	const struct flame_tree *tree = layout->tree;
	double most = fmax(tree->before[0] * tree->scale_before,
			   tree->nodes[0].value * tree->scale_after);
	double factor = most > 0 ? FLAME_FULL_WIDTH / most : 0;

	layout->widths = calloc(tree->n_nodes, sizeof(*layout->widths));
	if (!layout->widths)
		return errf(-ENOMEM, "no memory to lay out %zu frames", tree->n_nodes);
	measure(layout, o->side, factor);
	layout->total = larger(layout->widths[0], factor * tree->scale_after * o->total);
	if (o->side != FLAME_JOINED && factor > 0)
		layout->total = larger(layout->total, FLAME_FULL_WIDTH);
	return 0;
}

static int64_t share_of(int64_t total, double share)
{
	double v = ceil(total * share);

	return v >= total ? total : v > 0 ? v : 0;
}

static unsigned int bucket_of(int64_t width)
{
	unsigned int log = 63 - __builtin_clzll(width);
	uint64_t top = log >= STEP_LOG ? (uint64_t)width >> (log - STEP_LOG)
				       : (uint64_t)width << (STEP_LOG - log);

	return log * STEPS + (unsigned int)(top & (STEPS - 1));
}

/* The smallest width in a bucket, or one that is not much smaller. */
static int64_t bucket_start(unsigned int bucket)
{
	unsigned int log = bucket / STEPS;
	uint64_t top = STEPS + bucket % STEPS;

	if (bucket >= BUCKETS)
		return INT64_MAX;
	return log >= STEP_LOG ? top << (log - STEP_LOG) : (top + STEPS - 1) >> (STEP_LOG - log);
}

/* One pass from the leaves on: sizes of subtrees and, if asked for, how many are how wide. */
static void count_nodes(const struct flame_layout *layout, uint32_t *sizes, struct census *census)
{
	const struct flame_tree *tree = layout->tree;
	size_t i;

	for (i = tree->n_nodes; --i;) {
		int64_t width = flame_width(layout, i);

		sizes[i] += width > 0;
		sizes[tree->nodes[i].parent] += sizes[i];
		if (census && width > 0 && width >= census->least)
			census->n[bucket_of(width)]++;
	}
	if (!census)
		return;
	for (i = BUCKETS; i > 0; i--)
		census->n[i - 1] += census->n[i];
}

/* --- boxes --------------------------------------------------------------------------------- */

/* How they are placed: with the sizes of subtrees, and not more of them than the limit. */
struct placing {
	struct flame_layout *layout;
	const uint32_t *sizes; /* of each node: how many have a width at or below it */
	size_t limit;
};

static int add_box(const struct placing *p, const struct flame_box *box)
{
	struct flame_layout *layout = p->layout;

	if (layout->n >= p->limit)
		return TOO_MANY;
	if (array_reserve(layout->boxes, layout->cap, layout->n + 1))
		return errf(-ENOMEM, "no memory to lay out %zu frames", layout->tree->n_nodes);
	layout->boxes[layout->n++] = *box;
	if (box->depth >= layout->rows)
		layout->rows = box->depth + 1;
	return 0;
}

/* Where the next child of a box goes. */
struct row {
	struct flame_box box;
	int64_t room;		    /* that is left in the parent */
	int64_t lead;		    /* of the parent's own, that is to the left */
	int64_t narrow_width, gaps; /* of narrow siblings side by side, and of what is between */
	uint32_t hidden;	    /* how many nodes these are */
};

/* Narrow siblings as one box; nothing if there are none. */
static int add_joined(const struct placing *p, struct row *row)
{
	struct flame_box box = row->box;

	if (!row->hidden)
		return 0;
	box.node = PROFILE_NONE;
	box.width = row->narrow_width;
	box.hidden = row->hidden;
	row->box.x += row->narrow_width + row->gaps;
	row->narrow_width = row->gaps = 0;
	row->hidden = 0;
	return add_box(p, &box);
}

/* In a chart, what the parent spent itself before this child is to the left of it. */
static void leave_gap(const struct flame_layout *layout, uint32_t child, struct row *row)
{
	const int64_t *leads = layout->tree->leads;
	int64_t gap = leads && leads[child] > row->lead ? leads[child] - row->lead : 0;

	row->lead += gap;
	gap = gap > row->room ? row->room : gap;
	row->room -= gap;
	if (row->hidden)
		row->gaps += gap;
	else
		row->box.x += gap;
}

/* Sums in the tree may have been cut at INT64_MAX: what has no room in its parent is cut, too. */
static int add_children(const struct placing *p, uint32_t parent)
{
	const struct flame_layout *layout = p->layout;
	const struct flame_node *nodes = layout->tree->nodes;
	const struct flame_box above = layout->boxes[parent]; /* a copy: the array moves */
	struct row row = { .room = above.width };
	int64_t width;
	uint32_t child;
	int err;

	row.box = (struct flame_box){ .x = above.x, .depth = above.depth + 1, .parent = parent };
	for (child = nodes[above.node].first_child; child != PROFILE_NONE;
	     child = nodes[child].next) {
		leave_gap(layout, child, &row);
		width = flame_width(layout, child);
		width = width > row.room ? row.room : width;
		if (width <= 0)
			continue;
		row.room -= width;
		if (flame_is_narrow(layout, child)) {
			row.hidden += p->sizes[child];
			row.narrow_width += width;
			continue;
		}
		err = layout->tree->is_chart ? add_joined(p, &row) : 0;
		row.box.node = child;
		row.box.width = width;
		if (!err)
			err = add_box(p, &row.box);
		if (err)
			return err;
		row.box.x += width;
	}
	return add_joined(p, &row);
}

/* 0, -ENOMEM, or TOO_MANY with a part of them there. */
static int place(const struct placing *p, int64_t narrow)
{
	struct flame_layout *layout = p->layout;
	struct flame_box root = { .width = flame_width(layout, 0), .parent = PROFILE_NONE };
	size_t i;
	int err;

	layout->n = layout->rows = 0;
	layout->narrow = narrow;
	err = add_box(p, &root);
	for (i = 0; !err && i < layout->n; i++) {
		if (layout->boxes[i].node != PROFILE_NONE)
			err = add_children(p, i);
	}
	return err;
}

/*
 * Places with the smallest width, from 'least' on, that leaves few enough boxes. A box of joined
 * siblings needs a parent: there are at most twice as many boxes as wide nodes; in a chart, where
 * there may be another before each wide node, three times as many. So what is looked for lies
 * between the widths that leave all and half (a third) as many nodes.
 */
static int place_bounded(struct placing *p, const struct census *census)
{
	unsigned int low = 0, high, middle, times = p->layout->tree->is_chart ? 3 : 2;
	int err = place(p, census->least);

	if (err <= 0)
		return err;
	while (low < BUCKETS &&
	       (bucket_start(low) < census->least || census->n[low] >= FLAME_MAX_BOXES))
		low++;
	high = low;
	while (high < BUCKETS && census->n[high] + 1 > FLAME_MAX_BOXES / times)
		high++;
	while (low < high) {
		middle = (low + high) / 2;
		err = place(p, bucket_start(middle));
		if (err < 0)
			return err;
		if (err)
			low = middle + 1;
		else
			high = middle;
	}
	return place(p, bucket_start(high));
}

/* --- all of it ----------------------------------------------------------------------------- */

static int layout_new(const struct flame_tree *tree, const struct flame_layout_options *options,
		      bool is_bounded, struct flame_layout **ret)
{
	_cleanup_(flame_layout_freep) struct flame_layout *layout = calloc(1, sizeof(*layout));
	_cleanup_(freep) uint32_t *sizes = calloc(tree->n_nodes, sizeof(*sizes));
	struct placing p = { layout, sizes, is_bounded ? FLAME_MAX_BOXES : NO_LIMIT };
	struct census census = { 0 };
	int err = 0;

	if (!layout || !sizes)
		return errf(-ENOMEM, "no memory to lay out %zu frames", tree->n_nodes);
	layout->tree = tree;
	if (tree->before)
		err = measure_both(layout, options);
	else
		layout->total = larger(tree->nodes[0].value, options->total);
	census.least = share_of(layout->total, options->min_share);
	if (err)
		return err;
	count_nodes(layout, sizes, is_bounded ? &census : NULL);
	err = is_bounded ? place_bounded(&p, &census) : place(&p, census.least);
	if (err)
		return err;
	*ret = take(layout);
	return 0;
}

int flame_layout_new(const struct flame_tree *tree, const struct flame_layout_options *options,
		     struct flame_layout **ret)
{
	return layout_new(tree, options, false, ret);
}

int flame_layout_new_bounded(const struct flame_tree *tree,
			     const struct flame_layout_options *options, struct flame_layout **ret)
{
	return layout_new(tree, options, true, ret);
}
