/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "user/bench/statistics.h"

/* The example of R's package HDLSSkST (Holm 1979): at 0.05, the third and the last are refused. */
static void the_example_of_the_literature_comes_out(void **state)
{
	static const double p[] = { 0.50, 0.01, 0.001, 0.69, 0.02, 0.05, 0.0025 };
	static const double expected[] = { 1, 0.05, 0.007, 1, 0.08, 0.15, 0.015 };
	double adjusted[7];
	size_t i;

	(void)state;
	assert_int_equal(holm_adjust(p, 7, adjusted), 0);
	for (i = 0; i < 7; i++)
		assert_true(fabs(adjusted[i] - expected[i]) < 1e-12);
}

static void an_adjusted_p_is_never_below_that_of_a_smaller_p(void **state)
{
	static const double p[] = { 0.021, 0.02, 0.02 };
	double adjusted[3];

	(void)state;
	assert_int_equal(holm_adjust(p, 3, adjusted), 0);
	assert_true(fabs(adjusted[1] - 0.06) < 1e-12);
	assert_true(adjusted[2] == adjusted[1]);
	assert_true(adjusted[0] == adjusted[1]);
}

static void one_is_as_it_was_and_none_is_none(void **state)
{
	double p = 0.3, adjusted = -1;

	(void)state;
	assert_int_equal(holm_adjust(&p, 0, &adjusted), 0);
	assert_true(adjusted == -1);
	assert_int_equal(holm_adjust(&p, 1, &adjusted), 0);
	assert_true(adjusted == 0.3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_literature_comes_out),
		cmocka_unit_test(an_adjusted_p_is_never_below_that_of_a_smaller_p),
		cmocka_unit_test(one_is_as_it_was_and_none_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
