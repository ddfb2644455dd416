/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/flame_profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/flame_calltree.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/saturate.h"
#include "user/model/timeline.h"

/* --- samples in time ----------------------------------------------------------------------- */

void flame_moments_free(struct flame_moments *m)
{
	if (m)
		free(m->moments);
	free(m);
}

static int by_slot_and_node(const void *a, const void *b)
{
	const struct flame_moment *x = a, *y = b;

	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

/* Sorts them, and adds up those of one slot and node. */
static size_t merge_moments(struct flame_moment *list, size_t n)
{
	size_t i, kept = 0;

	qsort(list, n, sizeof(*list), by_slot_and_node);
	for (i = 0; i < n; i++) {
		if (kept && !by_slot_and_node(&list[kept - 1], &list[i]))
			add_saturating(&list[kept - 1].value, list[i].value);
		else
			list[kept++] = list[i];
	}
	return kept;
}

/* 'nodes' by sample. NULL: no memory. */
static struct flame_moments *collect_moments(const struct profile *p, const struct view *view,
					     const struct timeline *timeline, const uint32_t *nodes)
{
	_cleanup_(flame_moments_freep) struct flame_moments *m = calloc(1, sizeof(*m));
	size_t n = 0;
	uint32_t i;

	if (m)
		m->moments = calloc(p->samples.n + 1, sizeof(*m->moments));
	if (!m || !m->moments)
		return NULL;
	for (i = 0; i < p->samples.n; i++) {
		int64_t value = profile_values_at(p, i)[view->value];

		if (timeline->slots[i] != TIMELINE_NONE && value > 0)
			m->moments[n++] =
				(struct flame_moment){ timeline->slots[i], nodes[i], value };
	}
	m->time = (struct flame_time){
		.slot_ns = timeline->slot_ns,
		.start_ns = p->start_ns,
		.moments = m->moments,
		.n = merge_moments(m->moments, n),
	};
	return take(m);
}

int flame_tree_of_profile(const struct profile *p, const struct view *view, struct flame_tree **ret,
			  struct flame_moments **ret_moments)
{
	_cleanup_(freep) uint32_t *nodes = calloc(p->samples.n + 1, sizeof(*nodes)), *map = NULL;
	_cleanup_(flame_moments_freep) struct flame_moments *moments = NULL;
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	_cleanup_(timeline_freep) struct timeline *timeline = NULL;
	_cleanup_(calltree_freep) struct calltree *calls = NULL;
	uint32_t i;
	int err = nodes ? calltree_new_with(p, view, &calls, nodes)
			: errf(-ENOMEM, "no memory for a tree of %zu samples", p->samples.n);

	if (!err)
		err = flame_tree_of_calltree(calls, &tree, &map);
	if (!err && ret_moments)
		err = timeline_new(p, &timeline);
	if (err)
		return err;
	if (timeline && timeline->slot_ns) {
		for (i = 0; i < p->samples.n; i++)
			nodes[i] = map[nodes[i]];
		moments = collect_moments(p, view, timeline, nodes);
		if (!moments)
			return errf(-ENOMEM, "no memory for the times of %zu samples",
				    p->samples.n);
	}
	*ret = take(tree);
	if (ret_moments)
		*ret_moments = take(moments);
	return 0;
}

/* --- the chart ----------------------------------------------------------------------------- */

/* A stack of one slot. */
struct stay {
	int64_t value;
	uint32_t began; /* the first slot of its root */
	uint32_t root;	/* node of the call tree: see root_of() */
	uint32_t slot;
	uint32_t rank; /* of its node, as the call tree is drawn */
	uint32_t node;
};

struct chart {
	const struct profile *p;
	const struct view *view;
	const struct calltree *calls;
	const struct timeline *timeline;
	uint32_t *nodes;  /* of the call tree, by sample */
	uint32_t *ranks;  /* of its nodes, in preorder */
	uint32_t *roots;  /* of its nodes */
	uint32_t *began;  /* of roots, by node */
	uint32_t *frames; /* of its nodes in the flame tree; PROFILE_NONE: not yet */
	struct stay *stays;
	size_t n_stays;
	struct flame_tree *tree;
};

static void chart_release(struct chart *c)
{
	free(c->nodes);
	free(c->ranks);
	free(c->roots);
	free(c->began);
	free(c->frames);
	free(c->stays);
	flame_tree_free(c->tree);
}

static int by_time(const void *a, const void *b)
{
	const struct stay *x = a, *y = b;
	int order = (x->began > y->began) - (x->began < y->began);

	if (!order)
		order = (x->root > y->root) - (x->root < y->root);
	if (!order)
		order = (x->slot > y->slot) - (x->slot < y->slot);
	if (order)
		return order;
	order = (x->rank > y->rank) - (x->rank < y->rank);
	/* Every other slot backwards, so that it begins with what the one before has ended with. */
	return x->slot % 2 ? -order : order;
}

/* Whose time it is: the process or thread below node 0, or node 0 for what belongs to none. */
static uint32_t root_of(const struct chart *c, uint32_t node)
{
	const struct calltree_node *n = &c->calls->nodes[node];

	if (!node || c->view->no_comm)
		return 0;
	if (n->parent)
		return c->roots[n->parent];
	return n->kind == FRAME_SYNTHETIC ? node : 0;
}

/* Preorder by the children's order. */
static void rank_nodes(struct chart *c)
{
	const struct calltree_node *nodes = c->calls->nodes;
	uint32_t at = 0, rank = 0;

	for (;;) {
		c->ranks[at] = rank++;
		c->roots[at] = root_of(c, at);
		if (nodes[at].first_child != PROFILE_NONE) {
			at = nodes[at].first_child;
			continue;
		}
		while (at && nodes[at].next == PROFILE_NONE)
			at = nodes[at].parent;
		if (!at)
			return;
		at = nodes[at].next;
	}
}

static void collect_stays(struct chart *c)
{
	uint32_t i;

	for (i = 0; i < c->p->samples.n; i++) {
		uint32_t node = c->nodes[i], root = c->roots[node];
		struct stay stay = {
			.value = profile_values_at(c->p, i)[c->view->value],
			.root = root,
			.slot = c->timeline->slots[i],
			.rank = c->ranks[node],
			.node = node,
		};

		if (stay.value <= 0)
			continue;
		if (stay.slot < c->began[root])
			c->began[root] = stay.slot;
		c->stays[c->n_stays++] = stay;
	}
	for (i = 0; i < c->n_stays; i++)
		c->stays[i].began = c->began[c->stays[i].root];
	qsort(c->stays, c->n_stays, sizeof(*c->stays), by_time);
}

/* The frames from the root on; 0 or an error of the flame tree. */
static int add_stay(struct chart *c, const struct stay *stay)
{
	const struct calltree *calls = c->calls;
	uint32_t path[PROFILE_MAX_DEPTH + 1], depth = calls->nodes[stay->node].depth, at, n = depth;
	int err = 0;

	if (depth > PROFILE_MAX_DEPTH + 1)
		return errf(-EOVERFLOW, "a stack of %u frames is too deep", depth);
	for (at = stay->node; at && !err; at = calls->nodes[at].parent) {
		if (c->frames[at] == PROFILE_NONE)
			err = flame_tree_add_frame(c->tree, calltree_name(calls, at),
						   calltree_module(calls, at),
						   calls->nodes[at].kind, &c->frames[at]);
		path[--n] = c->frames[at];
	}
	return err ? err : flame_tree_add(c->tree, path, depth, stay->value, 0);
}

static int chart_set_up(struct chart *c)
{
	size_t n = c->calls->n_nodes;

	c->ranks = calloc(n, sizeof(*c->ranks));
	c->roots = calloc(n, sizeof(*c->roots));
	c->began = array_of_none(n);
	c->frames = array_of_none(n);
	c->stays = calloc(c->p->samples.n + 1, sizeof(*c->stays));
	if (!c->ranks || !c->roots || !c->began || !c->frames || !c->stays)
		return errf(-ENOMEM, "no memory for a chart of %zu samples", c->p->samples.n);
	return flame_tree_new(true, &c->tree);
}

static int draw_chart(struct chart *c)
{
	size_t i;
	int err;

	if (!c->timeline->slot_ns)
		return errf(-EINVAL, "a flame chart needs samples in time: record with --timeline");
	err = chart_set_up(c);
	if (err)
		return err;
	rank_nodes(c);
	collect_stays(c);
	for (i = 0; i < c->n_stays && !err; i++)
		err = add_stay(c, &c->stays[i]);
	return err ? err : flame_tree_finish(c->tree);
}

int flame_chart_of_profile(const struct profile *p, const struct view *view,
			   struct flame_tree **ret)
{
	_cleanup_(timeline_freep) struct timeline *timeline = NULL;
	_cleanup_(calltree_freep) struct calltree *calls = NULL;
	_cleanup_(chart_release) struct chart c = { .p = p, .view = view };
	int err = timeline_new(p, &timeline);

	c.nodes = calloc(p->samples.n + 1, sizeof(*c.nodes));
	if (!err && !c.nodes)
		err = errf(-ENOMEM, "no memory for a chart of %zu samples", p->samples.n);
	if (!err)
		err = calltree_new_with(p, view, &calls, c.nodes);
	c.calls = calls;
	c.timeline = timeline;
	if (!err)
		err = draw_chart(&c);
	if (!err)
		*ret = take(c.tree);
	return err;
}
