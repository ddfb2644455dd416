/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/report_tree.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

/* Nodes that wait for their line: siblings in reverse, so that the largest is taken first. */
struct waiting {
	struct report_line *stack;
	size_t n, cap;
};

void report_tree_free(struct report_tree *t)
{
	if (!t)
		return;
	free(t->lines);
	free(t);
}

static int smaller_first(const void *x, const void *y, void *arg)
{
	const struct calltree *tree = arg;
	const struct report_line *a = x, *b = y;
	int64_t at = tree->nodes[a->node].total, bt = tree->nodes[b->node].total;
	int order;

	if (at != bt)
		return at < bt ? -1 : 1;
	order = strcmp(calltree_name(tree, b->node), calltree_name(tree, a->node));
	return order ? order : (a->node < b->node) - (a->node > b->node);
}

/* Pushes the children of a line that are large enough; how many is in the line. */
static int push_children(const struct calltree *tree, double least, struct report_tree *t,
			 uint32_t line, struct waiting *w)
{
	uint32_t i = tree->nodes[t->lines[line].node].first_child;
	size_t first = w->n;

	for (; i != PROFILE_NONE; i = tree->nodes[i].next) {
		if (fabs((double)tree->nodes[i].total) < least) {
			t->pruned++;
			if (__builtin_add_overflow(t->pruned_total, tree->nodes[i].total,
						   &t->pruned_total))
				t->pruned_total = INT64_MAX;
			continue;
		}
		if (array_reserve(w->stack, w->cap, w->n + 1))
			return -ENOMEM;
		w->stack[w->n++] = (struct report_line){ .node = i, .parent = line };
	}
	t->lines[line].n_children = w->n - first;
	if (w->n > first) {
		qsort_r(w->stack + first, w->n - first, sizeof(*w->stack), smaller_first,
			(void *)tree);
		w->stack[first].last = true;
	}
	return 0;
}

static int fill(const struct calltree *tree, double least, struct report_tree *t, struct waiting *w)
{
	size_t cap = 0;
	int err;

	if (array_reserve(w->stack, w->cap, 1))
		return -ENOMEM;
	w->stack[w->n++] = (struct report_line){ .parent = PROFILE_NONE, .last = true };
	while (w->n) {
		if (array_reserve(t->lines, cap, t->n + 1))
			return -ENOMEM;
		t->lines[t->n++] = w->stack[--w->n];
		err = push_children(tree, least, t, t->n - 1, w);
		if (err)
			return err;
	}
	return 0;
}

int report_tree_new(const struct calltree *tree, double min_share, struct report_tree **ret)
{
	_cleanup_(report_tree_freep) struct report_tree *t = calloc(1, sizeof(*t));
	struct waiting w = { 0 };
	int err = -ENOMEM;

	if (t)
		err = fill(tree, min_share * fabs((double)tree->nodes[0].total), t, &w);
	free(w.stack);
	if (err)
		return errf(err, "cannot show a tree of %zu nodes: no memory", tree->n_nodes);
	*ret = take(t);
	return 0;
}
