/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flamegraph: where each frame of a flame tree stands in a picture, in units of value. It knows
 * nothing of drawing (picture.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flamegraph/flame_tree.h"
#include "user/base/cleanup.h"

/* How wide the frames of a tree of two profiles are; of one profile it means nothing. */
enum flame_side {
	FLAME_JOINED, /* as after, or as before if they are not there after: callers hold both */
	FLAME_BEFORE,
	FLAME_AFTER,
};

struct flame_layout_options {
	enum flame_side side;
	double min_share; /* 0..1: siblings below this share of the whole are joined */
	int64_t total; /* what the whole is, in units of value (after), if more than all; 0: all */
};

/* One rectangle: [x, x + width) on row 'depth' (0 is the root). */
struct flame_box {
	int64_t x, width;
	uint32_t node; /* of the tree; PROFILE_NONE for siblings that were joined */
	uint32_t depth;
	uint32_t hidden; /* how many of the tree's nodes a joined box stands for, 0 for others */
	uint32_t parent; /* box, PROFILE_NONE for the root */
};

struct flame_layout {
	const struct flame_tree *tree; /* must outlive the layout */
	int64_t *widths;	       /* of its nodes, of two profiles; NULL: as their values */
	int64_t narrow;		       /* nodes below this width are joined */
	struct flame_box *boxes;       /* row by row from the root, each row from left to right */
	size_t n, cap;
	uint32_t rows; /* depth of the deepest box + 1 */
	int64_t total; /* what the whole picture is wide: both sides of a tree have the same */
};

/* Of a tree of two profiles: what the larger side's total is wide. */
#define FLAME_FULL_WIDTH INT64_C(1000000000000000)

/*
 * Places every node that has a width. Siblings narrower than the smallest share are taken out of
 * their row, with all below them, and become one box at its right end that says how many nodes it
 * hides: so children and what their parent spent itself always add up to the parent. In a flame
 * chart x is time: what a parent spent itself is between its children, and narrow ones that follow
 * each other become a box where the first of them is. 0 or -ENOMEM with a sentence.
 */
int flame_layout_new(const struct flame_tree *tree, const struct flame_layout_options *options,
		     struct flame_layout **ret);

/*
 * The same with as small a share as leaves at most FLAME_MAX_BOXES boxes (within 7 %), and no
 * smaller than the options say. So many boxes of names of 28 bytes are about 1.2 MB of SVG.
 */
#define FLAME_MAX_BOXES 6000
int flame_layout_new_bounded(const struct flame_tree *tree,
			     const struct flame_layout_options *options, struct flame_layout **ret);

void flame_layout_free(struct flame_layout *layout);
DEFINE_FREEP(struct flame_layout, flame_layout_free)

static inline int64_t flame_width(const struct flame_layout *layout, uint32_t node)
{
	return layout->widths ? layout->widths[node] : layout->tree->nodes[node].value;
}

/* Whether a node that is not the root has a width and is part of a joined box. */
static inline bool flame_is_narrow(const struct flame_layout *layout, uint32_t node)
{
	int64_t width = flame_width(layout, node);

	return width > 0 && width < layout->narrow;
}

/* Whether a node is not there after, but was before. */
static inline bool flame_is_vanished(const struct flame_tree *tree, uint32_t node)
{
	return node && tree->before && !tree->nodes[node].value && tree->before[node] > 0;
}
