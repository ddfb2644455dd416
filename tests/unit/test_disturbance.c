/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/disturbance.h"

#include "tests/unit/judged_run.h"

static const struct some_case steady = { "", NULL, 100, 100, 50, 0 };

/* Nothing is known of the machine yet. */
static struct run_result *some_machine(void)
{
	struct run_result *r = some_run(&steady, 1, 3, 0, 1);

	r->noise = (struct machine_noise){ .other_cpu = NAN,
					   .steal = NAN,
					   .psi_cpu = NAN,
					   .psi_io = NAN,
					   .psi_memory = NAN,
					   .throttled = NAN };
	return r;
}

static const char *reason_of(const struct run_result *r)
{
	const struct policy_profile policy = { .canary_drift_share = 0.03,
					       .other_cpu_share = 0.1,
					       .steal_share = 0.02,
					       .pressure_share = 0.15,
					       .throttled_share = 0.01 };
	struct disturbance d;

	return disturbance_find(r, &policy, &d) ? d.reason : "";
}

static void each_is_found_beyond_what_the_policy_allows(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = some_machine();

	(void)state;
	assert_string_equal(reason_of(r), "");
	r->noise.other_cpu = 0.1;
	assert_string_equal(reason_of(r), "");
	r->noise.other_cpu = 0.11;
	assert_string_equal(reason_of(r), "host_busy");
	r->noise.other_cpu = 0;
	r->noise.steal = 0.03;
	assert_string_equal(reason_of(r), "host_stolen");
	r->noise.steal = 0;
	r->noise.throttled = 0.02;
	assert_string_equal(reason_of(r), "host_throttled");
	r->noise.throttled = 0;
	r->noise.thermal_throttles = 1;
	assert_string_equal(reason_of(r), "host_throttled");
}

static void pressure_counts_only_where_others_time_is_not_known(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = some_machine();

	(void)state;
	r->noise.psi_cpu = 0.5;
	assert_string_equal(reason_of(r), "host_pressed");
	r->noise.other_cpu = 0;
	assert_string_equal(reason_of(r), "");
}

static void a_machine_that_became_slower_has_drifted(void **state)
{
	_cleanup_(run_result_freep) struct run_result *a = some_machine(), *b = some_machine();

	(void)state;
	b->canaries[0].ns = b->canaries[1].ns = 1050000;
	assert_string_equal(reason_of(b), ""); /* not while it measured */
	assert_true(fabs(disturbance_between(a, b) - 0.05) < 1e-9);
	b->canaries[0].ns = 900000;
	assert_string_equal(reason_of(b), "host_drifted");
	b->n_canaries = 0;
	assert_true(isnan(disturbance_between(a, b)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_found_beyond_what_the_policy_allows),
		cmocka_unit_test(pressure_counts_only_where_others_time_is_not_known),
		cmocka_unit_test(a_machine_that_became_slower_has_drifted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
