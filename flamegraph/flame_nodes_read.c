/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/flame_nodes_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

/* Stacks have at most PROFILE_MAX_DEPTH frames, and names of processes and threads below them. */
#define MAX_DEPTH (2 * PROFILE_MAX_DEPTH)

/* The frames met below a frame, in their order. */
struct met {
	uint32_t *frames; /* numbers of the file */
	size_t n, cap;
};

/* A node whose children are read. */
struct level {
	uint64_t children; /* still to come */
	int64_t lead;	   /* of the last child */
	uint32_t node, last_child, number;
};

struct reading {
	struct flame_node_sections *from;
	struct flame_tree *tree;
	struct met *met; /* of each number */
	uint32_t *rests;
	size_t rests_cap;
	struct level levels[MAX_DEPTH + 1];
	size_t depth;
};

static int broken(const char *what)
{
	return errf(-EINVAL, "the call tree inside is broken: %s", what);
}

/* --- one node ------------------------------------------------------------------------------------
 */

static int read_edge(struct reading *r, uint32_t parent, uint32_t *ret)
{
	struct met *met = &r->met[parent];
	uint64_t k, number;

	if (!flame_take_varint(&r->from->edges, &k))
		return broken("its edges end early");
	if (k > met->n)
		return broken("an edge that was not there before");
	if (k) {
		*ret = met->frames[k - 1];
		return 0;
	}
	if (!flame_take_varint(&r->from->edges, &number) || number >= r->from->n_frames)
		return broken("an edge to a frame that it has not");
	if (array_reserve(met->frames, met->cap, met->n + 1))
		return -ENOMEM;
	met->frames[met->n++] = number;
	*ret = number;
	return 0;
}

static int read_value(struct flame_bytes *bytes, int64_t *ret)
{
	uint64_t v;

	if (!flame_take_varint(bytes, &v) || v > INT64_MAX)
		return broken("a value is missing, or beyond 2^63");
	*ret = v;
	return 0;
}

static int read_values(struct reading *r, uint32_t node)
{
	int err = read_value(&r->from->self, &r->tree->nodes[node].value);

	return err || !r->from->has_before ? err
					   : read_value(&r->from->before, &r->tree->before[node]);
}

/* A rest is a frame of its own, named after what it stands for. */
static int read_rest(struct reading *r, uint32_t node)
{
	uint64_t n;
	char name[64];

	if (!flame_take_varint(&r->from->rests, &n) || !n || n > UINT32_MAX)
		return broken("a rest of no size");
	r->rests[node] = n;
	snprintf(name, sizeof(name), "[%" PRIu64 " frame%s]", n, n == 1 ? "" : "s");
	return flame_tree_add_frame(r->tree, name, "", FRAME_SYNTHETIC,
				    &r->tree->nodes[node].frame);
}

/*
 * What the parent spent itself before its child; a rest has the child's before it. Whether the
 * parent has spent so much is seen when it is used.
 */
static int read_lead(struct reading *r, struct level *parent, uint32_t node, bool is_rest)
{
	int64_t step = 0;
	int err = 0;

	if (!r->from->has_leads)
		return 0;
	if (!is_rest)
		err = read_value(&r->from->leads, &step);
	if (err)
		return err;
	if (__builtin_add_overflow(parent->lead, step, &parent->lead))
		return broken("a sum of its leads is beyond 2^63");
	r->tree->leads[node] = parent->lead;
	return 0;
}

/* --- all of them ---------------------------------------------------------------------------------
 */

