/* SPDX-License-Identifier: BSD-2-Clause */
/* report_tree: the part of a call tree that is worth showing, in the order in which it is shown. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/model/calltree.h"

struct report_line {
	uint32_t node;
	uint32_t parent;     /* line, PROFILE_NONE for line 0 */
	uint32_t n_children; /* lines directly below it */
	bool last;	     /* of its parent's children */
};

struct report_tree {
	struct report_line *lines; /* line 0 is node 0; a parent comes before its children */
	size_t n;
	uint64_t pruned;      /* branches that were left out, each counted once at its top */
	int64_t pruned_total; /* their value */
};

/*
 * Takes the nodes whose total is at least min_share (0..1) of all, and none below those that are
 * not; siblings by total, descending, then by name. 0 or -ENOMEM with a sentence.
 */
int report_tree_new(const struct calltree *tree, double min_share, struct report_tree **ret);
void report_tree_free(struct report_tree *t);
DEFINE_FREEP(struct report_tree, report_tree_free)
