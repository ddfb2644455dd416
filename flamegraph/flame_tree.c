/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/flame_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/hash.h"
#include "user/base/keyset.h"
#include "user/base/saturate.h"

/* A child that is not its parent's first; what is looked for is read from the node. */
struct child_slot {
	uint32_t node; /* 0 for an empty slot: the root is nobody's child */
	uint32_t tag;  /* of the hash; spares most looks at nodes that differ */
};

#define AHEAD 16 /* nodes: so many reads may be on their way */

struct step {
	uint32_t frame, node;
};

struct flame_building {
	struct keyset frames; /* key i is frame i + 1: "all" is nobody else's frame */
	struct step *last;    /* the stack added last */
	size_t n_last, last_cap;
	/* Most nodes have one child, which its parent knows. Here are the others. */
	struct child_slot *slots;
	size_t n_slots; /* a power of two, or 0 */
	size_t n_children;
};

static void building_free(struct flame_building *b)
{
	if (!b)
		return;
	keyset_release(&b->frames);
	free(b->last);
	free(b->slots);
	free(b);
}

void flame_tree_free(struct flame_tree *tree)
{
	if (!tree)
		return;
	building_free(tree->building);
	strtab_release(&tree->names);
	free(tree->frames);
	free(tree->nodes);
	free(tree->before);
	free(tree->leads);
	free(tree->verdicts);
	free(tree);
}

static int no_room(int err)
{
	return errf(err, "cannot keep all stacks: %s", strerror(-err));
}

/* --- frames -------------------------------------------------------------------------------- */

static int add_frame(struct flame_tree *tree, const char *name, const char *module, uint32_t kind,
		     uint32_t *ret)
{
	struct flame_frame key = { .kind = kind };
	uint32_t i;
	int err, is_new;

	err = strtab_add(&tree->names, name, &key.name);
	if (!err)
		err = strtab_add(&tree->names, module, &key.module);
	if (!err)
		err = array_reserve(tree->frames, tree->frames_cap, tree->n_frames + 1);
	if (err)
		return err;
	is_new = keyset_add(&tree->building->frames, &key, &i);
	if (is_new < 0)
		return is_new;
	if (is_new)
		tree->frames[tree->n_frames++] = key;
	*ret = i + 1;
	return 0;
}

int flame_tree_add_frame(struct flame_tree *tree, const char *name, const char *module,
			 uint32_t kind, uint32_t *ret)
{
	int err = add_frame(tree, name, module, kind, ret);

	return err ? no_room(err) : 0;
}

/* --- nodes --------------------------------------------------------------------------------- */

/* Room for n more, in 'before' and 'leads', too, if there are any. */
static int reserve_nodes(struct flame_tree *tree, size_t n)
{
	size_t before_cap = tree->nodes_cap, leads_cap = tree->nodes_cap;

	if (n > UINT32_MAX - 1 - tree->n_nodes)
		return -EOVERFLOW;
	if (tree->before && array_reserve(tree->before, before_cap, tree->n_nodes + n))
		return -ENOMEM;
	if (tree->leads && array_reserve(tree->leads, leads_cap, tree->n_nodes + n))
		return -ENOMEM;
	return array_reserve(tree->nodes, tree->nodes_cap, tree->n_nodes + n);
}

static int make_before(struct flame_tree *tree)
{
	tree->before = calloc(tree->nodes_cap, sizeof(*tree->before));
	return tree->before ? 0 : -ENOMEM;
}

static uint64_t child_hash(uint32_t parent, uint32_t frame)
{
	uint64_t key = (uint64_t)parent << 32 | frame;

	return hash_bytes(&key, sizeof(key));
}

/* The slot that holds the child, or the empty one where it would go. The table is never full. */
static struct child_slot *slot_of(const struct flame_tree *tree, uint32_t parent, uint32_t frame,
				  uint64_t hash)
{
	const struct flame_building *b = tree->building;
	size_t mask = b->n_slots - 1, i;

	for (i = hash & mask; b->slots[i].node; i = (i + 1) & mask) {
		const struct flame_node *node = &tree->nodes[b->slots[i].node];

		if (b->slots[i].tag == hash >> 32 && node->parent == parent && node->frame == frame)
			break;
	}
	return &b->slots[i];
}

