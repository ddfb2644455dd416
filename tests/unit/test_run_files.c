/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/json_at.h"
#include "tests/unit/schema.h"
#include "tests/unit/some_run.h"

#include <errno.h>
#include <sys/stat.h>

#include "user/base/err.h"
#include "user/base/file.h"
#include "user/bench/statistics.h"

static struct scenario_slo limits[] = {
	{ (char *)"p95_latency_ms", NAN, 900 },
	{ (char *)"wall_ns", NAN, 1.05e8 },
	{ (char *)"score", 0.1, NAN },
	{ (char *)"nothing", 0, NAN },
};
static struct scenario_component parts[] = { { (char *)"parser", (char *)"^parse_" } };
static char *words[] = { (char *)"./app", (char *)"${size}", NULL };
static const struct scenario a_scenario = {
	.kind = SCENARIO_REAL,
	.tags = words,
	.subject.command = words,
	.components = parts,
	.n_components = 1,
	.slo = limits,
	.n_slo = ARRAY_SIZE(limits),
};

/* cmocka's own compares as floats. */
static void assert_near(double value, double expected, double error)
{
	if (!(fabs(value - expected) <= error))
		fail_msg("%.17g is not %.17g", value, expected);
}

static char *slurp(const struct folder *f, const char *name)
{
	char *text;
	size_t len;

	assert_int_equal(file_read(folder_path(f, name), 1 << 30, &text, &len), 0);
	return text;
}

static void keys_of_a_case_are_what_they_say(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = some_run();
	struct run_case *c = &r->cases[0];

	(void)state;
	/* i + 1 ms for i of 0..999, by linear interpolation of order statistics. */
	assert_near(run_case_value(c, "p50_latency_ms"), 500.5, 1e-9);
	assert_near(run_case_value(c, "p95_latency_ms"), 950.05, 1e-9);
	assert_near(run_case_value(c, "p99_latency_ms"), 990.01, 1e-9);
	/* Measured are 2..11: wall time 100.0065 ms in the middle, of 4 iterations. */
	assert_near(run_case_value(c, "wall_ns"), 1e8 + 6500, 1e-3);
	assert_near(run_case_value(c, "throughput"), 4 / 0.1000065, 1e-6);
	assert_near(run_case_value(c, "error_rate"), 0, 0);
	assert_near(run_case_value(c, "max_rss_bytes"), 1 << 20, 0);
	assert_near(run_case_value(c, "alloc_bytes"), 4096, 0);
	assert_near(run_case_value(c, "score"), 0.6, 1e-9); /* 0.2 0.4 0.6 0.8 1.0 */
	assert_true(isnan(run_case_value(c, "nothing")));
	assert_near(run_case_overhead(c), 0.25, 1e-9);
	c->repetitions[5].outcome = REPETITION_FAILED;
	c->repetitions[6].outcome = REPETITION_INTERRUPTED;
	assert_near(run_case_value(c, "error_rate"), 1 / 9.0, 1e-9);
}

static void a_quantile_needs_an_observation_beyond_it(void **state)
{
	static const struct {
		size_t n;
		bool has_p50, has_p95, has_p99;
	} some[] = { { 0, 0, 0, 0 },  { 1, 0, 0, 0 },  { 2, 1, 0, 0 },	{ 19, 1, 0, 0 },
		     { 20, 1, 1, 0 }, { 99, 1, 1, 0 }, { 100, 1, 1, 1 } };
	_cleanup_(run_result_freep) struct run_result *r = some_run();
	struct run_case *c = &r->cases[0];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(some); i++) {
		c->latency.n = some[i].n;
		assert_int_equal(isfinite(run_case_value(c, "p50_latency_ms")), some[i].has_p50);
		assert_int_equal(isfinite(run_case_value(c, "p95_latency_ms")), some[i].has_p95);
		assert_int_equal(isfinite(run_case_value(c, "p99_latency_ms")), some[i].has_p99);
	}
}

static void a_metric_of_the_scenario_counts_under_its_name(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = some_run();
	struct run_case *c = &r->cases[0];

	(void)state;
	free(c->metrics[3].name);
	c->metrics[3].name = strdup("throughput");
	assert_near(run_case_value(c, "throughput"), 0.6, 1e-9);
}

