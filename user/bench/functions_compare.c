/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/functions.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"
#include "user/bench/component_costs.h"
#include "user/bench/function_rows.h"
#include "user/bench/mean_interval.h"
#include "user/bench/statistics.h"

/*
 * By how much a function's squared differences may exceed what is typical of its cost before it is
 * judged by its own. The lower, the less a change's own size weakens its test; the higher, the
 * more one restless function hides the others' changes.
 */
#define RESTLESS 2.0

const char *const function_class_names[6] = {
	[FUNCTION_SAME] = "same", [FUNCTION_GROWN] = "grown",	    [FUNCTION_NEW] = "new",
	[FUNCTION_GONE] = "gone", [FUNCTION_IMPROVED] = "improved", [FUNCTION_MOVED] = "moved",
};

/* The functions that are tested, and their differences. */
struct test {
	struct function_rows rows;
	const struct policy_profile *policy;
	uint64_t seed;
	uint32_t *candidates; /* rows */
	size_t n;
	double *deltas;	 /* [candidate * n_pairs + pair] */
	double *errors;	 /* of each, what its sum is measured by; the same under all flips */
	double *typical; /* reused */
	double *p;
};

static void test_release(struct test *t)
{
	function_rows_release(&t->rows);
	free(t->candidates);
	free(t->deltas);
	free(t->errors);
	free(t->typical);
	free(t->p);
}

static double delta_of(const struct function_row *row)
{
	return row->self_after - row->self_before;
}

/* What shares of the total are of: before; of what is all new, after. */
static double whole(const struct function_rows *rows)
{
	return rows->all_before > 0 ? rows->all_before : rows->all_after;
}

static bool is_candidate(const struct test *t, const struct function_row *row)
{
	double share = t->policy->function_candidate_share;

	return (row->self_before > 0 && row->self_before >= share * t->rows.all_before) ||
	       (row->self_after > 0 && row->self_after >= share * t->rows.all_after);
}

static int find_candidates(struct test *t)
{
	size_t i, k, n_pairs = t->rows.n_pairs, cells;

	t->candidates = calloc(t->rows.n + 1, sizeof(*t->candidates));
	if (!t->candidates)
		return -ENOMEM;
	for (i = 0; i < t->rows.n; i++) {
		t->rows.rows[i].p = NAN;
		if (is_candidate(t, &t->rows.rows[i]))
			t->candidates[t->n++] = i;
	}
	if (__builtin_mul_overflow(t->n + 1, n_pairs, &cells))
		return -ENOMEM;
	t->deltas = calloc(cells, sizeof(*t->deltas));
	t->errors = calloc(t->n + 1, sizeof(*t->errors));
	t->typical = calloc(t->n + 1, sizeof(*t->typical));
	t->p = calloc(t->n + 1, sizeof(*t->p));
	if (!t->deltas || !t->errors || !t->typical || !t->p)
		return -ENOMEM;
	for (k = 0; k < t->n; k++)
		function_row_self_deltas(&t->rows, &t->rows.rows[t->candidates[k]],
					 t->deltas + k * n_pairs);
	return 0;
}

/*
 * What is sampled has a variance in proportion to its cost, and by the same factor for all
 * functions: with few pairs that is a better measure than each one's own squares, which its change
 * is part of (with 8 pairs it finds twice as many changes). Of a pair's cost only the sum is used,
 * of a difference only its square: signs do not matter, as the test wants it.
 */
static int estimate_errors(struct test *t)
{
	size_t k, i, n = t->rows.n_pairs, n_typical = 0;
	double factor;

	for (k = 0; k < t->n; k++) {
		const struct function_row *row = &t->rows.rows[t->candidates[k]];
		double squares = 0;

		for (i = 0; i < n; i++)
			squares += t->deltas[k * n + i] * t->deltas[k * n + i];
		t->errors[k] = squares;
		if (squares > 0)
			t->typical[n_typical++] =
				squares / (fabs(row->self_before) + fabs(row->self_after));
	}
	factor = n_typical ? median_of(t->typical, n_typical) : 0;
	if (isnan(factor))
		return -ENOMEM;
	for (k = 0; k < t->n; k++) {
		const struct function_row *row = &t->rows.rows[t->candidates[k]];
		double expected = factor * (fabs(row->self_before) + fabs(row->self_after));

		t->errors[k] = sqrt(fmax(expected, t->errors[k] / RESTLESS));
	}
	return 0;
}

