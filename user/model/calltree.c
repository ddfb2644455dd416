/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/calltree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/saturate.h"

/* What makes two siblings one node. The module is not part of it: it is the first one seen. */
struct node_key {
	uint32_t parent, name, kind;
	uint32_t file, line; /* 0 unless the view tells lines apart */
};

/* What else is known of a frame. */
struct facts {
	const char *module;
	uint32_t file; /* string in 'names' */
};

struct builder {
	const struct profile *p;
	const struct view *view;
	struct calltree *tree;
	struct keyset keys; /* of struct node_key; key i is node i + 1 */
	uint32_t *name_of;  /* frame -> string in names, PROFILE_NONE until asked for */
	uint32_t *file_of;  /* the same for its source file */
	struct str text;
};

void calltree_free(struct calltree *tree)
{
	if (!tree)
		return;
	strtab_release(&tree->names);
	free(tree->nodes);
	free(tree);
}

const char *calltree_name(const struct calltree *tree, uint32_t node)
{
	return strtab_get(&tree->names, tree->nodes[node].name);
}

const char *calltree_module(const struct calltree *tree, uint32_t node)
{
	return strtab_get(&tree->names, tree->nodes[node].module);
}

const char *calltree_file(const struct calltree *tree, uint32_t node)
{
	return strtab_get(&tree->names, tree->nodes[node].file);
}

static int add_node(struct builder *b, const struct node_key *key, const struct facts *facts,
		    uint32_t *ret)
{
	struct calltree *tree = b->tree;
	struct calltree_node *node;
	uint32_t i;
	int err;

	if (array_reserve(tree->nodes, tree->nodes_cap, tree->n_nodes + 1))
		return -ENOMEM;
	err = keyset_add(&b->keys, key, &i);
	if (err < 0)
		return err;
	*ret = i + 1;
	if (err == 0) {
		if (!tree->nodes[*ret].file)
			tree->nodes[*ret].file = facts->file;
		return 0;
	}
	node = &tree->nodes[tree->n_nodes++];
	*node = (struct calltree_node){
		.parent = key->parent,
		.first_child = PROFILE_NONE,
		.next = PROFILE_NONE,
		.name = key->name,
		.kind = key->kind,
		.file = facts->file,
		.line = key->line,
		.depth = tree->nodes[key->parent].depth + 1,
	};
	if (node->depth > tree->max_depth)
		tree->max_depth = node->depth;
	return strtab_add(&tree->names, facts->module, &node->module);
}

static int frame_name(struct builder *b, uint32_t frame, uint32_t *ret)
{
	int err;

	if (b->name_of[frame] == PROFILE_NONE) {
		str_clear(&b->text);
		err = view_frame_name(b->p, profile_frame_at(b->p, frame), &b->text);
		if (!err)
			err = strtab_add(&b->tree->names, str_text(&b->text), &b->name_of[frame]);
		if (err)
			return err;
	}
	*ret = b->name_of[frame];
	return 0;
}

static int frame_file(struct builder *b, uint32_t frame, uint32_t *ret)
{
	uint32_t file = profile_frame_at(b->p, frame)->file;
	int err = 0;

	if (b->file_of[frame] == PROFILE_NONE)
		err = strtab_add(&b->tree->names, profile_string(b->p, file), &b->file_of[frame]);
	*ret = b->file_of[frame];
	return err;
}

/* The node of the process or thread at the root of a sample's stack; node 0 if it has none. */
static int add_root(struct builder *b, uint32_t labels, uint32_t *ret)
{
	struct node_key key = { .parent = 0, .kind = FRAME_SYNTHETIC };
	struct facts facts = { .module = "" };
	int err;

	str_clear(&b->text);
	err = view_root(b->p, labels, b->view, &b->text);
	if (err)
		return err;
	*ret = 0;
	if (!b->text.len)
		return 0;
	err = strtab_add(&b->tree->names, str_text(&b->text), &key.name);
	return err ? err : add_node(b, &key, &facts, ret);
}

static int add_sample(struct builder *b, uint32_t sample, uint32_t *ret)
{
	const struct profile_sample *s = profile_sample_at(b->p, sample);
	int64_t value = profile_values_at(b->p, sample)[b->view->value];
	uint32_t path[PROFILE_MAX_DEPTH], n = 0, node, at;
	int err;

	err = add_root(b, s->labels, &at);
	for (node = s->node; node != PROFILE_NONE && n < PROFILE_MAX_DEPTH;
	     node = profile_node_at(b->p, node)->parent)
		path[n++] = profile_node_at(b->p, node)->frame;
	while (!err && n--) {
		const struct profile_frame *frame = profile_frame_at(b->p, path[n]);
		struct node_key key = { .parent = at, .kind = frame->kind };
		struct facts facts = { .module = profile_frame_module(b->p, frame) };

		err = frame_name(b, path[n], &key.name);
		if (!err)
			err = frame_file(b, path[n], &facts.file);
		if (b->view->with_lines) {
			key.file = facts.file;
			key.line = frame->line;
		}
		if (!err)
			err = add_node(b, &key, &facts, &at);
	}
	if (!err) {
		add_saturating(&b->tree->nodes[at].self, value);
		*ret = at;
	}
	return err;
}

static void add_totals(struct calltree *tree)
{
	size_t i;

	for (i = tree->n_nodes; i--;) {
		struct calltree_node *node = &tree->nodes[i];

		add_saturating(&node->total, node->self);
		if (i)
			add_saturating(&tree->nodes[node->parent].total, node->total);
	}
}