static void a_limit_on_what_is_not_known_is_not_kept(void **state)
{
	static const bool kept[] = { false, true, true, false, false, false, true, false };
	_cleanup_(run_result_freep) struct run_result *r = some_run();
	_cleanup_(freep) struct run_slo *slo = NULL;
	size_t i, n;

	(void)state;
	assert_int_equal(run_judge_slo(r, &a_scenario, &slo, &n), 0);
	assert_int_equal(n, 8);
	for (i = 0; i < n; i++)
		assert_int_equal(slo[i].is_kept, kept[i]);
	assert_string_equal(slo[5].case_name, "small.on");
	assert_string_equal(slo[5].metric, "wall_ns");
	assert_true(isnan(slo[7].value));
}

static void the_summary_keeps_to_its_schema(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = some_run();
	_cleanup_(decrefp) json_t *o = run_summary_json(r, &a_scenario);

	(void)state;
	assert_non_null(o);
	assert_at(o, "schema", "\"fathom.scenario/1\"");
	assert_at(o, "seed", "\"18446744073709551615\"");
	assert_at(o, "start", "\"2023-11-14T22:13:20.123456789Z\"");
	assert_at(o, "environment.fingerprint", "\"0123456789abcdef\"");
	assert_at(o, "environment.turbo", "true");
	assert_at(o, "environment.smt", "null");
	assert_at(o, "noise.psi_cpu", "null");
	assert_at(o, "canary_drift", "0.009900990099");
	assert_at(o, "void", "null");
	assert_at(o, "components.0.symbol", "\"^parse_\"");
	assert_at(o, "cases.1.p95_latency_ms", "950.05");
	assert_at(o, "cases.1.max_rss_bytes", "1048576");
	assert_at(o, "cases.1.alloc_bytes", "4096");
	assert_at(o, "cases.1.parameters.size", "\"small\"");
	assert_at(o, "cases.1.metrics.3.n", "5");
	assert_at(o, "cases.1.metrics.3.better", "\"higher\"");
	assert_at(o, "cases.1.metrics.0.min", "110002000");
	assert_at(o, "cases.1.metrics.0.max", "110011000");
	assert_at(o, "cases.1.repetitions.measured.ok", "10");
	assert_at(o, "cases.1.repetitions.warmups", "2");
	assert_at(o, "cases.1.profile_overhead", "0.25");
	assert_at(o, "cases.1.slo.1.is_kept", "false");
	assert_true(schema_accepts(o, "scenario_summary.schema.json"));
	json_object_set_new(json_array_get(json_object_get(o, "cases"), 0), "p95_latency_ms",
			    json_string("fast"));
	assert_false(schema_accepts(o, "scenario_summary.schema.json"));
}

static void a_run_that_is_void_says_by_what(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = some_run();
	_cleanup_(decrefp) json_t *o = NULL;

	(void)state;
	r->cases[1].repetitions[4].outcome = REPETITION_WRONG_OUTPUT;
	r->cases[1].repetitions[4].message = strdup("the output\nis another");
	r->abort = strdup("memory");
	o = run_summary_json(r, NULL);
	assert_at(o, "void.case", "\"small.on\"");
	assert_at(o, "void.repetition", "4");
	assert_at(o, "void.outcome", "\"wrong_output\"");
	assert_at(o, "void.message", "\"the output?is another\"");
	assert_at(o, "cases.1.repetitions.measured.wrong_output", "1");
	assert_true(schema_accepts(o, "scenario_summary.schema.json"));
}

static void each_line_of_samples_keeps_to_the_schema(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = some_run();
	_cleanup_(folder_remove) struct folder f;
	_cleanup_(freep) char *text = NULL;
	char *rest, *line;
	size_t n = 0;

	(void)state;
	folder_make(&f);
	r->cases[0].repetitions[0].values[0] = 0.1 + 0.2;
	some_run_write(r, NULL, &f);
	rest = text = slurp(&f, "samples.jsonl");
	while ((line = strsep(&rest, "\n")) && *line) {
		_cleanup_(decrefp) json_t *o = json_loads(line, 0, NULL);

		assert_non_null(o);
		if (!n++) {
			assert_true(json_real_value(at(o, "values.wall_ns")) == 0.1 + 0.2);
			assert_at(o, "noise.steal", "null");
			assert_at(o, "is_warmup", "true");
			assert_true(schema_accepts(o, "samples.schema.json"));
			json_object_set_new(o, "outcome", json_string("fine"));
			assert_false(schema_accepts(o, "samples.schema.json"));
		}
	}
	assert_int_equal(n, 28);
}

