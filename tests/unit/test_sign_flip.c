/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/bench/statistics.h"

#define MOST_SERIES 8

/* The textbook's way: t with the deviation of the flipped values and the header's floor, computed
 * anew for each of the 2^n flips; series in the order of their observed t. */
static double t_of(const double *d, size_t n, unsigned long flip, double floor_variance)
{
	double mean = 0, squares = 0;
	size_t i;

	for (i = 0; i < n; i++)
		mean += (flip >> i & 1 ? -d[i] : d[i]) / (double)n;
	for (i = 0; i < n; i++)
		squares += pow((flip >> i & 1 ? -d[i] : d[i]) - mean, 2);
	return squares + floor_variance == 0 ? (mean == 0 ? 0 : INFINITY)
					     : fabs(mean) / sqrt((squares + floor_variance) /
								 (double)(n - 1) / (double)n);
}

/* A hundredth of the median sum of squares of those series that are not zero. */
static double floor_of(const double *d, size_t m, size_t n)
{
	double squares[MOST_SERIES];
	size_t i, k, some = 0;

	for (i = 0; i < m; i++) {
		double sum = 0;

		for (k = 0; k < n; k++)
			sum += d[i * n + k] * d[i * n + k];
		if (sum > 0)
			squares[some++] = sum;
	}
	return some ? median_of(squares, some) * 0.01 : 0;
}