static int grow_slots(struct flame_tree *tree)
{
	struct flame_building *b = tree->building;
	size_t n_old = b->n_slots, i;
	struct child_slot *old = b->slots;

	b->n_slots = n_old ? n_old * 2 : 64;
	b->slots = calloc(b->n_slots, sizeof(*b->slots));
	if (!b->slots) {
		b->slots = old;
		b->n_slots = n_old;
		return -ENOMEM;
	}
	for (i = 0; i < n_old; i++) {
		const struct flame_node *node = &tree->nodes[old[i].node];

		if (old[i].node)
			*slot_of(tree, node->parent, node->frame,
				 child_hash(node->parent, node->frame)) = old[i];
	}
	free(old);
	return 0;
}

/* PROFILE_NONE if there is none. */
static uint32_t find_child(const struct flame_tree *tree, uint32_t parent, uint32_t frame)
{
	uint32_t first = tree->nodes[parent].first_child, node;

	if (first == PROFILE_NONE || tree->nodes[first].frame == frame)
		return first;
	if (tree->nodes[first].next == PROFILE_NONE)
		return PROFILE_NONE;
	node = slot_of(tree, parent, frame, child_hash(parent, frame))->node;
	return node ? node : PROFILE_NONE;
}

static void push_node(struct flame_tree *tree, uint32_t parent, uint32_t frame, uint32_t next)
{
	tree->nodes[tree->n_nodes] = (struct flame_node){
		.parent = parent,
		.first_child = PROFILE_NONE,
		.next = next,
		.frame = frame,
	};
	if (tree->before)
		tree->before[tree->n_nodes] = 0;
	if (tree->leads)
		tree->leads[tree->n_nodes] = tree->nodes[parent].value;
	tree->n_nodes++;
}

/*
 * Adds a child that is not there yet. A parent's list begins with its first child, which alone is
 * not in the table, and goes on with the last one; in a chart with the last one.
 */
static int add_child(struct flame_tree *tree, uint32_t parent, uint32_t frame, uint32_t *ret)
{
	uint32_t first = tree->nodes[parent].first_child, node = tree->n_nodes;
	struct flame_building *b = tree->building;
	int err = reserve_nodes(tree, 1);

	if (err)
		return err;
	if (tree->is_chart || first == PROFILE_NONE) {
		push_node(tree, parent, frame, first);
		tree->nodes[parent].first_child = node;
	} else {
		uint64_t hash = child_hash(parent, frame);

		if (b->n_children * 3 >= b->n_slots * 2 && grow_slots(tree))
			return -ENOMEM;
		push_node(tree, parent, frame, tree->nodes[first].next);
		tree->nodes[first].next = node;
		*slot_of(tree, parent, frame, hash) =
			(struct child_slot){ .node = node, .tag = hash >> 32 };
		b->n_children++;
	}
	*ret = node;
	return 0;
}

/* Below a node without children: a stack's own frames, each the only child of the one before. */
static int add_chain(struct flame_tree *tree, uint32_t parent, const uint32_t *frames, size_t n,
		     struct step *steps)
{
	int err = reserve_nodes(tree, n);
	size_t i;

	if (err)
		return err;
	for (i = 0; i < n; i++) {
		uint32_t node = tree->n_nodes;

		push_node(tree, parent, frames[i], PROFILE_NONE);
		tree->nodes[parent].first_child = node;
		steps[i] = (struct step){ .frame = frames[i], .node = node };
		parent = node;
	}
	return 0;
}

static int add_value(struct flame_tree *tree, uint32_t node, int64_t value, int64_t before)
{
	if (before > 0) {
		if (!tree->before && make_before(tree))
			return -ENOMEM;
		add_saturating(&tree->before[node], before);
	}
	if (value > 0)
		add_saturating(&tree->nodes[node].value, value);
	return 0;
}

