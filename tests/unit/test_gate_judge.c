/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/gate_judge.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/judged_run.h"
#include "tests/unit/stacks.h"
#include "user/base/err.h"
#include "user/bench/gate_pairs.h"
#include "user/bench/run_files.h"

static const struct some_case steady = { "", NULL, 100, 100, 50, 0.005 };

static struct policy *policy;

static int read_policy(void **state)
{
	(void)state;
	return policy_read(NULL, &policy);
}

static int free_policy(void **state)
{
	(void)state;
	policy_free(policy);
	return 0;
}

static struct gate_input input_of(const struct run_result *before, const struct run_result *after)
{
	struct gate_input in = {
		.before = { .run = before, .path = "before" },
		.after = { .run = after, .path = "after" },
		.policy = policy,
	};

	assert_int_equal(policy_find_profile(policy, "nightly", &in.profile), 0);
	return in;
}

static struct gate_result *judged(const struct gate_input *in)
{
	struct gate_result *g = NULL;

	assert_int_equal(gate_judge(in, &g), 0);
	assert_non_null(g->reason);
	assert_non_null(g->explanation);
	return g;
}

static const struct metric_comparison *metric(const struct gate_case *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_metrics; i++) {
		if (!strcmp(c->metrics[i].name, name))
			return &c->metrics[i];
	}
	return NULL;
}

#define RUN(name, what, n, seed) \
	_cleanup_(run_result_freep) struct run_result *name = some_run(what, 1, n, 0, seed)