/* Doubles of all sizes, and those that are none. */
static double some_double(struct random *random)
{
	union {
		uint64_t bits;
		double value;
	} u = { random_u64(random) };

	switch (random_below(random, 4)) {
	case 0:
		return NAN;
	case 1:
		return random_below(random, 1000000);
	case 2:
		return random_unit(random);
	default:
		return isfinite(u.value) ? u.value : -0.0;
	}
}

static void disturb(struct run_result *r, struct random *random)
{
	size_t i, k, m;

	r->seed = random_u64(random);
	r->noise.other_cpu = random_unit(random);
	r->environment.turbo = (int)random_below(random, 3) - 1;
	r->environment.aslr = (int)random_below(random, 4) - 1;
	r->was_cut = random_below(random, 2);
	r->canaries[1].ns = random_below(random, UINT32_MAX);
	for (i = 0; i < r->n_cases; i++) {
		struct run_case *c = &r->cases[i];

		c->latency.n = random_below(random, 200);
		for (k = 0; k < c->latency.n; k++)
			c->latency.ns[k] = random_unit(random) * 1e9;
		for (k = 0; k < c->n_repetitions; k++) {
			c->repetitions[k].outcome = random_below(random, REPETITION_OUTCOMES);
			c->repetitions[k].iterations = some_double(random);
			c->repetitions[k].exit_status = random_below(random, 256);
			for (m = 0; m < c->n_metrics; m++)
				c->repetitions[k].values[m] = some_double(random);
		}
	}
}

/* Zeros have a sign. */
static void assert_same_values(const struct run_case *a, const struct run_case *b)
{
	size_t i, m;

	assert_int_equal(a->n_repetitions, b->n_repetitions);
	for (i = 0; i < a->n_repetitions; i++) {
		for (m = 0; m < a->n_metrics; m++) {
			const double *x = &a->repetitions[i].values[m],
				     *y = &b->repetitions[i].values[m];

			assert_true((isnan(*x) && isnan(*y)) ||
				    (*x == *y && signbit(*x) == signbit(*y)));
		}
	}
}

static void what_is_read_writes_the_same_bytes(void **state)
{
	struct random random;
	unsigned int i;

	(void)state;
	random_init(&random, 7);
	for (i = 0; i < 200; i++) {
		_cleanup_(run_result_freep) struct run_result *r = some_run(), *again = NULL;
		_cleanup_(folder_remove) struct folder f, g;
		_cleanup_(freep) char *summary = NULL, *samples = NULL, *summary2 = NULL,
				      *samples2 = NULL;

		folder_make(&f);
		folder_make(&g);
		if (i)
			disturb(r, &random);
		some_run_write(r, &a_scenario, &f);
		if (run_result_read(f.path, &again))
			fail_msg("%s", err_text());
		some_run_write(again, &a_scenario, &g);
		summary = slurp(&f, "summary.json");
		samples = slurp(&f, "samples.jsonl");
		summary2 = slurp(&g, "summary.json");
		samples2 = slurp(&g, "samples.jsonl");
		assert_string_equal(summary, summary2);
		assert_string_equal(samples, samples2);
		assert_int_equal(again->seed, r->seed);
		assert_int_equal(again->start_ns, r->start_ns);
		assert_int_equal(again->n_cases, 2);
		assert_same_values(&again->cases[0], &r->cases[0]);
		assert_same_values(&again->cases[1], &r->cases[1]);
	}
}

/* Replaces the first 'from' of the file by 'to'. */
static void replace(const struct folder *f, const char *name, const char *from, const char *to)
{
	_cleanup_(freep) char *text = slurp(f, name), *changed = NULL;
	char *place = strstr(text, from);
	int len;

	assert_non_null(place);
	len = asprintf(&changed, "%.*s%s%s", (int)(place - text), text, to, place + strlen(from));
	assert_true(len > 0);
	folder_write(f, name, changed, len);
}