/* The node of the stack, and all of it in building->last. */
static int walk(struct flame_tree *tree, const uint32_t *frames, size_t n, uint32_t *ret)
{
	struct flame_building *b = tree->building;
	uint32_t node = 0;
	size_t i = 0;
	int err = 0;

	if (array_reserve(b->last, b->last_cap, n))
		return -ENOMEM;
	while (i < n && i < b->n_last && b->last[i].frame == frames[i])
		i++;
	if (i)
		node = b->last[i - 1].node;
	b->n_last = i;
	for (; !err && i < n && tree->nodes[node].first_child != PROFILE_NONE; i++) {
		/* In a chart what is not below the stack before this one is over. */
		uint32_t child = tree->is_chart ? PROFILE_NONE : find_child(tree, node, frames[i]);

		if (child == PROFILE_NONE)
			err = add_child(tree, node, frames[i], &child);
		if (err)
			return err;
		node = child;
		b->last[i] = (struct step){ .frame = frames[i], .node = node };
		b->n_last = i + 1;
	}
	if (i < n) {
		err = add_chain(tree, node, frames + i, n - i, b->last + i);
		if (err)
			return err;
		b->n_last = n;
		node = tree->n_nodes - 1;
	}
	*ret = node;
	return 0;
}

int flame_tree_add(struct flame_tree *tree, const uint32_t *frames, size_t n, int64_t value,
		   int64_t before)
{
	uint32_t node;
	int err = walk(tree, frames, n, &node);

	if (!err)
		err = add_value(tree, node, value, before);
	return err ? no_room(err) : 0;
}

int flame_tree_add_child(struct flame_tree *tree, uint32_t parent, uint32_t frame, uint32_t *ret)
{
	uint32_t child = find_child(tree, parent, frame);
	int err = child == PROFILE_NONE ? add_child(tree, parent, frame, &child) : 0;

	if (err)
		return no_room(err);
	*ret = child;
	return 0;
}

int flame_tree_add_value(struct flame_tree *tree, uint32_t node, int64_t value, int64_t before)
{
	int err = add_value(tree, node, value, before);

	return err ? no_room(err) : 0;
}

int flame_tree_start_before(struct flame_tree *tree)
{
	return make_before(tree) ? no_room(-ENOMEM) : 0;
}

int flame_tree_new(bool is_chart, struct flame_tree **ret)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = calloc(1, sizeof(*tree));
	struct flame_frame all = { .kind = FRAME_SYNTHETIC };

	if (!tree)
		return errf(-ENOMEM, "no memory for a tree of stacks");
	tree->is_chart = is_chart;
	tree->scale_before = tree->scale_after = 1;
	tree->building = calloc(1, sizeof(*tree->building));
	if (!tree->building)
		return errf(-ENOMEM, "no memory for a tree of stacks");
	keyset_init(&tree->building->frames, sizeof(struct flame_frame));
	if (strtab_init(&tree->names) || strtab_add(&tree->names, "all", &all.name) ||
	    array_reserve(tree->frames, tree->frames_cap, 1) || reserve_nodes(tree, 1))
		return errf(-ENOMEM, "no memory for a tree of stacks");
	tree->frames[tree->n_frames++] = all;
	push_node(tree, PROFILE_NONE, 0, PROFILE_NONE);
	if (is_chart) {
		tree->leads = calloc(tree->nodes_cap, sizeof(*tree->leads));
		if (!tree->leads)
			return errf(-ENOMEM, "no memory for a tree of stacks");
	}
	*ret = take(tree);
	return 0;
}

/* --- finishing ----------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b, void *arg)
{
	const struct flame_tree *tree = arg;
	const struct flame_frame *x = &tree->frames[*(const uint32_t *)a];
	const struct flame_frame *y = &tree->frames[*(const uint32_t *)b];
	int order = 0;

	if (x->name != y->name)
		order = strcmp(strtab_get(&tree->names, x->name),
			       strtab_get(&tree->names, y->name));
	if (!order)
		order = (x->kind > y->kind) - (x->kind < y->kind);
	if (!order)
		order = strcmp(strtab_get(&tree->names, x->module),
			       strtab_get(&tree->names, y->module));
	return order;
}

/* The place of each frame in the order of siblings; NULL if there is no memory. */
static uint32_t *rank_frames(struct flame_tree *tree)
{
	_cleanup_(freep) uint32_t *order = calloc(tree->n_frames, sizeof(*order));
	_cleanup_(freep) uint32_t *rank = calloc(tree->n_frames, sizeof(*rank));
	uint32_t i;

	if (!order || !rank)
		return NULL;
	for (i = 0; i < tree->n_frames; i++)
		order[i] = i;
	qsort_r(order, tree->n_frames, sizeof(*order), by_name, tree);
	for (i = 0; i < tree->n_frames; i++)
		rank[order[i]] = i;
	return take(rank);
}