static int add_node(struct reading *r, struct level *parent, uint32_t *ret)
{
	struct flame_tree *tree = r->tree;
	uint32_t node = tree->n_nodes;

	if (node >= PROFILE_NONE - 1)
		return broken("too many nodes");
	if (array_reserve(tree->nodes, tree->nodes_cap, tree->n_nodes + 1) ||
	    array_reserve(r->rests, r->rests_cap, tree->n_nodes + 1))
		return -ENOMEM;
	tree->n_nodes++;
	tree->nodes[node] = (struct flame_node){
		.parent = parent->node,
		.first_child = PROFILE_NONE,
		.next = PROFILE_NONE,
	};
	r->rests[node] = 0;
	if (parent->last_child == PROFILE_NONE)
		tree->nodes[parent->node].first_child = node;
	else
		tree->nodes[parent->last_child].next = node;
	parent->last_child = node;
	*ret = node;
	return 0;
}

/* Opens the node's own level. 'number' is that of its frame. */
static int read_shape(struct reading *r, uint32_t node, uint32_t number)
{
	uint64_t shape;
	int err;

	if (!flame_take_varint(&r->from->shape, &shape))
		return broken("its shape ends early");
	if (node && !number && shape > 1)
		return broken("a rest with children");
	err = shape & 1 ? read_values(r, node) : 0;
	if (err)
		return err;
	if (r->depth > MAX_DEPTH)
		return broken("it is too deep");
	r->levels[r->depth++] = (struct level){
		.children = shape >> 1,
		.node = node,
		.last_child = PROFILE_NONE,
		.number = number,
	};
	return 0;
}

static int read_child(struct reading *r, struct level *parent)
{
	uint32_t node = 0, number = 0;
	int err = read_edge(r, parent->number, &number);

	if (!err)
		err = add_node(r, parent, &node);
	if (err)
		return err;
	r->tree->nodes[node].frame = r->from->frames[number];
	err = number ? 0 : read_rest(r, node);
	if (!err)
		err = read_lead(r, parent, node, !number);
	return err ? err : read_shape(r, node, number);
}

/* Arrays of as many nodes as the shape may tell of: one a byte at most. */
static int make_arrays(struct reading *r)
{
	size_t n = r->from->shape.end - r->from->shape.at;

	if (r->from->has_before) {
		r->tree->before = calloc(n + 1, sizeof(*r->tree->before));
		if (!r->tree->before)
			return -ENOMEM;
	}
	free(r->tree->leads);
	r->tree->leads = r->from->has_leads ? calloc(n + 1, sizeof(*r->tree->leads)) : NULL;
	return r->from->has_leads && !r->tree->leads ? -ENOMEM : 0;
}

static int read_all(struct reading *r)
{
	int err = make_arrays(r);

	r->rests = calloc(1, sizeof(*r->rests));
	r->rests_cap = 1;
	if (!r->rests)
		err = -ENOMEM;
	if (!err)
		err = read_shape(r, 0, 0);
	while (!err && r->depth) {
		struct level *level = &r->levels[r->depth - 1];

		if (level->children) {
			level->children--;
			err = read_child(r, level);
		} else {
			r->depth--;
		}
	}
	if (err)
		return err;
	if (r->from->shape.at != r->from->shape.end || r->from->edges.at != r->from->edges.end ||
	    r->from->self.at != r->from->self.end || r->from->before.at != r->from->before.end ||
	    r->from->leads.at != r->from->leads.end || r->from->rests.at != r->from->rests.end)
		return broken("there is more of it than it has nodes");
	return 0;
}

int flame_nodes_read(struct flame_node_sections *sections, struct flame_tree *tree,
		     uint32_t **ret_rests)
{
	struct reading *r = calloc(1, sizeof(*r));
	size_t i;
	int err = -ENOMEM;

	if (r) {
		r->from = sections;
		r->tree = tree;
		r->met = calloc(sections->n_frames + 1, sizeof(*r->met));
		err = r->met ? read_all(r) : -ENOMEM;
		for (i = 0; r->met && i < sections->n_frames; i++)
			free(r->met[i].frames);
		free(r->met);
		if (!err)
			*ret_rests = take(r->rests);
		free(r->rests);
		free(r);
	}
	return err == -ENOMEM ? errf(err, "no memory for the call tree inside") : err;
}
