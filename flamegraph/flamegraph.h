/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flamegraph: a call tree as a picture. Layout (which frame is where, in units of value) knows
 * nothing of drawing; drawing (svg.h) knows nothing of profiles.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/model/calltree.h"

/* One rectangle: [x, x + width) in units of value on row 'depth' (0 is the root). */
struct flame_box {
	int64_t x, width;
	uint32_t node; /* of the call tree; PROFILE_NONE for pruned siblings */
	uint32_t depth;
	uint32_t hidden; /* how many call-tree nodes a pruned box stands for, 0 for others */
	uint32_t parent; /* box, PROFILE_NONE for the root */
};

struct flame_layout {
	const struct calltree *tree; /* must outlive the layout */
	int64_t *widths;	     /* of every node of the tree */
	int64_t narrow;		     /* nodes below this width are pruned */
	struct flame_box *boxes;     /* row by row from the root, each row from left to right */
	size_t n, cap;
	uint32_t rows; /* depth of the deepest box + 1 */
	int64_t total;
};

/*
 * Places every node that has a width. Siblings narrower than 'min_share' (0..1) of the total are
 * taken out of their row, with all below them, and become one box at its right end that says how
 * many nodes it hides: so children and what their parent spent itself always add up to the parent.
 *
 * A node is as wide as all that was measured in it and below; negative values count as nothing,
 * and what would carry the sum of all beyond INT64_MAX is left out. 0 or -ENOMEM.
 */
int flame_layout_new(const struct calltree *tree, double min_share, struct flame_layout **ret);

/*
 * The same with as small a share as leaves at most FLAME_MAX_BOXES boxes, and no smaller than
 * 'min_share': with more, a browser takes seconds to show and to zoom.
 */
#define FLAME_MAX_BOXES 40000
int flame_layout_new_bounded(const struct calltree *tree, double min_share,
			     struct flame_layout **ret);

void flame_layout_free(struct flame_layout *layout);
DEFINE_FREEP(struct flame_layout, flame_layout_free)

/* Whether a node that is not the root has a width and is part of a pruned box. */
bool flame_is_narrow(const struct flame_layout *layout, uint32_t node);
