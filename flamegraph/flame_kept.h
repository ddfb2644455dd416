/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flame_kept: the nodes of a tree that are not below a share, in preorder, as the sections of
 * flame_data: what is left out below each of them is a rest.
 */
#pragma once

#include "flamegraph/flame_census.h"
#include "flamegraph/flame_tree.h"
#include "user/base/str.h"

/* A node below another; frames of the tree, 0 for a rest. */
struct flame_edge {
	uint32_t parent_frame, frame;
};

struct flame_kept {
	struct str shape, self, before, leads, rests;
	struct flame_edge *edges; /* of each node but the root */
	size_t n, cap;		  /* nodes, with the rests; edges are one less */
	size_t n_rests;
	struct flame_frame_sum *frames; /* of each frame: of the nodes kept; NULL: all are kept */
	uint32_t *places; /* of each node of the tree: where it is in preorder, or its rest */
};

/*
 * Nodes from 'share' on; the root always. 'census' may be NULL if the share is 0, which keeps all.
 * 'places' are only made if they are wanted. 0 or -ENOMEM with a sentence.
 */
int flame_kept_new(const struct flame_tree *tree, double share, const struct flame_census *census,
		   bool wants_places, struct flame_kept **ret);
void flame_kept_free(struct flame_kept *kept);
DEFINE_FREEP(struct flame_kept, flame_kept_free)
