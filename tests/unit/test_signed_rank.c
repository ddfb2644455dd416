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

#include "user/base/array.h"
#include "user/bench/statistics.h"

/* All signs of 'sizes' in turn: n <= 20. Ranks are counted, not sorted: 2 * rank = 1 + 2 * smaller
 * + equal, of what is not zero. */
static double p_by_enumeration(const double *d, size_t n)
{
	unsigned long observed = 0, as_large = 0, flips = 0, k;
	unsigned int doubled[20];
	size_t i, j, left = 0;
	double kept[20];

	for (i = 0; i < n; i++) {
		if (d[i] != 0)
			kept[left++] = d[i];
	}
	for (i = 0; i < left; i++) {
		doubled[i] = 1;
		for (j = 0; j < left; j++)
			doubled[i] += 2 * (fabs(kept[j]) < fabs(kept[i])) +
				      (fabs(kept[j]) == fabs(kept[i]));
		observed += kept[i] > 0 ? doubled[i] : 0;
	}
	for (k = 0; k < 1ul << left; k++, flips++) {
		unsigned long sum = 0;

		for (i = 0; i < left; i++)
			sum += k >> i & 1 ? doubled[i] : 0;
		as_large += sum >= observed;
	}
	return (double)as_large / (double)flips;
}

/*
 * Critical values of the smaller sum, one-tailed. Exact tables: OEIS A226330 (2.5 %) and its
 * companions for 5 %, 1 % and 0.5 % (after P. Mitic, Mathematica Journal 6 (1996) 3; the same as
 * McCornack, Journal of the American Statistical Association 60 (1965)); -1: there is none.
 */
static void critical_values_are_those_of_the_tables(void **state)
{
	static const struct {
		double alpha;
		int least[16]; /* n = 5 ... 20 */
	} tables[] = {
		{ 0.05, { 0, 2, 3, 5, 8, 10, 13, 17, 21, 25, 30, 35, 41, 47, 53, 60 } },
		{ 0.025, { -1, 0, 2, 3, 5, 8, 10, 13, 17, 21, 25, 29, 34, 40, 46, 52 } },
		{ 0.01, { -1, -1, 0, 1, 3, 5, 7, 9, 12, 15, 19, 23, 27, 32, 37, 43 } },
		{ 0.005, { -1, -1, -1, 0, 1, 3, 5, 7, 9, 12, 15, 19, 23, 27, 32, 37 } },
	};
	size_t t, n;

	(void)state;
	for (t = 0; t < ARRAY_SIZE(tables); t++) {
		for (n = 5; n <= 20; n++) {
			int least = tables[t].least[n - 5];
			double critical = signed_rank_critical(n, tables[t].alpha);

			if (least < 0)
				assert_true(isinf(critical));
			else
				assert_true(critical == (double)(n * (n + 1) / 2) - least);
		}
	}
	assert_true(isinf(signed_rank_critical(0, 0.05)));
}

/* Exact probabilities of the table's sums, as fractions of 2^n. */
static void tails_are_exact(void **state)
{
	static const struct {
		size_t n;
		unsigned int below; /* sum of negative ranks */
		double ways;
	} table[] = { { 5, 0, 1 },   { 8, 3, 5 },     { 10, 8, 25 },
		      { 12, 9, 33 }, { 15, 19, 296 }, { 20, 43, 10084 } };
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		unsigned int below = table[i].below;
		double d[20];

		/* The largest ranks that fit take the minus: their sum is 'below'. */
		for (k = table[i].n; k > 0; k--) {
			d[k - 1] = (double)k;
			if (below >= k) {
				d[k - 1] = -(double)k;
				below -= (unsigned int)k;
			}
		}
		assert_int_equal(below, 0);
		assert_true(signed_rank_p(d, table[i].n) == ldexp(table[i].ways, -(int)table[i].n));
		assert_true(signed_rank_sum(d, table[i].n) ==
			    (double)(table[i].n * (table[i].n + 1) / 2 - table[i].below));
	}
}

static void few_pairs_are_as_by_enumeration_with_ties_and_zeros(void **state)
{
	struct random r;
	size_t n, round, i;
	double d[12];

	(void)state;
	random_init(&r, 7);
	for (n = 1; n <= 12; n++) {
		for (round = 0; round < 40; round++) {
			/* Seven steps for up to twelve values: many are tied, many are zero. */
			for (i = 0; i < n; i++)
				d[i] = round % 2 ? (double)random_below(&r, 7) - 2
						 : random_normal(&r) + 0.4;
			assert_true(fabs(signed_rank_p(d, n) - p_by_enumeration(d, n)) < 1e-14);
		}
	}
	memset(d, 0, sizeof(d));
	assert_true(signed_rank_p(d, 12) == 1);
	assert_true(signed_rank_p(d, 0) == 1);
}

static void what_rounding_tells_apart_is_tied(void **state)
{
	const double exact[] = { 3, 3, -3, 5, -1 }, rounded[] = { 0.1 + 0.2, 0.3, -0.3, 0.5, -0.1 };

	(void)state;
	assert_true(0.1 + 0.2 != 0.3);
	assert_true(signed_rank_p(exact, 5) == signed_rank_p(rounded, 5));
}

