/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calltree: a profile's stacks merged by name, for reports and flame graphs. Frames at different
 * addresses of the same function are one node; children are in bytewise order of their names.
 */
#pragma once

#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/base/keyset.h"
#include "user/base/strtab.h"
#include "user/model/profile.h"
#include "user/model/view.h"

struct calltree_node {
	int64_t self;	      /* of samples that end here */
	int64_t total;	      /* self and all below */
	uint32_t parent;      /* PROFILE_NONE for node 0 */
	uint32_t first_child; /* PROFILE_NONE if there is none */
	uint32_t next;	      /* sibling, PROFILE_NONE for the last */
	uint32_t name;	      /* string in 'names': clean, without the suffix of its kind */
	uint32_t module;      /* string in 'names'; "" if unknown */
	uint32_t kind;	      /* enum frame_kind; FRAME_SYNTHETIC for process and thread names */
	uint32_t depth;	      /* node 0 has depth 0 */
	uint32_t file; /* string in 'names': source file, as it is known first; "" if unknown */
	uint32_t line; /* in it; 0 if unknown, or unless the view tells lines apart */
};

struct calltree {
	struct strtab names;
	struct calltree_node *nodes; /* node 0 is the root that holds everything, named "all" */
	size_t n_nodes, nodes_cap;
	uint32_t max_depth;
};

/*
 * Merges the stacks of 'p' as 'view' says. A parent has a smaller number than its children.
 * 0, -ENOMEM or -EOVERFLOW, with a sentence.
 */
int calltree_new(const struct profile *p, const struct view *view, struct calltree **ret);

/* The same; nodes[i] becomes the node that sample i ends in. */
int calltree_new_with(const struct profile *p, const struct view *view, struct calltree **ret,
		      uint32_t *nodes);
void calltree_free(struct calltree *tree);
DEFINE_FREEP(struct calltree, calltree_free)

/*
 * A tree with the nodes of both, those that are the same merged; what is known of them (module,
 * file) is a's, if a has the node. Values are 0: they are the caller's to fill in. ret_a[i] is the
 * node that node i of a has become; both maps are the caller's. Errors as calltree_new().
 */
int calltree_join(const struct calltree *a, const struct calltree *b, struct calltree **ret,
		  uint32_t **ret_a, uint32_t **ret_b);

const char *calltree_name(const struct calltree *tree, uint32_t node);
const char *calltree_module(const struct calltree *tree, uint32_t node);
const char *calltree_file(const struct calltree *tree, uint32_t node);
