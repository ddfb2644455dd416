/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/scenario_file.h"

#include <math.h>

static struct policy *built_in(void)
{
	struct policy *p = NULL;

	if (policy_read(NULL, &p))
		fail_msg("%s", err_text());
	return p;
}

static const struct policy_profile *profile_of(const struct policy *p, const char *name)
{
	const struct policy_profile *profile = NULL;

	assert_int_equal(policy_find_profile(p, name, &profile), 0);
	return profile;
}

static const struct policy_preset *preset_of(const struct policy *p, const char *name)
{
	const struct policy_preset *preset = NULL;

	assert_int_equal(policy_find_preset(p, name, &preset), 0);
	return preset;
}

/* --- the one that is built in -------------------------------------------------------------- */

static void the_policy_that_is_built_in_has_three_profiles_and_two_presets(void **state)
{
	_cleanup_(policy_freep) struct policy *p = built_in();

	(void)state;
	assert_null(p->path);
	assert_string_equal(p->version, "1");
	assert_int_equal(strlen(p->sha256), 64);
	assert_int_equal(p->n_profiles, 3);
	assert_int_equal(p->n_presets, 2);
	assert_string_equal(profile_of(p, "smoke")->name, "smoke");
	assert_string_equal(profile_of(p, "nightly")->name, "nightly");
	assert_string_equal(profile_of(p, "release")->name, "release");
}

static void it_is_the_file_in_the_tree(void **state)
{
	_cleanup_(policy_freep) struct policy *p = built_in(), *file = NULL;

	(void)state;
	assert_int_equal(policy_read("user/bench/policy.yaml", &file), 0);
	assert_string_equal(file->sha256, p->sha256);
	assert_string_equal(file->path, "user/bench/policy.yaml");
}

static void smoke_has_room_for_pairs_that_can_decide(void **state)
{
	_cleanup_(policy_freep) struct policy *p = built_in();
	const struct policy_profile *smoke = profile_of(p, "smoke");

	(void)state;
	assert_true(smoke->budget_s <= 110);
	assert_true(smoke->timeout_s < smoke->budget_s);
	/* All pairs worse has to be below alpha over the metrics that are gated: three, and as many
	 * of a scenario's own as the ready-made ones have. */
	assert_true(pow(0.5, smoke->repeat) <= smoke->alpha / 7);
}

static void every_profile_can_reach_its_significance(void **state)
{
	_cleanup_(policy_freep) struct policy *p = built_in();
	size_t i;

	(void)state;
	for (i = 0; i < p->n_profiles; i++) {
		const struct policy_profile *f = &p->profiles[i];

		assert_true(pow(0.5, f->repeat) <= f->alpha / 10);
		assert_true(2 * pow(0.5, f->profile_repeat) < f->function_alpha);
		assert_true(f->defaults.limit > f->defaults.min_effect);
		assert_true(f->defaults.alert >= f->defaults.min_effect);
		assert_true(f->alpha == 0.01 && f->confidence == 0.95 && f->power == 0.8);
		assert_true(f->defaults.min_effect == 0.03 && f->canary_drift_share == 0.03);
		assert_true(f->function_candidate_share == 0.005 && f->function_alpha == 0.05);
		assert_true(f->function_growth == 0.1 && f->function_total_share == 0.01);
	}
	assert_true(profile_of(p, "nightly")->repeat >= 15);
	assert_int_equal(profile_of(p, "release")->repeat, 30);
}

static bool has_reason(const struct policy_reasons *reasons, const char *key)
{
	size_t i;

	for (i = 0; i < reasons->n; i++) {
		if (!strcmp(reasons->list[i].key, key))
			return strlen(reasons->list[i].because) > 20;
	}
	return false;
}

static void every_threshold_has_its_reason(void **state)
{
	static const char *const keys[] = {
		"warmup",
		"repeat",
		"profile_repeat",
		"budget",
		"timeout",
		"alpha",
		"confidence",
		"power",
		"min_effect",
		"alert",
		"limit",
		"function_candidate_share",
		"function_alpha",
		"function_growth",
		"function_total_share",
		"overhead",
		"canary_drift",
		"other_cpu",
		"steal",
		"pressure",
		"throttled",
		"loss",
		"metrics.max_rss_bytes",
		"metrics.max_rss_bytes.limit",
	};
	_cleanup_(policy_freep) struct policy *p = built_in();
	size_t i, k;

	(void)state;
	for (i = 0; i < p->n_profiles; i++) {
		for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			assert_true(has_reason(&p->profiles[i].reasons, keys[k]));
	}
	assert_true(has_reason(&preset_of(p, "service")->reasons, "metrics.throughput.alert"));
	assert_true(strlen(preset_of(p, "alert-10")->rationale) > 20);
}

