/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/saturate.h"

/* What makes two nodes one row. */
struct row_key {
	uint32_t name, module, kind;
	uint32_t file, line; /* 0 unless lines are told apart */
};

/* The row of each node, and what of a walk through the tree is being passed. */
struct rows {
	const struct calltree *tree;
	struct keyset keys; /* of struct row_key; key i is row i */
	uint32_t *row_of;   /* node -> row */
	uint32_t *active;   /* row -> how often it is on the way from the root to here */
};

/* Called on the way down and up again; what it returns does not stop the walk. */
typedef void (*visit_fn)(void *arg, uint32_t node, bool entering);

static void rows_release(struct rows *rows)
{
	keyset_release(&rows->keys);
	free(rows->row_of);
	free(rows->active);
}

static int rows_init(struct rows *rows, const struct calltree *tree)
{
	size_t i;
	int err;

	*rows = (struct rows){ .tree = tree };
	keyset_init(&rows->keys, sizeof(struct row_key));
	rows->row_of = calloc(tree->n_nodes, sizeof(*rows->row_of));
	if (!rows->row_of)
		return -ENOMEM;
	for (i = 0; i < tree->n_nodes; i++) {
		const struct calltree_node *node = &tree->nodes[i];
		struct row_key key = { .name = node->name, .module = node->module };

		key.kind = node->kind;
		key.line = node->line;
		key.file = node->line ? node->file : 0;

		err = keyset_add(&rows->keys, &key, &rows->row_of[i]);
		if (err < 0)
			return err;
	}
	rows->active = calloc(rows->keys.n, sizeof(*rows->active));
	return rows->active ? 0 : -ENOMEM;
}

/* Node 0 and the process or thread names below it are no functions. */
static bool is_function(const struct calltree *tree, uint32_t i)
{
	const struct calltree_node *node = &tree->nodes[i];

	return node->depth > 1 || (node->depth == 1 && node->kind != FRAME_SYNTHETIC);
}

static void walk(const struct calltree *tree, visit_fn visit, void *arg)
{
	uint32_t i = 0;

	for (;;) {
		visit(arg, i, true);
		if (tree->nodes[i].first_child != PROFILE_NONE) {
			i = tree->nodes[i].first_child;
			continue;
		}
		while (i && tree->nodes[i].next == PROFILE_NONE) {
			visit(arg, i, false);
			i = tree->nodes[i].parent;
		}
		visit(arg, i, false);
		if (!i)
			return;
		i = tree->nodes[i].next;
	}
}

/* Rows with zero values for all keys, in the order of their keys. NULL if there is no memory. */
static struct top_row *empty_rows(const struct rows *rows)
{
	struct top_row *r = calloc(rows->keys.n, sizeof(*r));
	uint32_t i;

	for (i = 0; r && i < rows->keys.n; i++) {
		const struct row_key *key = keyset_key(&rows->keys, i);

		r[i].function = strtab_get(&rows->tree->names, key->name);
		r[i].module = strtab_get(&rows->tree->names, key->module);
		r[i].kind = key->kind;
		r[i].line = key->line;
		r[i].file = "";
	}
	/* The first file that is known of any node. */
	for (i = 0; r && i < rows->tree->n_nodes; i++) {
		struct top_row *row = &r[rows->row_of[i]];

		if (!*row->file)
			row->file = calltree_file(rows->tree, i);
	}
	return r;
}

/* Moves the rows that were met to the front; how many they are. */
static size_t keep_met(struct top_row *r, const bool *met, size_t n)
{
	size_t i, kept = 0;

	for (i = 0; i < n; i++) {
		if (met[i])
			r[kept++] = r[i];
	}
	return kept;
}

static int by_name(const struct top_row *a, const struct top_row *b)
{
	int order = strcmp(a->function, b->function);

	if (!order)
		order = strcmp(a->module, b->module);
	if (!order)
		order = (a->kind > b->kind) - (a->kind < b->kind);
	if (!order)
		order = strcmp(a->file, b->file);
	return order ? order : (a->line > b->line) - (a->line < b->line);
}

static int by_self(const void *x, const void *y)
{
	const struct top_row *a = x, *b = y;

	if (a->self != b->self)
		return a->self > b->self ? -1 : 1;
	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	return by_name(a, b);
}

static int by_total(const void *x, const void *y)
{
	const struct top_row *a = x, *b = y;

	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	if (a->self != b->self)
		return a->self > b->self ? -1 : 1;
	return by_name(a, b);
}

/* --- all functions ------------------------------------------------------------------------- */

struct top_walk {
	struct rows rows;
	struct top_row *out;
	bool *met;
};

static void visit_for_top(void *arg, uint32_t node, bool entering)
{
	struct top_walk *w = arg;
	const struct calltree_node *n = &w->rows.tree->nodes[node];
	uint32_t row = w->rows.row_of[node];

	if (!is_function(w->rows.tree, node))
		return;
	if (!entering) {
		w->rows.active[row]--;
		return;
	}
	w->met[row] = true;
	add_saturating(&w->out[row].self, n->self);
	if (!w->rows.active[row]++)
		add_saturating(&w->out[row].total, n->total);
}

static int sum_top(struct top_walk *w, const struct calltree *tree)
{
	int err = rows_init(&w->rows, tree);

	if (err)
		return err;
	w->out = empty_rows(&w->rows);
	w->met = calloc(w->rows.keys.n, sizeof(*w->met));
	if (!w->out || !w->met)
		return -ENOMEM;
	walk(tree, visit_for_top, w);
	return 0;
}