static int by_parent_and_name(const void *a, const void *b, void *arg)
{
	const struct calltree *tree = arg;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct calltree_node *x = &tree->nodes[i], *y = &tree->nodes[j];
	int order;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	order = strcmp(calltree_name(tree, i), calltree_name(tree, j));
	if (!order)
		order = (x->kind > y->kind) - (x->kind < y->kind);
	if (!order)
		order = strcmp(calltree_file(tree, i), calltree_file(tree, j));
	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int link_children(struct calltree *tree)
{
	_cleanup_(freep) uint32_t *order = calloc(tree->n_nodes, sizeof(*order));
	size_t i;

	if (!order)
		return -ENOMEM;
	for (i = 0; i < tree->n_nodes; i++)
		order[i] = i;
	qsort_r(order + 1, tree->n_nodes - 1, sizeof(*order), by_parent_and_name, tree);
	for (i = tree->n_nodes - 1; i; i--) {
		struct calltree_node *parent = &tree->nodes[tree->nodes[order[i]].parent];

		tree->nodes[order[i]].next = parent->first_child;
		parent->first_child = order[i];
	}
	return 0;
}

/* The root that holds everything. */
static int plant(struct calltree *tree)
{
	uint32_t all;

	if (strtab_init(&tree->names) || strtab_add(&tree->names, "all", &all) ||
	    array_reserve(tree->nodes, tree->nodes_cap, 1))
		return -ENOMEM;
	tree->nodes[tree->n_nodes++] = (struct calltree_node){
		.parent = PROFILE_NONE,
		.first_child = PROFILE_NONE,
		.next = PROFILE_NONE,
		.name = all,
		.kind = FRAME_SYNTHETIC,
	};
	return 0;
}

static int build(struct builder *b, uint32_t *nodes)
{
	struct calltree *tree = b->tree;
	uint32_t i, node = 0;
	int err;

	b->name_of = array_of_none(b->p->frames.n);
	b->file_of = array_of_none(b->p->frames.n);
	if (!b->name_of || !b->file_of)
		return -ENOMEM;
	err = plant(tree);
	if (err)
		return err;
	for (i = 0; i < b->p->samples.n; i++) {
		err = add_sample(b, i, &node);
		if (err)
			return err;
		if (nodes)
			nodes[i] = node;
	}
	add_totals(tree);
	return link_children(tree);
}

int calltree_new(const struct profile *p, const struct view *view, struct calltree **ret)
{
	return calltree_new_with(p, view, ret, NULL);
}

int calltree_new_with(const struct profile *p, const struct view *view, struct calltree **ret,
		      uint32_t *nodes)
{
	_cleanup_(calltree_freep) struct calltree *tree = calloc(1, sizeof(*tree));
	struct builder b = { .p = p, .view = view, .tree = tree };
	int err = -ENOMEM;

	keyset_init(&b.keys, sizeof(struct node_key));
	if (tree)
		err = build(&b, nodes);
	keyset_release(&b.keys);
	str_release(&b.text);
	free(b.name_of);
	free(b.file_of);
	if (err)
		return errf(err, "cannot merge %zu stacks into a call tree: %s", p->samples.n,
			    strerror(-err));
	*ret = take(tree);
	return 0;
}

/* --- two trees as one --------------------------------------------------------------------------
 */

static int join_node(struct builder *b, const struct calltree *from, uint32_t i,
		     const uint32_t *map, uint32_t *ret)
{
	const struct calltree_node *node = &from->nodes[i];
	struct node_key key = { .kind = node->kind, .line = node->line };
	struct facts facts = { .module = calltree_module(from, i) };
	int err;

	key.parent = map[node->parent];
	err = strtab_add(&b->tree->names, calltree_name(from, i), &key.name);
	if (!err)
		err = strtab_add(&b->tree->names, calltree_file(from, i), &facts.file);
	key.file = node->line ? facts.file : 0;
	return err ? err : add_node(b, &key, &facts, ret);
}

/* Parents have smaller numbers, so that theirs is known. NULL, and an error in *ret_err. */
static uint32_t *join(struct builder *b, const struct calltree *from, int *ret_err)
{
	_cleanup_(freep) uint32_t *map = calloc(from->n_nodes, sizeof(*map));
	int err = map ? 0 : -ENOMEM;
	size_t i;

	for (i = 1; !err && i < from->n_nodes; i++)
		err = join_node(b, from, i, map, &map[i]);
	*ret_err = err;
	return err ? NULL : take(map);
}

int calltree_join(const struct calltree *a, const struct calltree *b, struct calltree **ret,
		  uint32_t **ret_a, uint32_t **ret_b)
{
	_cleanup_(calltree_freep) struct calltree *tree = calloc(1, sizeof(*tree));
	_cleanup_(freep) uint32_t *map_a = NULL, *map_b = NULL;
	struct builder builder = { .tree = tree };
	int err = -ENOMEM;

	keyset_init(&builder.keys, sizeof(struct node_key));
	if (tree)
		err = plant(tree);
	if (!err)
		map_a = join(&builder, a, &err);
	if (!err)
		map_b = join(&builder, b, &err);
	if (!err)
		err = link_children(tree);
	keyset_release(&builder.keys);
	if (err)
		return errf(err, "cannot join call trees of %zu and %zu frames: %s", a->n_nodes,
			    b->n_nodes, strerror(-err));
	*ret = take(tree);
	*ret_a = take(map_a);
	*ret_b = take(map_b);
	return 0;
}
