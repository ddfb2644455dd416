/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/stacks_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/export/folded_tree.h"
#include "user/base/json_parts.h"
#include "user/export/memory_json.h"

/* Samples that read the same. */
struct merged {
	uint32_t branch;
	int64_t values[MEMORY_VALUES];
	struct memory_sample known;
};

struct merging {
	const struct memory *m;
	const struct profile *p;
	struct folded_tree tree;
	uint32_t *stack_of; /* by branch: number in 'stacks', or UINT32_MAX */
	size_t stack_of_cap, n_stack_of;
	struct merged *stacks;
	size_t n, cap;
};

static void merging_release(struct merging *g)
{
	folded_tree_release(&g->tree);
	free(g->stack_of);
	free(g->stacks);
}

static void add_values(int64_t *sum, const int64_t *more)
{
	unsigned int v;

	for (v = 0; v < MEMORY_VALUES; v++) {
		if (__builtin_add_overflow(sum[v], more[v], &sum[v]))
			sum[v] = INT64_MAX;
	}
}

static int stack_at(struct merging *g, uint32_t branch, struct merged **ret)
{
	if (array_reserve(g->stack_of, g->stack_of_cap, g->tree.branches.n) ||
	    array_reserve(g->stacks, g->cap, g->n + 1))
		return -ENOMEM;
	while (g->n_stack_of < g->tree.branches.n)
		g->stack_of[g->n_stack_of++] = UINT32_MAX;
	if (g->stack_of[branch] == UINT32_MAX) {
		g->stack_of[branch] = (uint32_t)g->n;
		g->stacks[g->n++] = (struct merged){ .branch = branch };
	}
	*ret = &g->stacks[g->stack_of[branch]];
	return 0;
}

static int merge(struct merging *g)
{
	uint32_t i, branch;
	int err = 0;

	for (i = 0; i < g->p->samples.n && !err; i++) {
		struct merged *stack;

		err = folded_tree_add(&g->tree, i, &branch);
		if (!err)
			err = stack_at(g, branch, &stack);
		if (err)
			return err;
		add_values(stack->values, profile_values_at(g->p, i));
		if (i < g->m->n_samples)
			memory_sample_add(&stack->known, &g->m->samples[i]);
	}
	return err;
}

/* The most allocated bytes first; what is equal as it came, so that the order is always the same.
 */
static int by_space(const void *a, const void *b)
{
	const struct merged *x = a, *y = b;
	int64_t xv = x->values[MEMORY_ALLOC_SPACE], yv = y->values[MEMORY_ALLOC_SPACE];

	if (xv != yv)
		return xv < yv ? 1 : -1;
	return x->branch < y->branch ? -1 : x->branch > y->branch;
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool is_known(const struct memory *m, enum memory_value value)
{
	if (value == MEMORY_TEMPORARY_OBJECTS || value == MEMORY_TEMPORARY_SPACE)
		return m->has_frees && m->has_temporary;
	return m->has_frees || value <= MEMORY_ALLOC_SPACE;
}

static json_t *values_json(const struct memory *m, const int64_t *values)
{
	_cleanup_(json_decrefp) json_t *o = json_object();
	unsigned int v;

	for (v = 0; v < MEMORY_VALUES; v++) {
		if (json_object_set_new(o, memory_value_name(v),
					is_known(m, v) ? json_integer(values[v]) : json_null()))
			return NULL;
	}
	return take(o);
}

static int set_interval(const struct merging *g, const struct merged *s, enum memory_value value,
			uint64_t blocks, double variance, json_t *o)
{
	struct interval i = interval_of_total(blocks, (double)s->values[value], variance);

	return json_object_set_new(o, memory_value_name(value),
				   is_known(g->m, value) ? memory_interval_json(g->m, blocks, i)
							 : json_null());
}

static json_t *intervals_json(const struct merging *g, const struct merged *s)
{
	_cleanup_(json_decrefp) json_t *o = json_object();
	const struct memory_sample *k = &s->known;

	if (set_interval(g, s, MEMORY_ALLOC_OBJECTS, k->blocks_made, k->var_alloc_objects, o) ||
	    set_interval(g, s, MEMORY_ALLOC_SPACE, k->blocks_made, k->var_alloc_space, o) ||
	    set_interval(g, s, MEMORY_INUSE_OBJECTS, k->blocks_in_use, k->var_inuse_objects, o) ||
	    set_interval(g, s, MEMORY_INUSE_SPACE, k->blocks_in_use, k->var_inuse_space, o))
		return NULL;
	return take(o);
}

static json_t *stack_json(const struct merging *g, const struct merged *s)
{
	_cleanup_(str_release) struct str text = { 0 };

	if (folded_tree_text(&g->tree, s->branch, &text))
		return NULL;
	return json_pack("{s:o, s:o, s:o}", "stack", json_part_text(str_text(&text)), "values",
			 values_json(g->m, s->values), "intervals", intervals_json(g, s));
}

static json_t *list_json(const struct merging *g, int64_t *ret_other)
{
	_cleanup_(json_decrefp) json_t *list = json_array();
	size_t i;

	for (i = 0; i < g->n; i++) {
		if (i >= STACKS_JSON_MAX)
			add_values(ret_other, g->stacks[i].values);
		else if (json_array_append_new(list, stack_json(g, &g->stacks[i])))
			return NULL;
	}
	return take(list);
}

static json_t *document(const struct merging *g, const char *collector)
{
	int64_t other[MEMORY_VALUES] = { 0 };
	json_t *list = list_json(g, other);
	size_t left = g->n > STACKS_JSON_MAX ? g->n - STACKS_JSON_MAX : 0;

	return json_pack("{s:s, s:o, s:o, s:f, s:o, s:{s:o, s:o}}", "schema", STACKS_SCHEMA,
			 "collector", json_part_text(collector), "interval_bytes",
			 json_part_count(g->m->interval_bytes), "confidence", 0.95, "stacks", list,
			 "stacks_other", "stacks", json_part_count(left), "values",
			 values_json(g->m, other));
}

json_t *stacks_json(const struct memory *m, const struct profile *p, const struct view *view,
		    const char *collector)
{
	_cleanup_(merging_release) struct merging g = { .m = m, .p = p };

	if (folded_tree_init(&g.tree, p, view) || merge(&g))
		return NULL;
	if (g.n)
		qsort(g.stacks, g.n, sizeof(*g.stacks), by_space);
	return document(&g, collector);
}