/* Whether the change may be large enough: as far as its interval reaches, if there is one. */
static bool may_be_large(const struct test *t, const struct function_row *row)
{
	double delta = fabs(delta_of(row));
	double far = delta_of(row) > 0 ? row->high : -row->low;

	return delta >= t->policy->function_total_share * whole(&t->rows) &&
	       (isnan(far) ? delta : far) >= t->policy->function_growth * row->self_before;
}

static enum function_class class_of(const struct test *t, const struct function_row *row)
{
	if (!(row->p < t->policy->function_alpha) || !may_be_large(t, row))
		return FUNCTION_SAME;
	if (delta_of(row) > 0)
		return row->total_before > 0 ? FUNCTION_GROWN : FUNCTION_NEW;
	return row->total_after > 0 ? FUNCTION_IMPROVED : FUNCTION_GONE;
}

static int test_candidates(struct test *t)
{
	size_t k, n = t->rows.n_pairs;
	int err = estimate_errors(t);

	if (!err)
		err = sign_flip_max(t->deltas, t->errors, t->n, n, SIGN_FLIP_PERMUTATIONS, t->seed,
				    t->p);
	for (k = 0; !err && k < t->n; k++) {
		struct function_row *row = &t->rows.rows[t->candidates[k]];

		row->p = t->p[k];
		err = mean_interval(t->deltas + k * n, n, t->seed, &row->low, &row->high);
		if (isinf(row->low) || isinf(row->high))
			row->low = row->high = NAN;
		row->class = class_of(t, row);
	}
	return err ? err : function_rows_find_moved(&t->rows, t->policy->function_alpha, t->seed);
}

/* --- the result ------------------------------------------------------------------------------ */