static void max_t_by_enumeration(const double *d, size_t m, size_t n, double *ret_p)
{
	double observed[MOST_SERIES], extra = floor_of(d, m, n), least = 0;
	size_t order[MOST_SERIES], i, k, x;

	for (i = 0; i < m; i++) {
		observed[i] = t_of(d + i * n, n, 0, extra);
		for (k = i; k > 0 && observed[order[k - 1]] < observed[i]; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	for (x = 0; x < m; x++) {
		unsigned long flip, reached = 0;

		for (flip = 0; flip < 1ul << n; flip++) {
			double most = 0;

			for (k = x; k < m; k++)
				most = fmax(most, t_of(d + order[k] * n, n, flip, extra));
			reached += most >= observed[order[x]] * (1 - 1e-9);
		}
		least = fmax(least, (double)reached / (double)(1ul << n));
		ret_p[order[x]] = least;
	}
}

static void few_pairs_are_as_by_enumeration(void **state)
{
	double d[MOST_SERIES * 8] = { 0 }, p[MOST_SERIES], expected[MOST_SERIES];
	struct random r;
	size_t n, m, round, i;

	(void)state;
	random_init(&r, 5);
	for (round = 0; round < 60; round++) {
		n = 2 + random_below(&r, 7);
		m = 1 + random_below(&r, MOST_SERIES);
		for (i = 0; i < m * n; i++)
			d[i] = (random_normal(&r) + (i < n ? 1.5 : 0)) * (double)(1 + i / n);
		if (round % 3 == 0) /* counts: ties, zeros, series without noise */
			for (i = 0; i < m * n; i++)
				d[i] = i / n == 1 ? 3 : (double)random_below(&r, 4) - 1;
		assert_int_equal(sign_flip_max_t(d, m, n, 0, 0, p), 0);
		max_t_by_enumeration(d, m, n, expected);
		for (i = 0; i < m; i++) {
			/* A series of zeros has no t; it is never significant. */
			if (fabs(p[i] - expected[i]) > 1e-12)
				print_message("%zu x %zu, %zu: %g, not %g\n", m, n, i, p[i],
					      expected[i]);
			assert_true(fabs(p[i] - expected[i]) < 1e-12);
		}
	}
}

/* One series of n pairs of the same sign: 2 of 2^n flips are as large. */
static void the_least_p_is_that_of_two_flips(void **state)
{
	const double d[] = { 1, 2, 3, 4, 5, 6 };
	double p;

	(void)state;
	assert_int_equal(sign_flip_max_t(d, 1, 6, 0, 0, &p), 0);
	assert_true(p == 2.0 / 64);
	assert_int_equal(sign_flip_max_t(d, 1, 1, 0, 0, &p), 0);
	assert_true(p == 1);
	p = -1;
	assert_int_equal(sign_flip_max_t(d, 1, 0, 0, 0, &p), 0);
	assert_true(p == 1);
	assert_int_equal(sign_flip_max_t(d, 0, 6, 0, 0, &p), 0);
}

/* A series of tiny equal differences has an infinite t, were it not for the floor. */
static void a_series_without_noise_does_not_win_by_itself(void **state)
{
	double d[4 * 10], p[4];
	struct random r;
	size_t i;

	(void)state;
	random_init(&r, 21);
	for (i = 0; i < 40; i++)
		d[i] = i < 10 ? 1e-6 : random_normal(&r);
	assert_int_equal(sign_flip_max_t(d, 4, 10, 0, 0, p), 0);
	assert_true(p[0] > 0.5);
	for (i = 0; i < 10; i++)
		d[i] = 3; /* not tiny next to the noise of the others */
	assert_int_equal(sign_flip_max_t(d, 4, 10, 0, 0, p), 0);
	assert_true(p[0] < 0.02);
}

static void many_pairs_are_sampled_the_same_way_for_the_same_seed(void **state)
{
	double d[3 * 70], p[3], again[3], other[3];
	struct random r;
	size_t i;

	(void)state;
	random_init(&r, 9);
	for (i = 0; i < 210; i++)
		d[i] = random_normal(&r) + (i < 70 ? 2 : i < 140 ? 0.1 : 0);
	assert_int_equal(sign_flip_max_t(d, 3, 70, 2000, 1, p), 0);
	assert_int_equal(sign_flip_max_t(d, 3, 70, 2000, 1, again), 0);
	assert_int_equal(sign_flip_max_t(d, 3, 70, 2000, 2, other), 0);
	assert_memory_equal(p, again, sizeof(p));
	assert_memory_not_equal(p, other, sizeof(p));
	assert_true(p[0] == 1 / 2001.0); /* no flip is as large: the observed one alone */
	for (i = 0; i < 3; i++)
		assert_true(fabs(p[i] - other[i]) < 0.05);
}

/* Both ways to the same p: 13 pairs, of which one is zero, are 12 that are enumerated. */
static void sampling_comes_near_the_exact_p(void **state)
{
	double d[2][12], padded[2][13] = { 0 }, exact[2], sampled[2];
	struct random r;
	size_t i, k;

	(void)state;
	random_init(&r, 31);
	for (i = 0; i < 2; i++) {
		for (k = 0; k < 12; k++)
			padded[i][k] = d[i][k] = random_normal(&r) + (i ? 0.4 : 0.8);
	}
	assert_int_equal(sign_flip_max_t(d[0], 2, 12, 0, 0, exact), 0);
	assert_int_equal(sign_flip_max_t(padded[0], 2, 13, 40000, 1077, sampled), 0);
	for (i = 0; i < 2; i++) {
		assert_true(exact[i] > 0.001 && exact[i] < 0.9);
		assert_true(fabs(sampled[i] - exact[i]) <
			    5 * sqrt(exact[i] * (1 - exact[i]) / 40000) + 1e-4);
	}
}

/* Under the null the family's error is at most alpha, however large the family. */
static void the_family_error_is_kept(void **state)
{
	enum { SERIES = 40, PAIRS = 8, ROUNDS = 1500 };
	double *d = calloc(SERIES * PAIRS, sizeof(*d)), p[SERIES];
	unsigned int round, alarms = 0;
	struct random r;
	size_t i;

	(void)state;
	assert_non_null(d);
	random_init(&r, 101);
	for (round = 0; round < ROUNDS; round++) {
		bool any = false;

		for (i = 0; i < SERIES * PAIRS; i++)
			d[i] = random_normal(&r) * (double)(1 + i / PAIRS);
		assert_int_equal(sign_flip_max_t(d, SERIES, PAIRS, 0, 0, p), 0);
		for (i = 0; i < SERIES; i++)
			any |= p[i] <= 0.05;
		alarms += any;
	}
	free(d);
	/* 5 % within three and a half standard errors, which are 0.56 % each. */
	assert_in_range(alarms, ROUNDS * 3 / 100, ROUNDS * 7 / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_pairs_are_as_by_enumeration),
		cmocka_unit_test(the_least_p_is_that_of_two_flips),
		cmocka_unit_test(a_series_without_noise_does_not_win_by_itself),
		cmocka_unit_test(many_pairs_are_sampled_the_same_way_for_the_same_seed),
		cmocka_unit_test(sampling_comes_near_the_exact_p),
		cmocka_unit_test(the_family_error_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
