/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "user/bench/statistics.h"

static void is_near(double p, double expected, double error)
{
	if (!(fabs(p - expected) <= error * expected))
		fail_msg("%.17g is not %.17g", p, expected);
}

static double choose(int n, int k)
{
	double c = 1;
	int i;

	for (i = 0; i < k; i++)
		c = c * (n - i) / (i + 1);
	return k < 0 || k > n ? 0 : c;
}

static void small_examples_come_out(void **state)
{
	(void)state;
	is_near(binomial_p(8, 10, 0.5), 2 * 56 / 1024.0, 1e-12);
	is_near(binomial_p(2, 10, 0.5), 2 * 56 / 1024.0, 1e-12);
	is_near(binomial_p(5, 10, 0.5), 1, 0);
	is_near(binomial_p(0, 3, 0.25), 2 * 27 / 64.0, 1e-12);
	/* The lady who tastes tea (Fisher 1935): three of four. */
	is_near(fisher_p(3, 4, 1, 4), 2 * 17 / 70.0, 1e-12);
	is_near(fisher_p(4, 4, 0, 4), 2 * 1 / 70.0, 1e-12);
	is_near(fisher_p(1, 4, 3, 4), 2 * 17 / 70.0, 1e-12);
}

/* All there are, added up one by one. */
static void tails_are_sums_of_all_that_is_as_far_or_farther(void **state)
{
	const int n = 30, white = 12, black = 23;
	double at_least, at_most;
	int x, k;

	(void)state;
	for (x = 0; x <= n; x++) {
		at_least = at_most = 0;
		for (k = 0; k <= n; k++) {
			double p = choose(n, k) * pow(0.3, k) * pow(0.7, n - k);

			at_least += k >= x ? p : 0;
			at_most += k <= x ? p : 0;
		}
		is_near(binomial_p(x, n, 0.3), fmin(1, 2 * fmin(at_least, at_most)), 1e-9);
	}
	for (x = 0; x <= white; x++) {
		at_least = at_most = 0;
		for (k = 0; k <= white; k++) {
			double p = choose(white, k) * choose(black, 20 - k) / choose(35, 20);

			at_least += k >= x ? p : 0;
			at_most += k <= x ? p : 0;
		}
		if (20 - x <= black)
			is_near(fisher_p(x, white, 20 - x, black),
				fmin(1, 2 * fmin(at_least, at_most)), 1e-9);
	}
}

static void sides_may_change_places(void **state)
{
	(void)state;
	is_near(fisher_p(70, 1000, 40, 1500), fisher_p(40, 1500, 70, 1000), 1e-9);
	is_near(binomial_p(300, 1000, 0.4), binomial_p(700, 1000, 0.6), 1e-9);
	assert_true(fisher_p(70, 1000, 40, 1500) < 1e-5);
	assert_true(fisher_p(40, 1000, 60, 1500) > 0.9);
}

static void large_counts_are_as_the_normal_distribution_has_them(void **state)
{
	/* Two standard deviations from the mean, a little below the limit and beyond it. */
	const double p = erfc(2 / M_SQRT2);
	uint64_t n = 9000000;

	(void)state;
	is_near(binomial_p(n / 2 + 3000, n, 0.5), p, 0.003);
	n = 16000000;
	is_near(binomial_p(n / 2 + 4000, n, 0.5), p, 0.003);
	is_near(binomial_p(n / 2 + 1, n, 0.5), erfc(0.5 / 2000 / M_SQRT2), 1e-12);
	assert_true(binomial_p(n / 2, n, 0.5) == 1);
	is_near(fisher_p(5000 + 200, 1ull << 60, 5000 - 200, 1ull << 60),
		binomial_p(5200, 10000, 0.5), 1e-9);
	assert_true(binomial_p(UINT64_MAX / 3, UINT64_MAX, 0.5) == 0);
	assert_true(fisher_p(1ull << 61, 1ull << 62, 1ull << 60, 1ull << 62) == 0);
}

static void nothing_tells_nothing(void **state)
{
	(void)state;
	assert_true(binomial_p(0, 0, 0.5) == 1);
	assert_true(binomial_p(1, 5, 0) == 1);
	assert_true(binomial_p(1, 5, 1) == 1);
	assert_true(fisher_p(0, 0, 3, 9) == 1);
	assert_true(fisher_p(0, 7, 0, 9) == 1);
	assert_true(fisher_p(7, 7, 9, 9) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_examples_come_out),
		cmocka_unit_test(tails_are_sums_of_all_that_is_as_far_or_farther),
		cmocka_unit_test(sides_may_change_places),
		cmocka_unit_test(large_counts_are_as_the_normal_distribution_has_them),
		cmocka_unit_test(nothing_tells_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