static void the_same_program_passes(void **state)
{
	RUN(before, &steady, 15, 1);
	RUN(after, &steady, 15, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = judged(&in);

	(void)state;
	assert_int_equal(g->verdict, VERDICT_PASSED);
	assert_int_equal(g->exit_code, 0);
	assert_string_equal(g->reason, "no_regression");
	assert_int_equal(g->n_cases, 1);
	assert_int_equal(g->cases[0].n_metrics, 3);
}

static void what_two_runs_do_not_have_in_common_is_told(void **state)
{
	const struct some_case two[] = { { "small", NULL, 100, 100, 50, 0.005 },
					 { "large", NULL, 900, 900, 50, 0.005 } };
	_cleanup_(run_result_freep) struct run_result *before = some_run(two, 2, 15, 0, 1);
	RUN(after, two, 15, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = NULL, *same = NULL;

	(void)state;
	strcpy(after->scenario_sha256, "another");
	g = judged(&in);
	assert_int_equal(g->verdict, VERDICT_PASSED);
	assert_int_equal(g->cases[0].n_notes, 2);
	assert_string_equal(g->cases[0].notes[0],
			    "the scenario's file has changed between the two runs");
	assert_string_equal(g->cases[0].notes[1],
			    "not judged: 1 of the 2 cases that the run compared with has are not "
			    "in this one, such as 'large'");
	in.before.run = after;
	same = judged(&in);
	assert_int_equal(same->cases[0].n_notes, 0);
}

static void what_is_flagged_for_a_person_is_told_and_fails_nothing(void **state)
{
	const struct some_case larger = { "", NULL, 100, 100, 80, 0.005 };
	RUN(before, &steady, 15, 1);
	RUN(after, &larger, 15, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = NULL;

	(void)state;
	assert_int_equal(policy_find_preset(policy, "service", &in.preset), 0);
	g = judged(&in);
	assert_int_equal(g->verdict, VERDICT_PASSED);
	assert_int_equal(g->exit_code, 0);
	assert_string_equal(g->reason, "flagged");
	assert_string_equal(g->explanation,
			    "max_rss_bytes is worse by 60.0 %, which a person is to look at; "
			    "nothing that fails the gate is worse");
}

/* --- what a run breaks by itself ---------------------------------------------------------------
 */

static void a_limit_that_is_not_kept_fails_whatever_it_is_compared_with(void **state)
{
	struct scenario_slo slo = { .metric = (char *)"wall_ns", .min = NAN, .max = 50e6 };
	struct scenario scenario = { .slo = &slo, .n_slo = 1 };
	RUN(before, &steady, 15, 1);
	RUN(after, &steady, 15, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = NULL, *kept = NULL, *unknown = NULL;

	(void)state;
	in.scenario = &scenario;
	g = judged(&in);
	assert_int_equal(g->verdict, VERDICT_REGRESSED);
	assert_int_equal(g->exit_code, 1);
	assert_string_equal(g->reason, "slo_missed");
	assert_non_null(strstr(g->explanation, "and may be at most 5e+07"));
	/* There is nothing that a second run could confirm. */
	assert_false(gate_case_alerts(&g->cases[0]));
	assert_int_equal(gate_confirm(g, g), 0);
	assert_string_equal(g->reason, "slo_missed");
	assert_false(g->is_confirmed);

	slo.max = 200e6;
	kept = judged(&in);
	assert_int_equal(kept->exit_code, 0);
	slo.metric = (char *)"p99_latency_ms";
	unknown = judged(&in);
	assert_string_equal(unknown->explanation, "p99_latency_ms is not known, and has a limit");
}

static void limits_are_those_of_the_later_variant(void **state)
{
	struct some_case variants[] = { { "", "a", 100, 100, 50, 0.005 },
					{ "", "b", 40, 40, 50, 0.005 } };
	struct scenario_slo slo = { .metric = (char *)"wall_ns", .min = NAN, .max = 50e6 };
	struct scenario scenario = { .slo = &slo, .n_slo = 1 };
	_cleanup_(run_result_freep) struct run_result *both = some_run(variants, 2, 15, 0, 1);
	struct gate_input in = input_of(both, both);
	_cleanup_(gate_result_freep) struct gate_result *g = NULL;

	(void)state;
	in.scenario = &scenario;
	in.before.variant = "a";
	in.after.variant = "b";
	g = judged(&in);
	assert_int_equal(g->verdict, VERDICT_IMPROVED);
}

static void lose(struct run_result *r, double share)
{
	json_decref(r->cases[0].collectors);
	r->cases[0].collectors =
		json_pack("[{s:s, s:{s:f}}]", "name", "cpu", "ledger", "loss_share", share);
	assert_non_null(r->cases[0].collectors);
}

static void losses_beyond_the_policy_are_told_by_the_exit_status(void **state)
{
	RUN(before, &steady, 15, 1);
	RUN(after, &steady, 15, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = NULL, *fine = NULL;

	(void)state;
	lose(after, 0.5);
	g = judged(&in);
	assert_int_equal(g->verdict, VERDICT_PASSED);
	assert_int_equal(g->exit_code, 6);
	assert_string_equal(g->reason, "losses");
	assert_string_equal(g->explanation, "cpu lost 50 % of the events, more than 1 %");
	lose(after, 0.005);
	fine = judged(&in);
	assert_int_equal(fine->exit_code, 0);
}

static void a_profile_that_costs_too_much_is_told_by_the_exit_status(void **state)
{
	_cleanup_(run_result_freep) struct run_result *after = some_run(&steady, 1, 15, 5, 2);
	RUN(before, &steady, 15, 1);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = NULL;
	size_t i;

	(void)state;
	for (i = 15; i < 20; i++)
		after->cases[0].repetitions[i].values[1] *= 2;
	g = judged(&in);
	assert_int_equal(g->exit_code, 6);
	assert_string_equal(g->reason, "overhead");
	assert_non_null(strstr(g->explanation, "Profiling cost "));
}

static void an_overhead_that_may_be_chance_is_none(void **state)
{
	const struct some_case what = { "", NULL, 100, 100, 50, 0 };
	_cleanup_(run_result_freep) struct run_result *r = some_run(&what, 1, 8, 8, 1);
	struct run_case *c = &r->cases[0];
	size_t i;

	(void)state;
	for (i = 8; i < 16; i++)
		c->repetitions[i].values[1] *= 1.12 + (i % 2 ? 0.2 : -0.02);
	assert_true(run_case_overhead(c) > 0.15);
	assert_true(run_case_overhead_exceeds(c, 0.05));
	assert_false(run_case_overhead_exceeds(c, 0.15));
}

static int no_profile(void *ctx, const struct gate_side *side, const struct run_case *c,
		      const char *collector, struct profile **ret)
{
	(void)ctx;
	(void)side;
	(void)c;
	(void)collector;
	(void)ret;
	fail_msg("a profile with too many losses was read");
	return -EINVAL;
}

static void functions_are_not_compared_with_a_profile_that_lost_too_much(void **state)
{
	RUN(before, &steady, 15, 1);
	RUN(after, &steady, 15, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = NULL;

	(void)state;
	lose(before, 0.5);
	lose(after, 0);
	in.load = no_profile;
	g = judged(&in);
	assert_int_equal(g->exit_code, 0);
	assert_string_equal(g->cases[0].functions[0].reason, "too many events were lost");
}

static void a_slower_program_regresses(void **state)
{
	const struct some_case slower = { "", NULL, 108, 108, 50, 0.005 };
	RUN(before, &steady, 15, 1);
	RUN(after, &slower, 15, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = judged(&in);

	(void)state;
	assert_int_equal(g->verdict, VERDICT_REGRESSED);
	assert_int_equal(g->exit_code, 1);
	assert_string_equal(g->reason, "regression");
	assert_true(fabs(metric(&g->cases[0], "wall_ns")->change - 0.08) < 0.01);
	assert_int_equal(metric(&g->cases[0], "max_rss_bytes")->verdict, VERDICT_PASSED);
}

static void a_faster_program_improves_and_exits_0(void **state)
{
	const struct some_case faster = { "", NULL, 90, 90, 50, 0.005 };
	RUN(before, &steady, 15, 1);
	RUN(after, &faster, 15, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = judged(&in);

	(void)state;
	assert_int_equal(g->verdict, VERDICT_IMPROVED);
	assert_int_equal(g->exit_code, 0);
}

static void noise_is_inconclusive_and_says_what_could_be_seen(void **state)
{
	const struct some_case noisy = { "", NULL, 100, 100, 50, 0.15 };
	RUN(before, &noisy, 15, 1);
	RUN(after, &noisy, 15, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = judged(&in);

	(void)state;
	assert_int_equal(g->verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(g->exit_code, 4);
	assert_non_null(strstr(g->explanation, "could have been seen"));
	assert_true(metric(&g->cases[0], "wall_ns")->detectable > 0.05);
}

static void three_pairs_are_too_few(void **state)
{
	const struct some_case slower = { "", NULL, 150, 150, 50, 0.005 };
	RUN(before, &steady, 3, 1);
	RUN(after, &slower, 3, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = judged(&in);

	(void)state;
	assert_int_equal(g->verdict, VERDICT_INCONCLUSIVE);
	assert_string_equal(g->reason, "too_few_pairs");
}

static void another_machine_is_refused_unless_asked_for(void **state)
{
	RUN(before, &steady, 15, 1);
	RUN(after, &steady, 15, 2);
	struct gate_input in = input_of(before, after);

	(void)state;
	after->environment.fingerprint[0] = 'f';
	{
		_cleanup_(gate_result_freep) struct gate_result *g = judged(&in);

		assert_string_equal(g->reason, "environment_differs");
		assert_int_equal(g->exit_code, 3);
		assert_int_equal(g->n_cases, 0);
	}
	in.across = true;
	{
		_cleanup_(gate_result_freep) struct gate_result *g = judged(&in);

		assert_int_equal(g->verdict, VERDICT_PASSED);
	}
}

static void a_machine_that_drifts_is_neither_green_nor_red(void **state)
{
	const struct some_case slower = { "", NULL, 120, 120, 50, 0.005 };
	RUN(before, &steady, 15, 1);
	RUN(after, &slower, 15, 2);
	struct gate_input in = input_of(before, after);

	(void)state;
	after->canaries[1].ns = 1100000;
	{
		_cleanup_(gate_result_freep) struct gate_result *g = judged(&in);

		assert_int_equal(g->verdict, VERDICT_INCONCLUSIVE);
		assert_int_equal(g->exit_code, 4);
		assert_string_equal(g->reason, "host_drifted");
		/* What was seen is there all the same. */
		assert_int_equal(g->cases[0].verdict, VERDICT_REGRESSED);
	}
	/* Steady while it ran, but not as fast as it was for the baseline. */
	after->canaries[0].ns = 1100000;
	{
		_cleanup_(gate_result_freep) struct gate_result *g = judged(&in);

		assert_string_equal(g->reason, "host_drifted");
	}
	after->canaries[0].ns = after->canaries[1].ns = 1000000;
	after->noise.other_cpu = 0.9;
	{
		_cleanup_(gate_result_freep) struct gate_result *g = judged(&in);

		assert_string_equal(g->reason, "host_busy");
		assert_int_equal(g->exit_code, 4);
	}
}

static void a_void_run_is_a_failure_of_what_was_measured(void **state)
{
	RUN(before, &steady, 15, 1);
	RUN(after, &steady, 15, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = NULL;

	(void)state;
	after->cases[0].repetitions[7].outcome = REPETITION_WRONG_OUTPUT;
	free(after->cases[0].name);
	after->cases[0].name = strdup("small");
	g = judged(&in);
	assert_int_equal(g->exit_code, 5);
	assert_string_equal(g->reason, "run_void");
	assert_non_null(strstr(g->explanation, "void: small: "));
}

static void waiting_is_not_blamed_on_functions(void **state)
{
	const struct some_case waiting = { "", NULL, 120, 100, 50, 0.005 };
	RUN(before, &steady, 15, 1);
	RUN(after, &waiting, 15, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = judged(&in);

	(void)state;
	assert_int_equal(g->verdict, VERDICT_REGRESSED);
	assert_int_equal(metric(&g->cases[0], "cpu_ns")->verdict, VERDICT_PASSED);
	assert_true(g->cases[0].n_notes > 0);
	assert_memory_equal(g->cases[0].notes[0], "waiting:", 8);
}

static void variants_of_one_run_are_compared_within_their_cell(void **state)
{
	const struct some_case cases[] = {
		{ "small", "off", 10, 10, 50, 0.005 },
		{ "small", "on", 10, 10, 50, 0.005 },
		{ "large", "off", 100, 100, 50, 0.005 },
		{ "large", "on", 110, 110, 50, 0.005 },
	};
	_cleanup_(run_result_freep) struct run_result *run = some_run(cases, 4, 16, 0, 3);
	struct gate_input in = input_of(run, run);
	_cleanup_(gate_result_freep) struct gate_result *g = NULL;

	(void)state;
	in.before.variant = "off";
	in.after.variant = "on";
	g = judged(&in);
	assert_int_equal(g->n_cases, 2);
	assert_string_equal(g->cases[0].before_name, "small.off");
	assert_string_equal(g->cases[0].after_name, "small.on");
	assert_int_equal(g->cases[0].verdict, VERDICT_PASSED);
	assert_int_equal(g->cases[1].verdict, VERDICT_REGRESSED);
	assert_int_equal(g->verdict, VERDICT_REGRESSED);
	assert_non_null(strstr(g->explanation, "large"));
	assert_false(gate_case_alerts(&g->cases[0]));
	assert_true(gate_case_alerts(&g->cases[1]));
}

static void what_does_not_alert_again_is_not_confirmed(void **state)
{
	const struct some_case slower = { "", NULL, 110, 110, 50, 0.005 };
	RUN(before, &steady, 15, 1);
	RUN(after, &slower, 15, 2);
	RUN(again, &steady, 30, 3);
	RUN(slow_again, &slower, 30, 4);
	struct gate_input in = input_of(before, after), second_in = input_of(before, again);
	struct gate_input third_in = input_of(before, slow_again);
	_cleanup_(gate_result_freep) struct gate_result *g = judged(&in);
	_cleanup_(gate_result_freep) struct gate_result *h = judged(&in);
	_cleanup_(gate_result_freep) struct gate_result *second = judged(&second_in);
	_cleanup_(gate_result_freep) struct gate_result *third = judged(&third_in);

	(void)state;
	assert_int_equal(metric(&third->cases[0], "wall_ns")->n, 15); /* two in a row are one */
	assert_int_equal(gate_confirm(g, second), 0);
	assert_true(g->was_retried);
	assert_false(g->is_confirmed);
	assert_int_equal(g->verdict, VERDICT_INCONCLUSIVE);
	assert_string_equal(g->reason, "not_confirmed");
	assert_int_equal(g->exit_code, 4);
	assert_int_equal(gate_confirm(h, third), 0);
	assert_true(h->is_confirmed);
	assert_int_equal(h->exit_code, 1);
}

static void an_alert_on_a_machine_that_then_drifts_is_not_confirmed(void **state)
{
	const struct some_case slower = { "", NULL, 110, 110, 50, 0.005 };
	RUN(before, &steady, 15, 1);
	RUN(after, &slower, 15, 2);
	RUN(again, &slower, 30, 3);
	struct gate_input in = input_of(before, after), second_in = input_of(before, again);
	_cleanup_(gate_result_freep) struct gate_result *g = judged(&in), *second = NULL;

	(void)state;
	again->canaries[1].ns = 1200000;
	second = judged(&second_in);
	assert_int_equal(gate_confirm(g, second), 0);
	assert_int_equal(g->verdict, VERDICT_INCONCLUSIVE);
	assert_string_equal(g->reason, "host_drifted");
}

static void runs_without_a_common_case_cannot_be_judged(void **state)
{
	const struct some_case other = { "large", NULL, 100, 100, 50, 0.005 };
	RUN(before, &steady, 15, 1);
	RUN(after, &other, 15, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = judged(&in);

	(void)state;
	assert_string_equal(g->reason, "no_common_case");
	assert_int_equal(g->exit_code, 4);
}

/* --- functions ------------------------------------------------------------------------------ */

/* Each repetition takes so much in 'compute', and the rest of 100 ms in 'parse'. */
static struct profile *some_profile(double compute_ms, unsigned int n, uint64_t seed)
{
	struct profile *p = profile_new();
	struct random random;
	unsigned int i;

	assert_non_null(p);
	random_init(&random, seed);
	assert_int_equal(profile_add_value_type(p, "samples", "count"), 0);
	assert_int_equal(profile_add_value_type(p, "cpu", "nanoseconds"), 0);
	for (i = 0; i < n; i++) {
		struct profile_label label = { .num = i };
		static const char *const names[] = { "main", "compute", "parse" };
		uint32_t set, node = PROFILE_NONE, root, frames[3], k;

		assert_int_equal(profile_add_string(p, LABEL_REPETITION, &label.key), 0);
		assert_int_equal(profile_add_labels(p, &label, 1, &set), 0);
		for (k = 0; k < 3; k++) {
			struct profile_frame f = { .mapping = PROFILE_NONE, .named = 1 };

			assert_int_equal(profile_add_string(p, names[k], &f.function), 0);
			assert_int_equal(profile_add_frame(p, &f, &frames[k]), 0);
		}
		assert_int_equal(profile_add_node(p, PROFILE_NONE, frames[0], &root), 0);
		for (k = 1; k < 3; k++) {
			double ms = (k == 1 ? compute_ms : 20) * exp(0.01 * random_normal(&random));
			int64_t values[2] = { ms, ms * 1e6 };

			assert_int_equal(profile_add_node(p, root, frames[k], &node), 0);
			assert_int_equal(profile_add_sample(p, node, set, values), 0);
		}
	}
	return p;
}

static int load(void *ctx, const struct gate_side *side, const struct run_case *c,
		const char *collector, struct profile **ret)
{
	bool is_before = !strcmp(side->path, "before");

	(void)ctx;
	(void)c;
	if (strcmp(collector, "cpu"))
		return errf(-ENOENT, "there is no profile of '%s'", collector);
	*ret = some_profile(is_before ? 80 : 90, 10, is_before ? 1 : 2);
	return 0;
}

static void the_dearer_function_is_named_with_its_contribution(void **state)
{
	const struct some_case slower = { "", NULL, 110, 110, 50, 0.005 };
	_cleanup_(run_result_freep) struct run_result *before = some_run(&steady, 1, 15, 10, 1);
	_cleanup_(run_result_freep) struct run_result *after = some_run(&slower, 1, 15, 10, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = NULL;
	const struct functions_comparison *f;

	(void)state;
	in.load = load;
	after->cases[0].collectors =
		json_pack("[{s:s}, {s:s}, {s:s, s:{s:f}}]", "name", "cpu", "name", "io", "name",
			  "alloc", "ledger", "loss_share", 0.9);
	assert_non_null(after->cases[0].collectors);
	g = judged(&in);
	assert_int_equal(g->cases[0].n_functions, 3);
	f = g->cases[0].functions[0].comparison;
	assert_non_null(f);
	assert_string_equal(f->value, "cpu");
	assert_int_equal(f->n_pairs, 10);
	assert_string_equal(f->changes[0].function, "compute");
	assert_int_equal(f->changes[0].class, FUNCTION_GROWN);
	assert_true(fabs(f->changes[0].contribution - 1) < 0.1);
	assert_false(f->is_unattributed);
	assert_null(g->cases[0].functions[1].comparison);
	assert_non_null(strstr(g->cases[0].functions[1].reason, "no profile"));
	assert_non_null(strstr(g->cases[0].functions[2].reason, "lost"));
}

static void a_metric_that_is_gone_is_not_forgotten(void **state)
{
	RUN(before, &steady, 15, 1);
	RUN(after, &steady, 15, 2);
	struct gate_input in = input_of(before, after);
	_cleanup_(gate_result_freep) struct gate_result *g = NULL;

	(void)state;
	free(after->cases[0].metrics[2].name); /* max_rss_bytes, which is gated */
	free(after->cases[0].metrics[2].unit);
	after->cases[0].n_metrics = 2;
	g = judged(&in);
	assert_int_equal(g->cases[0].n_metrics, 3);
	assert_string_equal(metric(&g->cases[0], "max_rss_bytes")->reason, "no_values");
	assert_int_equal(g->verdict, VERDICT_INCONCLUSIVE);
}

static void more_metrics_need_more_pairs(void **state)
{
	(void)state;
	assert_int_equal(gate_pairs_needed(1, 0.01), 7);
	assert_int_equal(gate_pairs_needed(10, 0.01), 10);
	assert_int_equal(gate_pairs_needed(11, 0.01), 11);
	assert_int_equal(gate_pairs_needed(0, 0.5), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_two_runs_do_not_have_in_common_is_told),
		cmocka_unit_test(what_is_flagged_for_a_person_is_told_and_fails_nothing),
		cmocka_unit_test(a_limit_that_is_not_kept_fails_whatever_it_is_compared_with),
		cmocka_unit_test(limits_are_those_of_the_later_variant),
		cmocka_unit_test(losses_beyond_the_policy_are_told_by_the_exit_status),
		cmocka_unit_test(a_profile_that_costs_too_much_is_told_by_the_exit_status),
		cmocka_unit_test(an_overhead_that_may_be_chance_is_none),
		cmocka_unit_test(functions_are_not_compared_with_a_profile_that_lost_too_much),
		cmocka_unit_test(the_same_program_passes),
		cmocka_unit_test(a_slower_program_regresses),
		cmocka_unit_test(a_faster_program_improves_and_exits_0),
		cmocka_unit_test(noise_is_inconclusive_and_says_what_could_be_seen),
		cmocka_unit_test(three_pairs_are_too_few),
		cmocka_unit_test(another_machine_is_refused_unless_asked_for),
		cmocka_unit_test(a_machine_that_drifts_is_neither_green_nor_red),
		cmocka_unit_test(a_void_run_is_a_failure_of_what_was_measured),
		cmocka_unit_test(waiting_is_not_blamed_on_functions),
		cmocka_unit_test(variants_of_one_run_are_compared_within_their_cell),
		cmocka_unit_test(what_does_not_alert_again_is_not_confirmed),
		cmocka_unit_test(an_alert_on_a_machine_that_then_drifts_is_not_confirmed),
		cmocka_unit_test(runs_without_a_common_case_cannot_be_judged),
		cmocka_unit_test(the_dearer_function_is_named_with_its_contribution),
		cmocka_unit_test(a_metric_that_is_gone_is_not_forgotten),
		cmocka_unit_test(more_metrics_need_more_pairs),
	};

	return cmocka_run_group_tests(tests, read_policy, free_policy);
}
