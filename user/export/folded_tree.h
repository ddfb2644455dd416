/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * folded_tree: a profile's stacks merged by the text of their frames as folded files have them, in
 * a tree: memory grows with the number of distinct frames below each other and not with the length
 * of the text. A stack is a branch of it: the one that its last frame is.
 */
#pragma once

#include <stdint.h>

#include "user/base/keyset.h"
#include "user/base/str.h"
#include "user/base/strtab.h"
#include "user/model/profile.h"
#include "user/model/view.h"

/* A frame below its parent; the parent of the first frame of a line is FOLDED_NO_PARENT. */
struct folded_branch {
	uint32_t parent;
	uint32_t text; /* string in 'texts': the frame as it is written */
};
#define FOLDED_NO_PARENT UINT32_MAX

/* Where a node of the profile lies in the tree, for the root that was asked for last. */
struct folded_place {
	uint32_t root; /* branch, or FOLDED_NO_PARENT */
	uint32_t branch;
	uint32_t known;
};

struct folded_tree {
	const struct profile *p;
	const struct view *view;
	struct strtab texts;
	struct keyset branches;	     /* of struct folded_branch */
	uint32_t *text_of;	     /* frame of the profile -> string in texts; 0: not yet */
	struct folded_place *places; /* by node of the profile */
	struct str text;	     /* reused */
};

/* The profile and the view are borrowed. 0 or -ENOMEM; release it in any case. */
int folded_tree_init(struct folded_tree *t, const struct profile *p, const struct view *view);
void folded_tree_release(struct folded_tree *t);

/* The branch of the profile's sample i, which is made if it is new. 0, -ENOMEM or -EOVERFLOW. */
int folded_tree_add(struct folded_tree *t, uint32_t i, uint32_t *ret);

static inline const struct folded_branch *folded_branch_at(const struct folded_tree *t, uint32_t i)
{
	return keyset_key(&t->branches, i);
}

/* Appends the stack of a branch, root first: "sh;main;write_[k]". 0 or -ENOMEM. */
int folded_tree_text(const struct folded_tree *t, uint32_t branch, struct str *out);
