/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cost that moved: a function changed, but not the nearest caller through which nearly all of it
 * passes (perhaps the function itself: what it calls was inlined into it). That its caller did not
 * change is not shown by a test that found nothing: either an interval leaves no room for the
 * function's change, or there are functions below the same caller that changed the other way.
 */
#include "user/bench/function_rows.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "user/base/array.h"
#include "user/bench/mean_interval.h"
#include "user/bench/statistics.h"

/* Shares of a function's cost, on both sides together, that pass through a caller. */
#define NEARLY_ALL 0.95

/* The caller's own change, as a share of the function's: its estimate, or its interval's ends. */
#define CALLER_SHARE 0.5

/* What must have changed the other way for a caller whose interval is wide. */
#define COUNTERPART_SHARE 0.5

struct caller {
	double distance; /* calls between, on average */
	uint32_t row;
};

/* A changed function, and the callers through which nearly all of it passes, nearest first. */
struct suspect {
	uint32_t row;
	struct caller *callers;
	size_t n, cap;
};

struct search {
	struct function_rows *rows;
	struct suspect *suspects;
	size_t n;
	double alpha;
	uint64_t seed;
	double *deltas;		     /* of one caller */
	double *weights, *distances; /* by row, of one function */
	double *side_w, *side_d;     /* by function of one side */
};

static void search_release(struct search *s)
{
	size_t i;

	for (i = 0; s->suspects && i < s->n; i++)
		free(s->suspects[i].callers);
	free(s->suspects);
	free(s->deltas);
	free(s->weights);
	free(s->distances);
	free(s->side_w);
	free(s->side_d);
}

static double delta_of(const struct function_row *row)
{
	return row->self_after - row->self_before;
}

/* --- callers --------------------------------------------------------------------------------- */

static int add_side(struct search *s, const struct function_costs *c, uint32_t function,
		    const uint32_t *row_of)
{
	size_t i;

	if (function == KEYSET_NONE)
		return 0;
	for (i = 0; i < c->functions.n; i++)
		s->side_w[i] = s->side_d[i] = 0;
	if (function_costs_above(c, function, s->side_w, s->side_d))
		return -ENOMEM;
	for (i = 0; i < c->functions.n; i++) {
		s->weights[row_of[i]] += s->side_w[i];
		s->distances[row_of[i]] += s->side_d[i];
	}
	return 0;
}

