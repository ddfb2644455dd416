/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "user/bench/run_result.h"

static void repetitions_that_do_not_count_have_no_values(void **state)
{
	double v[5][2] = { { 1, 10 }, { 2, 20 }, { 3, 30 }, { 4, 40 }, { 5, NAN } };
	struct run_repetition list[5] = {
		{ .is_warmup = true, .values = v[0] },
		{ .values = v[1] },
		{ .is_profile = true, .values = v[2] },
		{ .outcome = REPETITION_FAILED, .values = v[3] },
		{ .values = v[4] },
	};
	struct run_metric metrics[2] = { { .name = (char *)"wall_ns" },
					 { .name = (char *)"cycles" } };
	struct run_case c = {
		.metrics = metrics, .n_metrics = 2, .repetitions = list, .n_repetitions = 5
	};
	_cleanup_(freep) double *values = NULL;
	size_t n;

	(void)state;
	assert_int_equal(run_case_metric(&c, "cycles"), 1);
	assert_int_equal(run_case_metric(&c, "other"), -1);
	assert_int_equal(run_case_values(&c, "cycles", &values, &n), 0);
	assert_int_equal(n, 2);
	assert_true(values[0] == 20 && isnan(values[1]));
	free(values);
	assert_int_equal(run_case_values(&c, "other", &values, &n), 0);
	assert_int_equal(n, 0);
}

static void drift_is_the_largest_deviation_from_the_median(void **state)
{
	struct run_canary canaries[4] = {
		{ .ns = 100 }, { .ns = 104 }, { .ns = 98 }, { .ns = 100 }
	};
	struct run_result r = { .canaries = canaries, .n_canaries = 4 };

	(void)state;
	assert_true(fabs(run_canary_drift(&r) - 0.04) < 1e-12);
	canaries[2].ns = 90;
	assert_true(fabs(run_canary_drift(&r) - 0.10) < 1e-12);
	r.n_canaries = 1;
	assert_true(isnan(run_canary_drift(&r)));
}

static void one_canary_among_many_that_is_disturbed_is_no_drift(void **state)
{
	struct run_canary canaries[12];
	struct run_result r = { .canaries = canaries, .n_canaries = 12 };
	size_t i;

	(void)state;
	for (i = 0; i < 12; i++)
		canaries[i] = (struct run_canary){ .order = i, .ns = 1000 + i % 3 };
	canaries[4].ns = 1400;
	assert_true(run_canary_drift(&r) < 0.005);
	for (i = 7; i < 12; i++)
		canaries[i].ns = 1100; /* slower from there on */
	assert_true(run_canary_drift(&r) > 0.03);
}

static void each_outcome_has_a_name(void **state)
{
	int i, k;

	(void)state;
	for (i = 0; i < REPETITION_OUTCOMES; i++) {
		assert_non_null(repetition_outcome_names[i]);
		for (k = 0; k < i; k++)
			assert_string_not_equal(repetition_outcome_names[i],
						repetition_outcome_names[k]);
	}
}

static void a_half_built_result_is_freed(void **state)
{
	struct run_result *r = calloc(1, sizeof(*r));

	(void)state;
	assert_non_null(r);
	r->scenario = strdup("x");
	r->cases = calloc(2, sizeof(*r->cases));
	assert_non_null(r->cases);
	r->n_cases = 2;
	r->cases[0].collectors = json_array();
	r->cases[0].repetitions = calloc(1, sizeof(*r->cases[0].repetitions));
	assert_non_null(r->cases[0].repetitions);
	r->cases[0].n_repetitions = 1;
	r->cases[0].repetitions[0].message = strdup("it ended with 1");
	run_result_free(r);
	run_result_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repetitions_that_do_not_count_have_no_values),
		cmocka_unit_test(drift_is_the_largest_deviation_from_the_median),
		cmocka_unit_test(one_canary_among_many_that_is_disturbed_is_no_drift),
		cmocka_unit_test(each_outcome_has_a_name),
		cmocka_unit_test(a_half_built_result_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
