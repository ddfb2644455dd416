/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/gate_pairs.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"

static bool is_of(const struct run_case *c, const struct gate_side *side)
{
	return !side->variant || (c->variant && !strcmp(c->variant, side->variant));
}

/* Two variants are of one cell; two runs are compared case by case. */
static bool belong_together(const struct run_case *before, const struct run_case *after,
			    const struct gate_side *side)
{
	return side->variant ? !strcmp(before->cell, after->cell)
			     : !strcmp(before->name, after->name);
}

int gate_couples_new(const struct gate_side *before, const struct gate_side *after,
		     struct gate_couple **ret, size_t *ret_n)
{
	struct gate_couple *couples = calloc(after->run->n_cases + 1, sizeof(*couples));
	size_t i, k, n = 0;

	if (!couples)
		return -ENOMEM;
	for (i = 0; i < after->run->n_cases; i++) {
		const struct run_case *a = &after->run->cases[i];

		for (k = 0; k < before->run->n_cases && is_of(a, after); k++) {
			const struct run_case *b = &before->run->cases[k];

			if (!is_of(b, before) || !belong_together(b, a, after))
				continue;
			couples[n++] = (struct gate_couple){ b, a };
			break;
		}
	}
	*ret = couples;
	*ret_n = n;
	return 0;
}

/* NAN if one of them is not known. */
static double mean_of(const double *v, size_t n)
{
	double sum = 0, logs = 0;
	bool is_positive = true;
	size_t i;

	for (i = 0; i < n; i++) {
		sum += v[i];
		is_positive &= v[i] > 0;
		logs += v[i] > 0 ? log(v[i]) : 0;
	}
	return n == 1 ? *v : is_positive && !isnan(sum) ? exp(logs / n) : sum / n;
}

static void condense(double *v, size_t *n, size_t to)
{
	size_t k = to ? *n / to : 0, i;

	if (k < 2)
		return;
	for (i = 0; i < to; i++)
		v[i] = mean_of(v + i * k, k);
	*n = to;
}

static bool knows_any(const double *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (isfinite(v[i]))
			return true;
	}
	return false;
}

int gate_pairs_add(struct gate_pairs *pairs, const struct run_case *before,
		   const struct run_case *after, const struct metric_pairs *m)
{
	_cleanup_(freep) double *a = NULL, *b = NULL;
	size_t n_a = 0, n_b = 0, i, n = 0;

	if (run_case_values(before, m->name, &a, &n_a) || run_case_values(after, m->name, &b, &n_b))
		return -ENOMEM;
	if (!knows_any(a, n_a) && !knows_any(b, n_b))
		return 0;
	condense(a, &n_a, n_b);
	condense(b, &n_b, n_a);
	for (i = 0; i < n_a && i < n_b; i++) {
		if (isfinite(a[i]) && isfinite(b[i])) {
			a[n] = a[i];
			b[n++] = b[i];
		}
	}
	if (array_reserve(pairs->list, pairs->cap, pairs->n + 1))
		return -ENOMEM;
	pairs->list[pairs->n] = *m;
	pairs->list[pairs->n].n = n;
	pairs->list[pairs->n].before = take(a);
	pairs->list[pairs->n++].after = take(b);
	return 0;
}

void gate_pairs_release(struct gate_pairs *pairs)
{
	size_t i;

	for (i = 0; i < pairs->n; i++) {
		free((void *)pairs->list[i].before);
		free((void *)pairs->list[i].after);
	}
	free(pairs->list);
	*pairs = (struct gate_pairs){ 0 };
}

unsigned int gate_pairs_needed(size_t n_metrics, double alpha)
{
	double p = alpha / (n_metrics ? n_metrics : 1);

	return p > 0 && p < 1 ? ceil(-log2(p)) : 1;
}