static int nearest_first(const void *a, const void *b)
{
	const struct caller *x = a, *y = b;

	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

static int find_callers(struct search *s, struct suspect *suspect)
{
	const struct function_row *row = &s->rows->rows[suspect->row];
	double all;
	uint32_t i;

	for (i = 0; i < s->rows->n; i++)
		s->weights[i] = s->distances[i] = 0;
	if (add_side(s, s->rows->before, row->before, s->rows->row_of_before) ||
	    add_side(s, s->rows->after, row->after, s->rows->row_of_after))
		return -ENOMEM;
	all = s->weights[suspect->row]; /* each stack passes through the function itself */
	for (i = 0; i < s->rows->n; i++) {
		if (!(s->weights[i] > 0) || s->weights[i] < NEARLY_ALL * all)
			continue;
		if (array_reserve(suspect->callers, suspect->cap, suspect->n + 1))
			return -ENOMEM;
		suspect->callers[suspect->n++] =
			(struct caller){ s->distances[i] / s->weights[i], i };
	}
	if (suspect->n)
		qsort(suspect->callers, suspect->n, sizeof(*suspect->callers), nearest_first);
	return 0;
}

static bool passes_through(const struct suspect *suspect, uint32_t row)
{
	size_t i;

	for (i = 0; i < suspect->n; i++) {
		if (suspect->callers[i].row == row)
			return true;
	}
	return false;
}

/* --- did the caller change? ------------------------------------------------------------------ */

/*
 * Changed functions below that caller whose cost went the other way: the sum of it, and the one
 * that fits best. A rename is then a pair, even where two functions are renamed at once.
 */
static double find_counterpart(const struct search *s, const struct suspect *suspect,
			       uint32_t caller, uint32_t *ret)
{
	const struct function_row *rows = s->rows->rows;
	double delta = delta_of(&rows[suspect->row]), sum = 0, best = INFINITY;
	size_t i;

	*ret = KEYSET_NONE;
	for (i = 0; i < s->n; i++) {
		double other = delta_of(&rows[s->suspects[i].row]);

		if (other * delta >= 0 || !passes_through(&s->suspects[i], caller))
			continue;
		sum += other;
		if (fabs(delta + other) < best) {
			best = fabs(delta + other);
			*ret = s->suspects[i].row;
		}
	}
	return fabs(sum);
}

/* 1 if the function's cost only moved within that caller, 0 if not. */
static int is_moved_within(const struct search *s, const struct suspect *suspect, uint32_t caller,
			   uint32_t *ret_counterpart)
{
	const struct function_row *above = &s->rows->rows[caller];
	double delta = delta_of(&s->rows->rows[suspect->row]);
	double change = above->total_after - above->total_before;
	double p = 1, low, high, against;
	int err;

	if (fabs(change) > CALLER_SHARE * fabs(delta))
		return 0;
	function_row_total_deltas(s->rows, above, s->deltas);
	err = sign_flip_max_t(s->deltas, 1, s->rows->n_pairs, SIGN_FLIP_PERMUTATIONS, s->seed, &p);
	if (!err)
		err = mean_interval(s->deltas, s->rows->n_pairs, s->seed, &low, &high);
	if (err)
		return err;
	against = find_counterpart(s, suspect, caller, ret_counterpart);
	if (p < s->alpha)
		return 0;
	if (against >= COUNTERPART_SHARE * fabs(delta))
		return 1;
	return low > -CALLER_SHARE * fabs(delta) && high < CALLER_SHARE * fabs(delta);
}

static int judge(struct search *s, const struct suspect *suspect)
{
	struct function_row *row = &s->rows->rows[suspect->row];
	uint32_t counterpart = KEYSET_NONE;
	size_t i;
	int is_moved = 0;

	for (i = 0; !is_moved && i < suspect->n; i++)
		is_moved = is_moved_within(s, suspect, suspect->callers[i].row, &counterpart);
	if (is_moved <= 0)
		return is_moved;
	row->class = FUNCTION_MOVED;
	row->caller = suspect->callers[i - 1].row;
	row->counterpart = counterpart;
	return 0;
}

static int search_init(struct search *s)
{
	const struct function_rows *rows = s->rows;
	size_t n_before = rows->before->functions.n, n_after = rows->after->functions.n;
	size_t most = (n_before > n_after ? n_before : n_after) + 1;
	uint32_t i;

	s->suspects = calloc(rows->n + 1, sizeof(*s->suspects));
	s->deltas = calloc(rows->n_pairs + 1, sizeof(*s->deltas));
	s->weights = calloc(rows->n + 1, sizeof(*s->weights));
	s->distances = calloc(rows->n + 1, sizeof(*s->distances));
	s->side_w = calloc(most, sizeof(*s->side_w));
	s->side_d = calloc(most, sizeof(*s->side_d));
	if (!s->suspects || !s->deltas || !s->weights || !s->distances || !s->side_w || !s->side_d)
		return -ENOMEM;
	for (i = 0; i < rows->n; i++) {
		if (rows->rows[i].class == FUNCTION_SAME)
			continue;
		s->suspects[s->n].row = i;
		if (find_callers(s, &s->suspects[s->n++]))
			return -ENOMEM;
	}
	return 0;
}

int function_rows_find_moved(struct function_rows *rows, double alpha, uint64_t seed)
{
	_cleanup_(search_release) struct search s = { .rows = rows, .alpha = alpha, .seed = seed };
	size_t i;
	int err = search_init(&s);

	for (i = 0; !err && i < s.n; i++)
		err = judge(&s, &s.suspects[i]);
	return err;
}