/* --- limits -------------------------------------------------------------------------------- */

static struct policy_limits limits_of(const struct policy_profile *profile,
				      const struct policy_preset *preset,
				      const struct scenario_gate *gate, const char *metric,
				      bool is_own, bool expect_gated)
{
	struct policy_limits limits;
	bool gated;

	policy_limits_of(profile, preset, gate, gate ? 1 : 0, metric, is_own, &limits, &gated);
	assert_int_equal(gated, expect_gated);
	return limits;
}

static void named_metrics_and_the_scenarios_own_are_gated(void **state)
{
	_cleanup_(policy_freep) struct policy *p = built_in();
	const struct policy_profile *f = profile_of(p, "nightly");
	struct policy_limits l;

	(void)state;
	l = limits_of(f, NULL, NULL, "wall_ns", false, true);
	assert_true(l.min_effect == 0.03 && l.alert == 0.03 && l.limit == 0.05);
	limits_of(f, NULL, NULL, "cpu_ns", false, true);
	l = limits_of(f, NULL, NULL, "max_rss_bytes", false, true);
	assert_true(l.min_effect == 0.05 && l.limit == 0.1);
	l = limits_of(f, NULL, NULL, "minor_faults", false, false);
	assert_true(l.limit == 0.05);
	limits_of(f, NULL, NULL, "latency", true, true);
	l = limits_of(f, NULL, NULL, "error_rate", true, true);
	assert_true(l.is_points && l.alert == 0.01);
}

static void a_scenarios_gate_goes_before_all_else(void **state)
{
	_cleanup_(policy_freep) struct policy *p = built_in();
	const struct policy_profile *f = profile_of(p, "nightly");
	char wall[] = "wall_ns", faults[] = "minor_faults";
	struct scenario_gate gate = {
		.metric = wall, .min_effect = NAN, .alert = 0.5, .limit = NAN
	};
	struct policy_limits l =
		limits_of(f, preset_of(p, "alert-10"), &gate, "wall_ns", false, true);

	(void)state;
	assert_true(l.alert == 0.5 && l.limit == 0.1 && l.min_effect == 0.03);
	gate.is_informative = true;
	limits_of(f, NULL, &gate, "wall_ns", false, false);
	gate = (struct scenario_gate){
		.metric = faults, .min_effect = NAN, .alert = NAN, .limit = 0.2
	};
	l = limits_of(f, NULL, &gate, "minor_faults", false, true);
	assert_true(l.limit == 0.2 && l.alert == 0.03);
}

static void alert_10_asks_for_ten_percent(void **state)
{
	_cleanup_(policy_freep) struct policy *p = built_in();
	const struct policy_profile *f = profile_of(p, "nightly");
	const struct policy_preset *preset = preset_of(p, "alert-10");
	struct policy_limits l = limits_of(f, preset, NULL, "wall_ns", false, true);

	(void)state;
	assert_true(l.min_effect == 0.03 && l.alert == 0.1 && l.limit == 0.1 && !l.flags_only);
	l = limits_of(f, preset, NULL, "error_rate", true, true);
	assert_true(l.is_points && l.alert == 0.01);
}

static void service_flags_what_operators_named(void **state)
{
	static const struct {
		const char *metric;
		double alert;
		bool is_points;
	} expected[] = { { "p95_latency_ms", 0.2, false },
			 { "throughput", 0.15, false },
			 { "error_rate", 0.05, true },
			 { "max_rss_bytes", 0.3, false } };
	_cleanup_(policy_freep) struct policy *p = built_in();
	const struct policy_profile *f = profile_of(p, "nightly");
	const struct policy_preset *preset = preset_of(p, "service");
	struct policy_limits l;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		l = limits_of(f, preset, NULL, expected[i].metric, true, true);
		assert_true(l.flags_only && l.alert == expected[i].alert);
		assert_true(l.limit == l.alert);
		assert_int_equal(l.is_points, expected[i].is_points);
	}
	l = limits_of(f, preset, NULL, "wall_ns", false, true);
	assert_true(l.alert == 0.03 && !l.flags_only);
	/* Whom it names takes part, whoever defines it. */
	limits_of(f, preset, NULL, "throughput", false, true);
	limits_of(f, NULL, NULL, "throughput", false, false);
}