/* Children of one node: place in the order in the upper half, node in the lower one. */
struct siblings {
	uint64_t *keys;
	size_t cap;
};

static int by_key(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void sort_keys(uint64_t *keys, size_t n)
{
	size_t i, j;

	if (n > 16) {
		qsort(keys, n, sizeof(*keys), by_key);
		return;
	}
	for (i = 1; i < n; i++) {
		uint64_t key = keys[i];

		for (j = i; j && keys[j - 1] > key; j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
	}
}

/* 'rank' NULL: in the order of their arrival, which is that of their numbers. */
static int sort_children(struct flame_tree *tree, uint32_t parent, const uint32_t *rank,
			 struct siblings *siblings)
{
	uint32_t node = tree->nodes[parent].first_child, next = PROFILE_NONE;
	size_t n = 0;

	if (node == PROFILE_NONE || tree->nodes[node].next == PROFILE_NONE)
		return 0;
	for (; node != PROFILE_NONE; node = tree->nodes[node].next) {
		uint64_t place = rank ? rank[tree->nodes[node].frame] : 0;

		if (array_reserve(siblings->keys, siblings->cap, n + 1))
			return -ENOMEM;
		siblings->keys[n++] = place << 32 | node;
	}
	sort_keys(siblings->keys, n);
	while (n--) {
		node = (uint32_t)siblings->keys[n];
		tree->nodes[node].next = next;
		next = node;
	}
	tree->nodes[parent].first_child = next;
	return 0;
}

/* Has memory answer in time for what node i's turn will need. */
static void ask_ahead(const struct flame_tree *tree, size_t i)
{
	uint32_t first = tree->nodes[i].first_child;

	__builtin_prefetch(&tree->nodes[tree->nodes[i].parent]);
	if (first != PROFILE_NONE && tree->nodes[first].next != PROFILE_NONE)
		__builtin_prefetch(&tree->nodes[tree->nodes[first].next]);
}

/* Children have larger numbers: from the last node on, each is complete when it is met. */
static int sort_and_add_up(struct flame_tree *tree, const uint32_t *rank)
{
	struct siblings siblings = { 0 };
	int err = 0;
	size_t i;

	for (i = tree->n_nodes; !err && i--;) {
		if (i > AHEAD)
			ask_ahead(tree, i - AHEAD);
		err = sort_children(tree, i, rank, &siblings);
		if (!i)
			break;
		add_saturating(&tree->nodes[tree->nodes[i].parent].value, tree->nodes[i].value);
		if (tree->before)
			add_saturating(&tree->before[tree->nodes[i].parent], tree->before[i]);
	}
	free(siblings.keys);
	return err;
}

int flame_tree_finish(struct flame_tree *tree)
{
	_cleanup_(freep) uint32_t *rank = NULL;
	int err = 0;

	building_free(take(tree->building));
	if (!tree->is_chart) {
		rank = rank_frames(tree);
		err = rank ? 0 : -ENOMEM;
	}
	if (!err)
		err = sort_and_add_up(tree, rank);
	return err ? errf(err, "no memory to sort a tree of %zu frames", tree->n_nodes) : 0;
}

/* --- reading ------------------------------------------------------------------------------- */

/* Sums that were too large are cut, so that parts may be more than the whole. */
int64_t flame_tree_self(const struct flame_tree *tree, uint32_t node)
{
	int64_t self = tree->nodes[node].value;
	uint32_t child;

	for (child = tree->nodes[node].first_child; child != PROFILE_NONE && self > 0;
	     child = tree->nodes[child].next)
		self -= tree->nodes[child].value;
	return self > 0 ? self : 0;
}

int64_t flame_tree_self_before(const struct flame_tree *tree, uint32_t node)
{
	int64_t self = tree->before ? tree->before[node] : 0;
	uint32_t child;

	for (child = tree->nodes[node].first_child; child != PROFILE_NONE && self > 0;
	     child = tree->nodes[child].next)
		self -= tree->before[child];
	return self > 0 ? self : 0;
}
