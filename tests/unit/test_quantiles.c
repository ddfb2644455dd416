/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "user/bench/statistics.h"

/* R: quantile(c(15, 20, 35, 40, 50), type = 7) and of four values in disorder. */
static void quantiles_are_of_type_7(void **state)
{
	static const double five[] = { 50, 15, 40, 20, 35 }, four[] = { 4, 1, 3, 2 };

	(void)state;
	assert_true(quantile_of(five, 5, 0) == 15);
	assert_true(quantile_of(five, 5, 0.25) == 20);
	assert_true(fabs(quantile_of(five, 5, 0.4) - 29) < 1e-12);
	assert_true(fabs(quantile_of(five, 5, 0.95) - 48) < 1e-12);
	assert_true(quantile_of(five, 5, 1) == 50);
	assert_true(median_of(four, 4) == 2.5);
	assert_true(quantile_of(four, 4, 0.25) == 1.75);
	assert_true(five[0] == 50 && four[0] == 4); /* as they were */
}

static void none_has_no_quantile_and_one_is_all_of_them(void **state)
{
	double v = 7;

	(void)state;
	assert_true(isnan(median_of(&v, 0)));
	assert_true(median_of(&v, 1) == 7);
	assert_true(quantile_of(&v, 1, 0.99) == 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_of_type_7),
		cmocka_unit_test(none_has_no_quantile_and_one_is_all_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
