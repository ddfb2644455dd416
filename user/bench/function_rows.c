/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/function_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"

void function_rows_release(struct function_rows *rows)
{
	free(rows->rows);
	free(rows->row_of_before);
	free(rows->row_of_after);
}

const char *function_row_name(const struct function_rows *rows, const struct function_row *row)
{
	return row->after != KEYSET_NONE ? function_costs_name(rows->after, row->after)
					 : function_costs_name(rows->before, row->before);
}

const char *function_row_module(const struct function_rows *rows, const struct function_row *row)
{
	return row->after != KEYSET_NONE ? function_costs_module(rows->after, row->after)
					 : function_costs_module(rows->before, row->before);
}

/* --- which are the same ---------------------------------------------------------------------- */

static uint32_t find_function(const struct function_costs *c, const char *name, const char *module)
{
	struct function_key key = { .name = strtab_find(&c->names, name),
				    .module = strtab_find(&c->names, module) };

	if (key.name == UINT32_MAX || key.module == UINT32_MAX)
		return KEYSET_NONE;
	return keyset_find(&c->functions, &key);
}

#define TWO_OF_THAT_NAME (KEYSET_NONE - 1)

/*
 * By the number of a name in 'c': the one function of that name in modules that 'other' does not
 * have, or TWO_OF_THAT_NAME. NULL without memory.
 */
static uint32_t *find_lone(const struct function_costs *c, const struct function_costs *other)
{
	_cleanup_(freep) bool *is_module = calloc(other->names.n + 1, sizeof(*is_module));
	uint32_t *lone = array_of_none(c->names.n);
	uint32_t i, module;

	if (!is_module || !lone) {
		free(lone);
		return NULL;
	}
	for (i = 0; i < other->functions.n; i++) {
		const struct function_key *key = keyset_key(&other->functions, i);

		is_module[key->module] = true;
	}
	for (i = 0; i < c->functions.n; i++) {
		const struct function_key *key = keyset_key(&c->functions, i);

		module = strtab_find(&other->names, strtab_get(&c->names, key->module));
		if (module != UINT32_MAX && is_module[module])
			continue;
		lone[key->name] = lone[key->name] == KEYSET_NONE ? i : TWO_OF_THAT_NAME;
	}
	return lone;
}

static void add_row(struct function_rows *rows, uint32_t before, uint32_t after)
{
	struct function_row *row = &rows->rows[rows->n];

	*row = (struct function_row){
		.before = before, .after = after, .caller = KEYSET_NONE, .counterpart = KEYSET_NONE
	};
	if (before != KEYSET_NONE)
		rows->row_of_before[before] = rows->n;
	if (after != KEYSET_NONE)
		rows->row_of_after[after] = rows->n;
	rows->n++;
}

static int match(struct function_rows *rows)
{
	const struct function_costs *b = rows->before, *a = rows->after;
	_cleanup_(freep) uint32_t *lone_before = find_lone(b, a), *lone_after = find_lone(a, b);
	uint32_t i;

	if (!lone_before || !lone_after)
		return -ENOMEM;
	for (i = 0; i < b->functions.n; i++) {
		const struct function_key *key = keyset_key(&b->functions, i);
		const char *name = function_costs_name(b, i);
		uint32_t same = find_function(a, name, function_costs_module(b, i));

		if (same == KEYSET_NONE && lone_before[key->name] == i) {
			uint32_t text = strtab_find(&a->names, name);

			same = text == UINT32_MAX ? KEYSET_NONE : lone_after[text];
			if (same == TWO_OF_THAT_NAME)
				same = KEYSET_NONE;
		}
		add_row(rows, i, same);
	}
	for (i = 0; i < a->functions.n; i++) {
		if (rows->row_of_after[i] == KEYSET_NONE)
			add_row(rows, KEYSET_NONE, i);
	}
	return 0;
}

/* --- numbers --------------------------------------------------------------------------------- */

static double cell(const struct function_costs *c, const double *of, uint32_t function, size_t r)
{
	return function == KEYSET_NONE ? 0 : of[function * c->n_repetitions + r];
}

static double mean(const struct function_costs *c, const double *of, uint32_t function, size_t n)
{
	double sum = 0;
	size_t r;

	for (r = 0; r < n; r++)
		sum += cell(c, of, function, r);
	return n ? sum / n : 0;
}

void function_row_self_deltas(const struct function_rows *rows, const struct function_row *row,
			      double *ret)
{
	const struct function_costs *b = rows->before, *a = rows->after;
	size_t r;

	for (r = 0; r < rows->n_pairs; r++)
		ret[r] = cell(a, a->self, row->after, r) - cell(b, b->self, row->before, r);
}

void function_row_total_deltas(const struct function_rows *rows, const struct function_row *row,
			       double *ret)
{
	const struct function_costs *b = rows->before, *a = rows->after;
	size_t r;

	for (r = 0; r < rows->n_pairs; r++)
		ret[r] = cell(a, a->total, row->after, r) - cell(b, b->total, row->before, r);
}

void function_rows_all_deltas(const struct function_rows *rows, double *ret)
{
	size_t r;

	for (r = 0; r < rows->n_pairs; r++)
		ret[r] = rows->after->all[r] - rows->before->all[r];
}

static void average(struct function_rows *rows)
{
	const struct function_costs *b = rows->before, *a = rows->after;
	size_t i, n = rows->n_pairs;

	rows->all_before = mean(b, b->all, 0, n);
	rows->all_after = mean(a, a->all, 0, n);
	for (i = 0; i < rows->n; i++) {
		struct function_row *row = &rows->rows[i];

		row->self_before = mean(b, b->self, row->before, n);
		row->self_after = mean(a, a->self, row->after, n);
		row->total_before = mean(b, b->total, row->before, n);
		row->total_after = mean(a, a->total, row->after, n);
	}
}

int function_rows_init(struct function_rows *rows, const struct function_costs *before,
		       const struct function_costs *after)
{
	*rows = (struct function_rows){ .before = before, .after = after };
	rows->n_pairs = before->n_repetitions < after->n_repetitions ? before->n_repetitions
								     : after->n_repetitions;
	rows->row_of_before = array_of_none(before->functions.n);
	rows->row_of_after = array_of_none(after->functions.n);
	rows->rows = calloc(before->functions.n + after->functions.n + 1, sizeof(*rows->rows));
	if (!rows->row_of_before || !rows->row_of_after || !rows->rows || match(rows))
		return -ENOMEM;
	average(rows);
	return 0;
}