static void damaged_files_are_refused_with_a_sentence(void **state)
{
	static const struct {
		const char *file, *from, *to;
		int err;
		const char *word;
	} bad[] = {
		{ "summary.json", "fathom.scenario/1", "fathom.summary/1", -ENOENT, "no run" },
		{ "summary.json", "fathom.scenario/1", "fathom.scenario/2", -EINVAL, "version" },
		{ "summary.json", "{", "", -EINVAL, "JSON" },
		{ "summary.json", "\"small.on\"", "\"small.off\"", -EINVAL, "one name" },
		{ "summary.json", "\"name\": \"small.on\"", "\"name\": 1", -EINVAL, "no name" },
		{ "summary.json", "\"cpu_ns\"", "\"wall_ns\"", -EINVAL, "metric" },
		{ "summary.json", "\"cpu_ns\"", "\"a{b}\"", -EINVAL, "metric" },
		{ "summary.json", "\"name\": \"small.on\"", "\"name\": \"../small\"", -EINVAL,
		  "no file can have" },
		{ "summary.json", "\"name\": \"alloc\"", "\"name\": \"../alloc\"", -EINVAL,
		  "collector" },
		{ "summary.json", "\"name\": \"alloc\"", "\"name\": 7", -EINVAL, "collector" },
		{ "summary.json", "\"cases\"", "\"no cases\"", -EINVAL, "no cases" },
		{ "summary.json", "\"size\": \"small\"", "\"size\": {}", -EINVAL, "parameter" },
		{ "samples.jsonl", "small.on", "large", -EINVAL, "line 15 of" },
		{ "samples.jsonl", "\"ok\"", "\"fine\"", -EINVAL, "outcome" },
		{ "samples.jsonl", "\n", "", -EINVAL, "JSON" },
		{ "samples.jsonl", "fathom.samples/1", "fathom.samples/9", -EINVAL, "line 1 of" },
	};
	_cleanup_(run_result_freep) struct run_result *r = some_run(), *again = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(folder_remove) struct folder f;

		folder_make(&f);
		some_run_write(r, NULL, &f);
		replace(&f, bad[i].file, bad[i].from, bad[i].to);
		assert_int_equal(run_result_read(f.path, &again), bad[i].err);
		assert_null(again);
		assert_non_null(strstr(err_text(), bad[i].word));
	}
}

static void values_that_are_no_numbers_are_not_known(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = some_run(), *again = NULL;
	_cleanup_(folder_remove) struct folder f;

	(void)state;
	folder_make(&f);
	some_run_write(r, NULL, &f);
	replace(&f, "samples.jsonl", "\"wall_ns\":100000000", "\"wall_ns\":\"1e9\"");
	replace(&f, "samples.jsonl", "\"cpu_ns\":50000000,", "");
	replace(&f, "samples.jsonl", "\"exit_status\":0", "\"exit_status\":99999999999");
	replace(&f, "summary.json", "\"aslr\": 2", "\"aslr\": 77");
	assert_int_equal(run_result_read(f.path, &again), 0);
	assert_true(isnan(again->cases[0].repetitions[0].values[0]));
	assert_true(isnan(again->cases[0].repetitions[0].values[1]));
	assert_int_equal(again->cases[0].repetitions[0].exit_status, 0);
	assert_int_equal(again->environment.aslr, -1);
}

static json_t *some_junk(struct random *random)
{
	static const char *const junk[] = {
		"null",
		"true",
		"-1",
		"9223372036854775807",
		"1e308",
		"-1e-308",
		"0.5",
		"\"x\"",
		"\"\"",
		"[]",
		"{}",
		"[[1]]",
		"[{}, {}]",
		"{\"a\": {\"b\": []}}",
		"\"\\u001b[31m\\n::error::|`<a>&\\\"\"",
		"\"fathom.scenario/1\"",
	};

	return json_loads(junk[random_below(random, ARRAY_SIZE(junk))], JSON_DECODE_ANY, NULL);
}