/* At the border where the exact distribution ends, the normal one goes on. */
static void many_pairs_are_normal(void **state)
{
	double d[SIGNED_RANK_MAX + 1], exact, normal, low[2], high[2];
	struct random r;
	size_t i;

	(void)state;
	random_init(&r, 4);
	for (i = 0; i <= SIGNED_RANK_MAX; i++)
		d[i] = random_normal(&r) + 0.1;
	exact = signed_rank_p(d, SIGNED_RANK_MAX);
	d[SIGNED_RANK_MAX] = 1e-9; /* the least rank: hardly changes anything */
	normal = signed_rank_p(d, SIGNED_RANK_MAX + 1);
	assert_true(exact > 0.001 && exact < 0.2);
	assert_true(fabs(normal / exact - 1) < 0.05);
	for (i = 0; i < 2; i++)
		assert_int_equal(
			hodges_lehmann_interval(d, SIGNED_RANK_MAX + i, 0.95, &low[i], &high[i]),
			0);
	assert_true(fabs(low[0] - low[1]) < 0.005 && fabs(high[0] - high[1]) < 0.005);
	assert_true(low[1] < high[1]);
}

/*
 * Hollander and Wolfe, Nonparametric Statistical Methods (1999), examples 3.1, 3.3 and 3.4:
 * Hamilton's depression scale before and after a tranquilizer. T+ of x - y is 40 and its
 * probability 0.0195; the estimate is -0.46, the interval of 96.1 % from -0.786 to -0.010.
 */
static const double depression[] = { -0.952, 0.147,  -1.022, -0.430, -0.620,
				     -0.590, -0.490, 0.080,  -0.010 };

static void the_worked_example_comes_out(void **state)
{
	double low, high, turned[9];
	size_t i;

	(void)state;
	for (i = 0; i < 9; i++)
		turned[i] = -depression[i];
	assert_true(signed_rank_sum(turned, 9) == 40);
	assert_true(signed_rank_p(turned, 9) == 10.0 / 512);
	assert_true(fabs(hodges_lehmann(depression, 9) + 0.46) < 1e-12);
	assert_int_equal(hodges_lehmann_interval(depression, 9, 0.96, &low, &high), 0);
	assert_true(fabs(low + 0.786) < 1e-12);
	assert_true(fabs(high + 0.010) < 1e-12);
	/* 1 - 2 * 10 / 512 is all that this interval covers; the next wider one covers 0.9727. */
	assert_int_equal(hodges_lehmann_interval(depression, 9, 0.962, &low, &high), 0);
	assert_true(fabs(low + 0.806) < 1e-12);
	assert_true(fabs(high - 0.035) < 1e-12);
}

/* The other way to the interval: what the test of a shift does not refuse. */
static void the_interval_is_what_the_test_does_not_refuse(void **state)
{
	double d[11], shifted[11], low, high;
	struct random r;
	size_t round, i, side;

	(void)state;
	random_init(&r, 11);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 11; i++)
			d[i] = random_normal(&r);
		assert_int_equal(hodges_lehmann_interval(d, 11, 0.9, &low, &high), 0);
		for (side = 0; side < 4; side++) {
			double at = (side < 2 ? low : high) + (side % 2 ? 1e-6 : -1e-6);
			double sign = side < 2 ? 1 : -1;
			bool is_inside = side == 1 || side == 2;

			for (i = 0; i < 11; i++)
				shifted[i] = sign * (d[i] - at);
			assert_true((p_by_enumeration(shifted, 11) > 0.05) == is_inside);
		}
	}
}

static void too_few_have_no_interval(void **state)
{
	const double d[] = { 1, 2, 3, 4, 5, 6 };
	double low, high;

	(void)state;
	assert_int_equal(hodges_lehmann_interval(d, 5, 0.95, &low, &high), 0);
	assert_true(isinf(low) && low < 0 && isinf(high) && high > 0);
	assert_int_equal(hodges_lehmann_interval(d, 6, 0.95, &low, &high), 0);
	assert_true(low == 1 && high == 6);
	assert_int_equal(hodges_lehmann_interval(d, 0, 0.95, &low, &high), 0);
	assert_true(isinf(low) && isinf(high));
	assert_true(isnan(hodges_lehmann(d, 0)));
	assert_true(hodges_lehmann(d, 1) == 1);
	assert_true(hodges_lehmann(d, 2) == 1.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(critical_values_are_those_of_the_tables),
		cmocka_unit_test(tails_are_exact),
		cmocka_unit_test(few_pairs_are_as_by_enumeration_with_ties_and_zeros),
		cmocka_unit_test(what_rounding_tells_apart_is_tied),
		cmocka_unit_test(many_pairs_are_normal),
		cmocka_unit_test(the_worked_example_comes_out),
		cmocka_unit_test(the_interval_is_what_the_test_does_not_refuse),
		cmocka_unit_test(too_few_have_no_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