static int copy_text(const char *text, char **ret)
{
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static double share(double part, double all)
{
	return all != 0 ? part / all : NAN;
}

static int fill_change(const struct test *t, const struct function_row *row,
		       struct function_change *change)
{
	const struct function_rows *rows = &t->rows;
	int err;

	change->class = row->class;
	change->before = row->self_before;
	change->after = row->self_after;
	change->total_before = row->total_before;
	change->total_after = row->total_after;
	change->share_before = share(row->self_before, rows->all_before);
	change->share_after = share(row->self_after, rows->all_after);
	change->delta = delta_of(row);
	change->low = row->low;
	change->high = row->high;
	change->p_adjusted = row->p;
	change->contribution = share(delta_of(row), rows->all_after - rows->all_before);
	err = copy_text(function_row_name(rows, row), &change->function);
	if (!err)
		err = copy_text(function_row_module(rows, row), &change->module);
	if (!err && row->caller != KEYSET_NONE)
		err = copy_text(function_row_name(rows, &rows->rows[row->caller]), &change->caller);
	if (!err && row->counterpart != KEYSET_NONE)
		err = copy_text(function_row_name(rows, &rows->rows[row->counterpart]),
				&change->counterpart);
	return err;
}

static int rank(const struct function_change *change)
{
	static const int ranks[] = {
		[FUNCTION_GROWN] = 0, [FUNCTION_NEW] = 0,      [FUNCTION_MOVED] = 1,
		[FUNCTION_GONE] = 2,  [FUNCTION_IMPROVED] = 3, [FUNCTION_SAME] = 4,
	};

	return ranks[change->class];
}

/* By contribution to what has become dearer; what has not, by size. */
static int worst_first(const void *a, const void *b)
{
	const struct function_change *x = a, *y = b;
	int order;

	if (rank(x) != rank(y))
		return rank(x) < rank(y) ? -1 : 1;
	if (fabs(x->delta) != fabs(y->delta))
		return fabs(x->delta) > fabs(y->delta) ? -1 : 1;
	order = strcmp(x->function, y->function);
	return order ? order : strcmp(x->module, y->module);
}

static int fill_changes(const struct test *t, struct functions_comparison *c)
{
	size_t k;
	int err = 0;

	c->changes = calloc(t->n + 1, sizeof(*c->changes));
	if (!c->changes)
		return -ENOMEM;
	for (k = 0; !err && k < t->n; k++)
		err = fill_change(t, &t->rows.rows[t->candidates[k]], &c->changes[c->n_changes++]);
	if (!err)
		qsort(c->changes, c->n_changes, sizeof(*c->changes), worst_first);
	return err;
}

static void explain(const struct test *t, struct functions_comparison *c)
{
	double significant = 0;
	size_t i;

	for (i = 0; i < c->n_changes; i++) {
		if (c->changes[i].class != FUNCTION_SAME)
			significant += c->changes[i].delta;
	}
	c->explained = share(significant, c->delta);
	c->is_unattributed = c->p < t->policy->function_alpha &&
			     fabs(c->delta) >= t->policy->function_total_share * whole(&t->rows) &&
			     c->explained < 0.5;
}

static int fill_total(const struct test *t, struct functions_comparison *c)
{
	const struct function_costs *after = t->rows.after;
	const struct profile_value_type *type = &after->p->value_types[after->value];
	_cleanup_(freep) double *deltas = calloc(t->rows.n_pairs + 1, sizeof(*deltas));

	if (!deltas)
		return -ENOMEM;
	c->n_pairs = t->rows.n_pairs;
	c->n_candidates = t->n;
	c->before = t->rows.all_before;
	c->after = t->rows.all_after;
	c->delta = c->after - c->before;
	function_rows_all_deltas(&t->rows, deltas);
	if (copy_text(profile_string(after->p, type->type), &c->value) ||
	    copy_text(profile_string(after->p, type->unit), &c->unit))
		return -ENOMEM;
	return sign_flip_max_t(deltas, 1, c->n_pairs, SIGN_FLIP_PERMUTATIONS, t->seed, &c->p);
}

static int compare(struct test *t, struct functions_comparison *c)
{
	int err = find_candidates(t);

	if (!err)
		err = test_candidates(t);
	if (!err)
		err = fill_total(t, c);
	if (!err)
		err = fill_changes(t, c);
	if (!err)
		explain(t, c);
	return err;
}

int functions_compare(const struct function_costs *before, const struct function_costs *after,
		      const struct policy_profile *policy,
		      const struct scenario_component *components, size_t n_components,
		      uint64_t seed, struct functions_comparison **ret)
{
	_cleanup_(functions_comparison_freep) struct functions_comparison *c =
		calloc(1, sizeof(*c));
	_cleanup_(test_release) struct test t = { .policy = policy, .seed = seed };
	int err = -ENOMEM;

	if (!before->n_repetitions || !after->n_repetitions)
		return errf(-EINVAL, "there is no repetition whose functions could be compared");
	if (c)
		err = function_rows_init(&t.rows, before, after);
	if (!err)
		err = compare(&t, c);
	if (!err)
		err = component_costs_new(&t.rows, components, n_components, &c->components,
					  &c->n_components);
	if (err == -ENOMEM)
		return errf(err, "no memory to compare %zu functions", after->functions.n);
	if (err)
		return err;
	*ret = take(c);
	return 0;
}

void functions_comparison_free(struct functions_comparison *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->n_changes; i++) {
		free(c->changes[i].function);
		free(c->changes[i].module);
		free(c->changes[i].caller);
		free(c->changes[i].counterpart);
	}
	for (i = 0; i < c->n_components; i++)
		free(c->components[i].component);
	free(c->changes);
	free(c->components);
	free(c->value);
	free(c->unit);
	free(c);
}
