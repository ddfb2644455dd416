/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flame_tree: stacks merged by the names of their frames, as small as millions of nodes need it:
 * what flame graphs are drawn from. A parent has a smaller number than its children; siblings are
 * in bytewise order of their names, or in the order of their arrival in a flame chart.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/base/strtab.h"
#include "user/model/profile.h"

struct flame_building;

/* A function, or what stands for one. Numbers of frames have no order that means anything. */
struct flame_frame {
	uint32_t name;	 /* string in 'names': clean UTF-8, without the suffix of its kind */
	uint32_t module; /* string in 'names'; 0 if unknown */
	uint32_t kind;	 /* enum frame_kind */
};

struct flame_node {
	int64_t value;	      /* its own and all below; never negative */
	uint32_t parent;      /* PROFILE_NONE for node 0 */
	uint32_t first_child; /* PROFILE_NONE if there is none */
	uint32_t next;	      /* sibling, PROFILE_NONE for the last */
	uint32_t frame;
};

/* What is known of a function's change between two profiles. */
struct flame_verdict {
	double p; /* NAN: unknown */
	bool is_significant;
};

struct flame_tree {
	struct strtab names;
	struct flame_frame *frames; /* frame 0 is "all" */
	size_t n_frames, frames_cap;
	struct flame_node *nodes; /* node 0 is the root, of frame 0 */
	size_t n_nodes, nodes_cap;
	bool is_chart;	/* siblings are in the order of their arrival, equal ones may stand apart */
	int64_t *leads; /* of a chart's nodes: what the parent had spent itself by then; or NULL */

	/* Of two profiles: 'value' is after, and nodes may have one of the two only. */
	int64_t *before;		  /* of each node, as 'value'; NULL: of one profile */
	double scale_before, scale_after; /* values times this are compared; 1 */
	struct flame_verdict *verdicts;	  /* of each frame; NULL: nothing is known */

	struct flame_building *building; /* until flame_tree_finish() */
};

/* A tree of a root alone. 0 or -ENOMEM with a sentence. */
int flame_tree_new(bool is_chart, struct flame_tree **ret);
void flame_tree_free(struct flame_tree *tree);
DEFINE_FREEP(struct flame_tree, flame_tree_free)

/*
 * Building. Frames are told apart by name, module and kind; 'module' may be "". A stack is its
 * frames from the root (not "all") on; its values are added to its last node, negative ones count
 * as nothing and sums saturate. 'before' is 0 for one profile: an array is made at the first other.
 * In a chart a frame goes on if the stack before has it, too, below the same ones. One thread may
 * add frames while another adds stacks of those that were there before.
 * Then flame_tree_finish() sorts, adds up, and drops what is only needed for building; values may
 * only be read after it. 0, -ENOMEM or -EOVERFLOW (2^32 - 2 nodes), with a sentence.
 */
int flame_tree_add_frame(struct flame_tree *tree, const char *name, const char *module,
			 uint32_t kind, uint32_t *ret);
int flame_tree_add(struct flame_tree *tree, const uint32_t *frames, size_t n, int64_t value,
		   int64_t before);
int flame_tree_finish(struct flame_tree *tree);

/*
 * The same node by node, not of a chart: the child of that frame, made if there is none; a value of
 * a node's own; and an array of values before even if there will be none but 0.
 */
int flame_tree_add_child(struct flame_tree *tree, uint32_t parent, uint32_t frame, uint32_t *ret);
int flame_tree_add_value(struct flame_tree *tree, uint32_t node, int64_t value, int64_t before);
int flame_tree_start_before(struct flame_tree *tree);

/* What the node spent itself. */
int64_t flame_tree_self(const struct flame_tree *tree, uint32_t node);
int64_t flame_tree_self_before(const struct flame_tree *tree, uint32_t node);

static inline const struct flame_frame *flame_frame_of(const struct flame_tree *tree, uint32_t node)
{
	return &tree->frames[tree->nodes[node].frame];
}

static inline const char *flame_name(const struct flame_tree *tree, uint32_t node)
{
	return strtab_get(&tree->names, flame_frame_of(tree, node)->name);
}

static inline const char *flame_module(const struct flame_tree *tree, uint32_t node)
{
	return strtab_get(&tree->names, flame_frame_of(tree, node)->module);
}