/* Puts something else in the place of one value, wherever that is. */
static void spoil_json(json_t *o, struct random *random)
{
	for (;;) {
		size_t n = json_is_array(o) ? json_array_size(o) : json_object_size(o);
		size_t at = n ? random_below(random, n) : 0;
		void *iter = json_object_iter(o);
		json_t *value;

		if (!n)
			return;
		if (json_is_array(o)) {
			value = json_array_get(o, at);
		} else {
			while (at--)
				iter = json_object_iter_next(o, iter);
			value = json_object_iter_value(iter);
		}
		if ((json_array_size(value) || json_object_size(value)) &&
		    random_below(random, 4)) {
			o = value;
			continue;
		}
		if (json_is_array(o))
			json_array_set_new(o, at, some_junk(random));
		else
			json_object_iter_set_new(o, iter, some_junk(random));
		return;
	}
}

static void write_all(const struct run_result *r, FILE *out)
{
	json_t *o = run_summary_json(r, &a_scenario);

	assert_non_null(o);
	json_decref(o);
	assert_int_equal(run_samples_write(r, out), 0);
	assert_int_equal(run_report_write(r, &a_scenario, out), 0);
	assert_int_equal(run_junit_write(r, &a_scenario, out), 0);
	assert_int_equal(run_openmetrics_write(r, out), 0);
	assert_int_equal(run_annotations_write(r, &a_scenario, NULL, out), 0);
}

/* Read as far as it goes; what was read can be written. */
static void values_of_any_type_anywhere_do_no_harm(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = some_run();
	_cleanup_(decrefp) json_t *good = run_summary_json(r, &a_scenario);
	_cleanup_(fclosep) FILE *out = fopen("/dev/null", "we");
	struct random random;
	unsigned int i, k, read = 0;

	(void)state;
	random_init(&random, 11);
	for (i = 0; i < 1000; i++) {
		_cleanup_(run_result_freep) struct run_result *again = NULL;
		_cleanup_(folder_remove) struct folder f;
		_cleanup_(decrefp) json_t *o = json_deep_copy(good);
		_cleanup_(freep) char *text = NULL;

		folder_make(&f);
		some_run_write(r, NULL, &f);
		for (k = 0; k <= i % 3; k++)
			spoil_json(o, &random);
		text = json_dumps(o, 0);
		folder_write(&f, "summary.json", text, strlen(text));
		if (run_result_read(f.path, &again)) {
			assert_null(again);
			assert_true(err_text()[0]);
			continue;
		}
		write_all(again, out);
		read++;
	}
	assert_true(read > 100 && read < 1000);
}

static void links_and_pipes_in_the_place_of_files_are_not_opened(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = some_run(), *again = NULL;
	_cleanup_(folder_remove) struct folder f;
	char path[128];

	(void)state;
	folder_make(&f);
	assert_int_equal(run_result_read(f.path, &again), -ENOENT);
	some_run_write(r, NULL, &f);
	strcpy(path, folder_path(&f, "samples.jsonl"));
	assert_int_equal(rename(path, folder_path(&f, "elsewhere")), 0);
	assert_int_equal(run_result_read(f.path, &again), -ENOENT);
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_int_equal(run_result_read(f.path, &again), -ELOOP);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(run_result_read(f.path, &again), -EINVAL);
	assert_null(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_a_case_are_what_they_say),
		cmocka_unit_test(a_quantile_needs_an_observation_beyond_it),
		cmocka_unit_test(a_metric_of_the_scenario_counts_under_its_name),
		cmocka_unit_test(a_limit_on_what_is_not_known_is_not_kept),
		cmocka_unit_test(the_summary_keeps_to_its_schema),
		cmocka_unit_test(a_run_that_is_void_says_by_what),
		cmocka_unit_test(each_line_of_samples_keeps_to_the_schema),
		cmocka_unit_test(what_is_read_writes_the_same_bytes),
		cmocka_unit_test(damaged_files_are_refused_with_a_sentence),
		cmocka_unit_test(values_that_are_no_numbers_are_not_known),
		cmocka_unit_test(values_of_any_type_anywhere_do_no_harm),
		cmocka_unit_test(links_and_pipes_in_the_place_of_files_are_not_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
