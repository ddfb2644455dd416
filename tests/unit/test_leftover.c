/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs whose temporary folder cannot be removed. */
#include "tests/unit/tree.h"

#include "user/base/err.h"
#include "user/bench/measure.h"

/* Deeper than what is removed of a stranger's folder. */
static const char text[] = "name: deep\n"
			   "command: [perl, -e, 'for (1..200) { mkdir \"a\"; chdir \"a\" }']\n"
			   "workdir: ${scratch}\n";

static void what_was_measured_is_kept(void **state)
{
	struct policy_profile policy = {
		.name = (char *)"smoke", .repeat = 2, .budget_s = 100, .timeout_s = 50
	};
	struct measure_options options = {
		.policy = &policy, .warmup = -1, .repeat = -1, .profile_repeat = -1, .seed = 1
	};
	_cleanup_(scenario_cases_freep) struct scenario_cases *cases = NULL;
	_cleanup_(run_result_freep) struct run_result *r = NULL;
	_cleanup_(scenario_freep) struct scenario *scenario = NULL;
	char output[4096], path[4096], command[8192];

	(void)state;
	tree_make();
	strcpy(output, tree_path("output"));
	assert_int_equal(mkdir(output, 0700), 0);
	tree_write("scenario.yaml", text);
	strcpy(path, tree_path("scenario.yaml"));
	assert_int_equal(scenario_read(path, &scenario), 0);
	assert_int_equal(scenario_cases_new(scenario, NULL, 0, NULL, &cases), 0);
	options.scenario = scenario;
	options.cases = cases;
	options.output = output;
	assert_int_equal(measure_run(&options, &r), 0);
	assert_null(r->abort);
	assert_int_equal(r->cases[0].n_repetitions, 2);
	assert_int_equal(r->cases[0].repetitions[1].outcome, REPETITION_OK);
	assert_non_null(r->leftover);
	assert_non_null(strstr(r->leftover, "cannot remove"));
	snprintf(command, sizeof(command), "rm -rf '%s'", output);
	assert_int_equal(system(command), 0);
	tree_remove("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_measured_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