static void what_is_not_there_is_told_with_what_is(void **state)
{
	_cleanup_(policy_freep) struct policy *p = built_in();
	const struct policy_profile *profile = NULL;
	const struct policy_preset *preset = NULL;

	(void)state;
	assert_int_equal(policy_find_profile(p, "daily", &profile), -ENOENT);
	assert_string_equal(err_text(), "the policy has no profile 'daily': there are smoke, "
					"nightly, release");
	assert_int_equal(policy_find_preset(p, "strict", &preset), -ENOENT);
	assert_string_equal(err_text(),
			    "the policy has no preset 'strict': there are alert-10, service");
	assert_null(profile);
	assert_null(preset);
}

/* --- files --------------------------------------------------------------------------------- */

#define T(value) "{value: " value ", because: \"a reason of some length\"}"
#define COMMON                                                                                                                                                                                                        \
	"version: 2\n"                                                                                                                                                                                                \
	"common:\n"                                                                                                                                                                                                   \
	"  warmup: " T("1") "\n  repeat: " T("5") "\n  profile_repeat: " T(                                                                                                                                           \
		"0") "\n"                                                                                                                                                                                             \
		     "  budget: " T("1m") "\n  timeout: " T("10s") "\n  alpha: " T(                                                                                                                                   \
			     "1%") "\n"                                                                                                                                                                               \
				   "  confidence: " T("0.9") "\n  power: " T(                                                                                                                                         \
					   "80%") "\n  min_effect: " T("3%") "\n"                                                                                                                                     \
									     "  alert: " T("4%") "\n  limit: " T("5%") "\n  function_candidate_share: " T(                                                            \
										     "1%") "\n"                                                                                                                       \
											   "  "                                                                                                                       \
											   "funct"                                                                                                                    \
											   "ion_"                                                                                                                     \
											   "alpha"                                                                                                                    \
											   ": " T("5%") "\n  function_growth: " T(                                                                                    \
												   "10%") "\n"                                                                                                        \
													  "  function_total_share: " T("1%") "\n  overhead: " T(                                                      \
														  "10%") "\n"                                                                                         \
															 "  canary_drift: " T("3%") "\n  other_cpu: " T("3%") "\n  steal: " T(                        \
																 "3%") "\n"                                                                           \
																       "  pressure: " T("3%") "\n  throttled: " T(                                    \
																	       "3%") "\n"                                                             \
																		     "  metrics: {wall_ns: {because: what users wait for, limit: " T( \
																			     "9%") "}}\n"

static int read_text(const char *text, struct policy **ret)
{
	static char sentence[1024];
	struct folder f;
	int err;

	folder_make(&f);
	folder_write(&f, "p.yaml", text, strlen(text));
	err = policy_read(folder_path(&f, "p.yaml"), ret);
	if (err) {
		snprintf(sentence, sizeof(sentence), "%s", error_in(&f));
		errf(err, "%s", sentence);
	}
	folder_remove(&f);
	return err;
}

static void a_profile_has_what_is_common_and_says_what_differs(void **state)
{
	_cleanup_(policy_freep) struct policy *p = NULL;
	const struct policy_profile *a, *b;

	(void)state;
	assert_int_equal(
		read_text(COMMON
			  "profiles:\n"
			  "  a: {loss: " T("1%") "}\n"
						 "  b: {loss: " T("2%") ", repeat: " T(
							 "7") ",\n"
							      "      metrics: {wall_ns: {because: "
							      "another reason}}}\n",
			  &p),
		0);
	a = profile_of(p, "a");
	b = profile_of(p, "b");
	assert_string_equal(p->version, "2");
	assert_int_equal(a->repeat, 5);
	assert_int_equal(b->repeat, 7);
	assert_true(a->loss_share == 0.01 && b->loss_share == 0.02);
	assert_true(a->budget_s == 60 && a->timeout_s == 10);
	assert_true(a->metrics[0].limits.limit == 0.09 && a->metrics[0].limits.alert == 0.04);
	/* A metric is replaced as a whole, with its reasons. */
	assert_int_equal(b->n_metrics, 1);
	assert_true(b->metrics[0].limits.limit == 0.05);
	assert_string_equal(b->metrics[0].rationale, "another reason");
	assert_true(has_reason(&a->reasons, "metrics.wall_ns.limit"));
	assert_false(has_reason(&b->reasons, "metrics.wall_ns.limit"));
	assert_int_equal(a->reasons.n, 24);
	assert_int_equal(b->reasons.n, 23);
}

