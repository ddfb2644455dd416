/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "user/base/array.h"
#include "user/model/gamma_distribution.h"

/* Tables of chi-square quantiles (NIST/SEMATECH e-Handbook, 1.3.6.7.4; R's qchisq for more digits)
 */
static void quantiles_are_those_of_the_tables(void **state)
{
	static const struct {
		double freedom, p, quantile, tolerance;
	} table[] = {
		{ 1, 0.025, 9.820691e-4, 1e-6 },  { 1, 0.95, 3.841459, 1e-6 },
		{ 2, 0.025, 0.05063562, 1e-6 },	  { 2, 0.975, 7.377759, 1e-6 },
		{ 10, 0.025, 3.246973, 1e-6 },	  { 10, 0.975, 20.483177, 1e-6 },
		{ 30, 0.95, 43.772972, 1e-6 },	  { 100, 0.025, 74.221927, 1e-6 },
		{ 100, 0.975, 129.561197, 1e-6 }, { 1000, 0.975, 1089.530872, 1e-6 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		double x = 2 * gamma_quantile(table[i].freedom / 2, table[i].p);

		assert_true(fabs(x / table[i].quantile - 1) < table[i].tolerance);
	}
}

/* Of shape 1 it is the exponential one, of whole shapes the Poisson sum. */
static void what_is_known_in_closed_form_is_met(void **state)
{
	static const double xs[] = { 1e-6, 0.01, 0.5, 1, 1.9, 2.1, 5, 40 };
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(xs); i++) {
		double x = xs[i], term = exp(-x), tail = 0;

		for (k = 0; k < 30; k++) {
			tail += term;
			term *= x / (double)(k + 1);
			assert_true(fabs(gamma_cdf((double)k + 1, x) - (1 - tail)) < 1e-12);
		}
		assert_true(fabs(gamma_cdf(0.5, x) - erf(sqrt(x))) < 1e-12);
	}
	assert_true(gamma_cdf(3, 0) == 0);
	assert_true(gamma_cdf(3, -1) == 0);
	assert_true(gamma_cdf(3, 1e6) == 1);
}

static void a_quantile_goes_back_to_its_probability(void **state)
{
	static const double ps[] = { 1e-6, 0.025, 0.3, 0.5, 0.9, 0.975, 0.999999 };
	double shape;
	size_t i;

	(void)state;
	for (shape = 0.02; shape < 3e6; shape *= 1.7) {
		for (i = 0; i < ARRAY_SIZE(ps); i++) {
			double back = gamma_cdf(shape, gamma_quantile(shape, ps[i]));

			assert_true(fabs(back - ps[i]) < (shape > 1e4 ? 1e-5 : 1e-9));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_those_of_the_tables),
		cmocka_unit_test(what_is_known_in_closed_form_is_met),
		cmocka_unit_test(a_quantile_goes_back_to_its_probability),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
