/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flame_numbers: the numbers that frames have in a file: 0 for the root's, the others as they are
 * met in preorder, and after them those that are in rests only, in bytewise order of their names.
 * So they do not depend on how the frames of a tree are numbered.
 */
#pragma once

#include "flamegraph/flame_kept.h"
#include "flamegraph/flame_tree.h"
#include "user/base/str.h"

struct flame_numbers {
	const struct flame_tree *tree;
	uint32_t *of;	  /* of each frame of the tree; PROFILE_NONE: it has none */
	uint32_t *frames; /* of each number: the frame of the tree */
	uint32_t n;
};

/*
 * Gives the frames of 'kept' their numbers, and appends the section "edges". 0 or -ENOMEM with a
 * sentence.
 */
int flame_numbers_new(const struct flame_tree *tree, const struct flame_kept *kept,
		      struct str *edges, struct flame_numbers **ret);
void flame_numbers_free(struct flame_numbers *numbers);
DEFINE_FREEP(struct flame_numbers, flame_numbers_free)

/* By name, module and kind: less than 0, 0 or more than 0. */
int flame_frame_compare(const struct flame_tree *tree, uint32_t a, uint32_t b);

/* Gives numbers to those of 'frames' (of the tree) that have none. The array may be reordered. */
void flame_numbers_add(struct flame_numbers *numbers, uint32_t *frames, size_t n);

/* Appends the three sections; 'colors' is of each frame of the tree. 0 or -ENOMEM. */
int flame_numbers_write(const struct flame_numbers *numbers, const uint32_t *colors,
			struct str *names, struct str *modules, struct str *frames);