int top_new(const struct calltree *tree, struct top **ret)
{
	_cleanup_(top_freep) struct top *top = calloc(1, sizeof(*top));
	struct top_walk w = { 0 };
	int err = -ENOMEM;

	if (top)
		err = sum_top(&w, tree);
	if (!err) {
		top->n = keep_met(w.out, w.met, w.rows.keys.n);
		top->total = tree->nodes[0].total;
		top->rows = take(w.out);
		qsort(top->rows, top->n, sizeof(*top->rows), by_self);
	}
	rows_release(&w.rows);
	free(w.out);
	free(w.met);
	if (err)
		return errf(err, "cannot sum %zu functions: %s", tree->n_nodes, strerror(-err));
	*ret = take(top);
	return 0;
}

void top_free(struct top *top)
{
	if (!top)
		return;
	free(top->rows);
	free(top);
}

void top_sort_by_total(struct top *top)
{
	if (top->n)
		qsort(top->rows, top->n, sizeof(*top->rows), by_total);
}

/* --- one function -------------------------------------------------------------------------- */

struct neighbour_walk {
	struct rows rows;
	uint32_t name;	      /* of the function, in the tree's names */
	uint32_t inside;      /* frames of that name on the way from the root to here */
	uint32_t *into, *out; /* row -> calls from it, and to it, on the way to here */
	struct top_row *callers, *callees;
	bool *met_above, *met_below;
	bool found;
	int64_t self, total;
};

static bool is_asked_for(const struct neighbour_walk *w, uint32_t node)
{
	return w->rows.tree->nodes[node].name == w->name && is_function(w->rows.tree, node);
}

/* An edge that recursion passes again adds nothing: its samples have been counted further up. */
static void pass_edge(uint32_t *passed, struct top_row *rows, bool *met, uint32_t row,
		      int64_t value, bool entering)
{
	if (!entering) {
		passed[row]--;
		return;
	}
	met[row] = true;
	if (!passed[row]++)
		add_saturating(&rows[row].total, value);
}

static void visit_for_neighbours(void *arg, uint32_t node, bool entering)
{
	struct neighbour_walk *w = arg;
	const struct calltree_node *n = &w->rows.tree->nodes[node];

	if (node && is_asked_for(w, n->parent))
		pass_edge(w->out, w->callees, w->met_below, w->rows.row_of[node], n->total,
			  entering);
	if (!is_asked_for(w, node))
		return;
	pass_edge(w->into, w->callers, w->met_above, w->rows.row_of[n->parent], n->total, entering);
	if (!entering) {
		w->inside--;
		return;
	}
	w->found = true;
	add_saturating(&w->self, n->self);
	if (!w->inside++)
		add_saturating(&w->total, n->total);
}

static int sum_neighbours(struct neighbour_walk *w, const struct calltree *tree)
{
	int err = rows_init(&w->rows, tree);
	size_t n = w->rows.keys.n;

	if (err)
		return err;
	w->callers = empty_rows(&w->rows);
	w->callees = empty_rows(&w->rows);
	w->into = calloc(n, sizeof(*w->into));
	w->out = calloc(n, sizeof(*w->out));
	w->met_above = calloc(n, sizeof(*w->met_above));
	w->met_below = calloc(n, sizeof(*w->met_below));
	if (!w->callers || !w->callees || !w->into || !w->out || !w->met_above || !w->met_below)
		return -ENOMEM;
	walk(tree, visit_for_neighbours, w);
	return w->found ? 0 : -ENOENT;
}

static void neighbour_walk_release(struct neighbour_walk *w)
{
	rows_release(&w->rows);
	free(w->into);
	free(w->out);
	free(w->callers);
	free(w->callees);
	free(w->met_above);
	free(w->met_below);
}

static void take_neighbours(struct neighbour_walk *w, struct top_neighbours *n)
{
	n->n_callers = keep_met(w->callers, w->met_above, w->rows.keys.n);
	n->n_callees = keep_met(w->callees, w->met_below, w->rows.keys.n);
	n->callers = take(w->callers);
	n->callees = take(w->callees);
	n->self = w->self;
	n->total = w->total;
	qsort(n->callers, n->n_callers, sizeof(*n->callers), by_total);
	qsort(n->callees, n->n_callees, sizeof(*n->callees), by_total);
}

int top_neighbours_new(const struct calltree *tree, const char *function,
		       struct top_neighbours **ret)
{
	_cleanup_(top_neighbours_freep) struct top_neighbours *n = calloc(1, sizeof(*n));
	struct neighbour_walk w = { .name = strtab_find(&tree->names, function) };
	int err = -ENOMEM;

	/* A name that no string has, UINT32_MAX, is the name of no node. */
	if (n)
		err = sum_neighbours(&w, tree);
	if (!err)
		take_neighbours(&w, n);
	neighbour_walk_release(&w);
	if (err == -ENOENT)
		return errf(err, "no function is called '%s'", function);
	if (err)
		return errf(err, "cannot sum what surrounds '%s': %s", function, strerror(-err));
	*ret = take(n);
	return 0;
}

void top_neighbours_free(struct top_neighbours *n)
{
	if (!n)
		return;
	free(n->callers);
	free(n->callees);
	free(n);
}
