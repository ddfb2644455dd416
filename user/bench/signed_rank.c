/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"

/* Differences that only rounding tells apart are equal: a share of the largest. */
#define TIE_SHARE 1e-12

struct ranked {
	double size;
	bool is_positive;
	unsigned int doubled; /* twice the mid-rank: a whole number */
};

static int by_size(const void *a, const void *b)
{
	double x = ((const struct ranked *)a)->size, y = ((const struct ranked *)b)->size;

	return (x > y) - (x < y);
}

static double largest(const double *d, size_t n)
{
	double most = 0;
	size_t i;

	for (i = 0; i < n; i++)
		most = fmax(most, fabs(d[i]));
	return most;
}

/* What is left of 'd' without zeros, by size, with ranks; 'ret' has room for n. */
static size_t rank_sizes(const double *d, size_t n, struct ranked *ret)
{
	double tie = largest(d, n) * TIE_SHARE;
	size_t left = 0, i, end;

	for (i = 0; i < n; i++) {
		if (fabs(d[i]) > tie)
			ret[left++] = (struct ranked){ fabs(d[i]), d[i] > 0, 0 };
	}
	qsort(ret, left, sizeof(*ret), by_size);
	for (i = 0; i < left; i = end) {
		for (end = i + 1; end < left && ret[end].size - ret[end - 1].size <= tie;)
			end++;
		/* Ranks i + 1 ... end have the mean (i + 1 + end) / 2. */
		for (size_t k = i; k < end; k++)
			ret[k].doubled = (unsigned int)(i + 1 + end);
	}
	return left;
}

/*
 * Probabilities of each sum 0 ... 'sum' of those of the weights whose coin shows heads, by adding
 * one weight after another. The caller's, or NULL.
 */
static double *sum_distribution(const unsigned int *weights, size_t n, size_t sum)
{
	double *p = calloc(sum + 1, sizeof(*p));
	size_t i, s, top = 0;

	if (!p)
		return NULL;
	p[0] = 1;
	for (i = 0; i < n; i++) {
		size_t w = weights[i];

		top += w;
		for (s = top + 1; s-- > w;)
			p[s] = (p[s] + p[s - w]) / 2;
		for (s = w; s-- > 0;)
			p[s] /= 2;
	}
	return p;
}

/* The same with weights 1 ... n: ranks without ties. */
static double *rank_distribution(size_t n)
{
	_cleanup_(freep) unsigned int *ranks = malloc((n + 1) * sizeof(*ranks));
	size_t i;

	if (!ranks)
		return NULL;
	for (i = 0; i < n; i++)
		ranks[i] = (unsigned int)i + 1;
	return sum_distribution(ranks, n, n * (n + 1) / 2);
}

/* From the far end: the small ones first. */
static double tail_from(const double *p, size_t top, size_t from)
{
	double tail = 0;
	size_t s;

	for (s = top + 1; s-- > from;)
		tail += p[s];
	return fmin(tail, 1);
}

static double normal_tail(double z)
{
	return erfc(z / M_SQRT2) / 2;
}

static double doubled_p(const struct ranked *ranked, size_t n)
{
	_cleanup_(freep) unsigned int *weights = malloc((n + 1) * sizeof(*weights));
	_cleanup_(freep) double *p = NULL;
	size_t sum = 0, positive = 0, i;
	double squares = 0;

	if (!weights)
		return NAN;
	for (i = 0; i < n; i++) {
		weights[i] = ranked[i].doubled;
		sum += weights[i];
		positive += ranked[i].is_positive ? weights[i] : 0;
		squares += (double)weights[i] * weights[i];
	}
	/* Doubled sums are two apart, so that half a step is one. */
	if (n > SIGNED_RANK_MAX)
		return normal_tail(((double)positive - (double)sum / 2 - 1) / (sqrt(squares) / 2));
	p = sum_distribution(weights, n, sum);
	return p ? tail_from(p, sum, positive) : NAN;
}