static void errors_say_where_and_what(void **state)
{
	static const struct {
		const char *text, *sentence;
	} bad[] = {
		{ "", "p.yaml:1:1: the file is empty" },
		{ "profiles: {a: {}}\n", "p.yaml:1:15: a profile is empty" },
		{ COMMON, "p.yaml:1:1: 'profiles' is missing: a policy needs it" },
		{ COMMON "profiles: {a: {alpha: 1%}}\n", "p.yaml:25:23: alpha is a map, not text" },
		{ COMMON "profiles: {a: {alpha: {value: 1%}}}\n",
		  "p.yaml:25:23: 'because' is missing: alpha needs a reason" },
		{ COMMON "profiles: {a: {alpha: {because: some long reason}}}\n",
		  "p.yaml:25:23: 'value' is missing: alpha needs it" },
		{ COMMON "profiles: {a: {alpha: {value: 1%, because: so}}}\n",
		  "p.yaml:25:44: 'so' is no reason" },
		{ COMMON "profiles: {a: {alpha: {value: 1%, because: some long reason, x: y}}}\n",
		  "p.yaml:25:62: unknown key 'x': alpha has value, because" },
		{ COMMON "profiles: {a: {alpha: {value: 60%, because: some long reason}}}\n",
		  "p.yaml:25:31: alpha is out of range: it is from 0.0001% to 50%" },
		{ COMMON "profiles: {a: {power: " T("80%") "}}\n",
		  "p.yaml:25:12: 'loss' is missing: neither this profile nor common has it" },
		{ COMMON "profiles: {a: {loss: " T("1%") ", min_effect: " T("6%") "}}\n",
		  "p.yaml:25:15: min_effect of 'a' is above its limit" },
		{ COMMON
		  "profiles: {a: {loss: " T("1%") ", metrics: {wall_ns: {limit: " T("1%") "}}}}\n",
		  "p.yaml:25:90: 'because' is missing: a metric needs it" },
		{ COMMON "profiles: {a: {loss: " T("1%") "}}\npresets: {x: {alert: " T("1%") "}}\n",
		  "p.yaml:26:14: 'because' is missing: a preset needs it" },
		{ COMMON "profiles: {a: {loss: " T("1%") "}}\nlimits: {}\n",
		  "p.yaml:26:1: unknown key 'limits': a policy has version, common, profiles, "
		  "presets" },
	};
	struct policy *p = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int err = read_text(bad[i].text, &p);

		assert_string_equal(err ? err_text() : "it was read", bad[i].sentence);
		assert_int_equal(err, -EINVAL);
		assert_null(p);
	}
	assert_int_equal(policy_read("/nowhere/policy.yaml", &p), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_policy_that_is_built_in_has_three_profiles_and_two_presets),
		cmocka_unit_test(it_is_the_file_in_the_tree),
		cmocka_unit_test(smoke_has_room_for_pairs_that_can_decide),
		cmocka_unit_test(every_profile_can_reach_its_significance),
		cmocka_unit_test(every_threshold_has_its_reason),
		cmocka_unit_test(named_metrics_and_the_scenarios_own_are_gated),
		cmocka_unit_test(a_scenarios_gate_goes_before_all_else),
		cmocka_unit_test(alert_10_asks_for_ten_percent),
		cmocka_unit_test(service_flags_what_operators_named),
		cmocka_unit_test(what_is_not_there_is_told_with_what_is),
		cmocka_unit_test(a_profile_has_what_is_common_and_says_what_differs),
		cmocka_unit_test(errors_say_where_and_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
