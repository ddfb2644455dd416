/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"

/*
 * Flips do not change a series' sum of squares, so that its t grows with |sum| / sqrt(squares)
 * alone, and by the same function for all series: that quotient takes t's place. The floor is added
 * to the squares: as if each series had this share of the typical one's deviation on top.
 */
#define FLOOR_SHARE 0.1

/* Sums that only rounding tells apart are equal; they are at most sqrt(n). */
#define ROUNDING 1e-9

struct sign_flip {
	size_t m, n;
	size_t *order;	   /* series by observed statistic, largest first */
	double *rows;	   /* n rows of m, in that order, over their errors */
	double *sums;	   /* of one flip */
	double *observed;  /* of none */
	uint64_t *reached; /* flips in which this or a later series is as large */
};

static void sign_flip_release(struct sign_flip *f)
{
	free(f->order);
	free(f->rows);
	free(f->sums);
	free(f->observed);
	free(f->reached);
}

static int sign_flip_init(struct sign_flip *f, size_t m, size_t n)
{
	size_t cells;

	*f = (struct sign_flip){ .m = m, .n = n };
	if (__builtin_mul_overflow(m, n, &cells) || cells > SIZE_MAX / sizeof(double))
		return -ENOMEM;
	f->order = calloc(m, sizeof(*f->order));
	f->rows = calloc(cells, sizeof(*f->rows));
	f->sums = calloc(m, sizeof(*f->sums));
	f->observed = calloc(m, sizeof(*f->observed));
	f->reached = calloc(m, sizeof(*f->reached));
	return f->order && f->rows && f->sums && f->observed && f->reached ? 0 : -ENOMEM;
}

/* Of the series that are not all zero; 0 if there is none. NAN without memory. */
static double typical_squares(const double *squares, size_t m)
{
	_cleanup_(freep) double *some = malloc(m * sizeof(*some));
	size_t n = 0, i;

	if (!some)
		return NAN;
	for (i = 0; i < m; i++) {
		if (squares[i] > 0)
			some[n++] = squares[i];
	}
	return n ? median_of(some, n) : 0;
}

/* sqrt(squares + floor) of each series, and 0 for one that is all zero. */
static int series_errors(const double *d, size_t m, size_t n, double *ret)
{
	double typical;
	size_t i, k;

	for (i = 0; i < m; i++) {
		ret[i] = 0;
		for (k = 0; k < n; k++)
			ret[i] += d[i * n + k] * d[i * n + k];
	}
	typical = typical_squares(ret, m);
	if (isnan(typical))
		return -ENOMEM;
	for (i = 0; i < m; i++) {
		if (ret[i] > 0)
			ret[i] = sqrt(ret[i] + FLOOR_SHARE * FLOOR_SHARE * typical);
	}
	return 0;
}

struct numbered {
	double value;
	size_t i;
};

static int largest_first(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return (x->i > y->i) - (x->i < y->i);
}

static double quotient(double d, double error)
{
	return error > 0 ? d / error : 0;
}

static int sort_series(struct sign_flip *f, const double *d, const double *errors)
{
	_cleanup_(freep) struct numbered *series = malloc(f->m * sizeof(*series));
	size_t i, k;

	if (!series)
		return -ENOMEM;
	for (i = 0; i < f->m; i++) {
		double sum = 0;

		for (k = 0; k < f->n; k++)
			sum += quotient(d[i * f->n + k], errors[i]);
		series[i] = (struct numbered){ fabs(sum), i };
	}
	qsort(series, f->m, sizeof(*series), largest_first);
	for (i = 0; i < f->m; i++) {
		f->order[i] = series[i].i;
		f->observed[i] = series[i].value;
		for (k = 0; k < f->n; k++)
			f->rows[k * f->m + i] =
				quotient(d[series[i].i * f->n + k], errors[series[i].i]);
	}
	return 0;
}

static void add_row(struct sign_flip *f, size_t pair, double factor)
{
	const double *row = f->rows + pair * f->m;
	size_t i;

	for (i = 0; i < f->m; i++)
		f->sums[i] += factor * row[i];
}

/* Step-down: each series against the largest of itself and those behind it. */
static void count_flip(struct sign_flip *f)
{
	double most = 0;
	size_t i;

	for (i = f->m; i-- > 0;) {
		most = fmax(most, fabs(f->sums[i]));
		f->reached[i] += most >= f->observed[i] - ROUNDING;
	}
}

/* A Gray code turns one sign at a time. The last pair keeps its sign: the other half of the flips
 * has the same sums with the other sign. */
static uint64_t flip_all(struct sign_flip *f)
{
	uint64_t flips = 1ull << (f->n - 1), k;
	bool is_minus[SIGN_FLIP_EXACT] = { false };
	size_t i;

	for (i = 0; i < f->n; i++)
		add_row(f, i, 1);
	count_flip(f);
	for (k = 1; k < flips; k++) {
		i = (size_t)__builtin_ctzll(k);
		is_minus[i] = !is_minus[i];
		add_row(f, i, is_minus[i] ? -2 : 2);
		count_flip(f);
	}
	return flips;
}

static void flip_some(struct sign_flip *f, unsigned int permutations, uint64_t seed)
{
	struct random random;
	uint64_t bits = 0;
	unsigned int b;
	size_t i;

	random_init(&random, seed);
	for (b = 0; b < permutations; b++) {
		memset(f->sums, 0, f->m * sizeof(*f->sums));
		for (i = 0; i < f->n; i++) {
			if (i % 64 == 0)
				bits = random_u64(&random);
			add_row(f, i, bits >> (i % 64) & 1 ? -1 : 1);
		}
		count_flip(f);
	}
}

int sign_flip_max(const double *d, const double *errors, size_t m, size_t n,
		  unsigned int permutations, uint64_t seed, double *ret_p)
{
	_cleanup_(sign_flip_release) struct sign_flip f = { 0 };
	double least = 0, flips, more = 0;
	size_t i;

	for (i = 0; i < m; i++)
		ret_p[i] = 1;
	if (!m || !n)
		return 0;
	if (sign_flip_init(&f, m, n) || sort_series(&f, d, errors))
		return errf(-ENOMEM, "cannot compare %zu series of %zu pairs", m, n);
	if (n <= SIGN_FLIP_EXACT) {
		flips = (double)flip_all(&f);
	} else {
		flip_some(&f, permutations, seed);
		flips = (double)permutations;
		more = 1; /* the observed one is a flip, too */
	}
	for (i = 0; i < m; i++) {
		least = fmax(least, ((double)f.reached[i] + more) / (flips + more));
		ret_p[f.order[i]] = least;
	}
	return 0;
}

int sign_flip_max_t(const double *d, size_t m, size_t n, unsigned int permutations, uint64_t seed,
		    double *ret_p)
{
	_cleanup_(freep) double *errors = calloc(m + 1, sizeof(*errors));

	if (!errors || (m && series_errors(d, m, n, errors)))
		return errf(-ENOMEM, "cannot compare %zu series of %zu pairs", m, n);
	return sign_flip_max(d, errors, m, n, permutations, seed, ret_p);
}