double signed_rank_p(const double *d, size_t n)
{
	_cleanup_(freep) struct ranked *ranked = malloc((n + 1) * sizeof(*ranked));
	size_t left;

	if (!ranked)
		return NAN;
	left = rank_sizes(d, n, ranked);
	return left ? doubled_p(ranked, left) : 1;
}

double signed_rank_sum(const double *d, size_t n)
{
	_cleanup_(freep) struct ranked *ranked = malloc((n + 1) * sizeof(*ranked));
	size_t left, i, doubled = 0;

	if (!ranked)
		return NAN;
	left = rank_sizes(d, n, ranked);
	for (i = 0; i < left; i++)
		doubled += ranked[i].is_positive ? ranked[i].doubled : 0;
	return (double)doubled / 2;
}

/*
 * The largest k with P(W <= k - 1) <= tail for ranks without ties: the number of the mean that
 * bounds the interval, from 1; 0: none. -1 without memory.
 */
static long bounding_mean(size_t n, double tail)
{
	_cleanup_(freep) double *p = NULL;
	size_t sum = n * (n + 1) / 2, k;
	double below = 0;

	if (n > SIGNED_RANK_MAX) {
		double sd = sqrt((double)n * (double)(n + 1) * (double)(2 * n + 1) / 24), low = 0,
		       high = 40;

		/* The normal quantile by bisection: it is wanted once for an interval. */
		for (k = 0; k < 60; k++) {
			double z = (low + high) / 2;

			*(normal_tail(z) > tail ? &low : &high) = z;
		}
		return lround(fmax(0, floor((double)sum / 2 - 0.5 - high * sd + 1)));
	}
	p = rank_distribution(n);
	if (!p)
		return -1;
	for (k = 0; k < sum; k++) {
		below += p[k];
		/* Not by the rounding of sums of powers of two, but of 'tail'. */
		if (below > tail * (1 + 1e-12))
			break;
	}
	return (long)k;
}

double signed_rank_critical(size_t n, double alpha)
{
	size_t sum = n * (n + 1) / 2;
	long k = bounding_mean(n, alpha);

	if (k < 0)
		return NAN;
	return k ? (double)(sum - (size_t)(k - 1)) : INFINITY;
}

/* All n (n + 1) / 2 means of two (and of one with itself), in order; NULL without memory. */
static double *means_of_two(const double *d, size_t n, size_t *ret_n)
{
	size_t all, bytes, i, j, k = 0;
	double *means;

	if (__builtin_mul_overflow(n, n + 1, &all) ||
	    __builtin_mul_overflow(all / 2, sizeof(*means), &bytes))
		return NULL;
	means = malloc(bytes + sizeof(*means));
	if (!means)
		return NULL;
	for (i = 0; i < n; i++) {
		for (j = i; j < n; j++)
			means[k++] = d[i] / 2 + d[j] / 2;
	}
	sort_values(means, k);
	*ret_n = k;
	return means;
}

double hodges_lehmann(const double *d, size_t n)
{
	_cleanup_(freep) double *means = NULL;
	size_t all = 0;

	means = n ? means_of_two(d, n, &all) : NULL;
	return means ? quantile_of_sorted(means, all, 0.5) : NAN;
}

int hodges_lehmann_interval(const double *d, size_t n, double confidence, double *ret_low,
			    double *ret_high)
{
	_cleanup_(freep) double *means = NULL;
	long k = bounding_mean(n, (1 - confidence) / 2);
	size_t all = 0;

	if (k < 0)
		return errf(-ENOMEM, "cannot make the interval of %zu values", n);
	if (!k) {
		*ret_low = -INFINITY;
		*ret_high = INFINITY;
		return 0;
	}
	means = means_of_two(d, n, &all);
	if (!means)
		return errf(-ENOMEM, "cannot make the interval of %zu values", n);
	*ret_low = means[k - 1];
	*ret_high = means[all - (size_t)k];
	return 0;
}
