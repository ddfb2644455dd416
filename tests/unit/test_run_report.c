/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/junit.h"
#include "tests/unit/some_run.h"

#include "user/base/err.h"
#include "user/base/json_parts.h"

/* A name that wants to get out of wherever it stands. */
#define HOSTILE "a|b`c\"d<e>&'f\\g\nh%0A::error::{i},\x1b[31m\xff\xef\xbf\xbf"

static struct scenario_slo limits[] = {
	{ (char *)"p95_latency_ms", NAN, 900 },
	{ (char *)"wall_ns", NAN, 1.05e8 },
};
static const struct scenario a_scenario = { .slo = limits, .n_slo = 2 };

enum kind { REPORT, JUNIT, OPENMETRICS, ANNOTATIONS };

static char *text_of(const struct run_result *r, const struct scenario *s, enum kind kind)
{
	size_t len;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);
	int err;

	assert_non_null(out);
	err = kind == REPORT	    ? run_report_write(r, s, out)
	      : kind == JUNIT	    ? run_junit_write(r, s, out)
	      : kind == OPENMETRICS ? run_openmetrics_write(r, out)
				    : run_annotations_write(r, s, "bench/cpu.yaml", out);
	assert_int_equal(err, 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

/* Whether a command takes the text on stdin. */
static bool is_accepted(const char *command, const char *text)
{
	FILE *to = popen(command, "we");

	assert_non_null(to);
	assert_int_equal(fputs(text, to) >= 0, 1);
	return pclose(to) == 0;
}

static void replace_text(char **text, const char *by)
{
	free(*text);
	*text = strdup(by);
}

static struct run_result *hostile_run(void)
{
	struct run_result *r = some_run();
	json_t *top = json_object_get(json_array_get(r->cases[0].collectors, 0), "top");

	replace_text(&r->scenario, HOSTILE);
	replace_text(&r->description, HOSTILE);
	replace_text(&r->environment.hostname, HOSTILE);
	replace_text(&r->environment.kernel, HOSTILE);
	replace_text(&r->cases[0].name, HOSTILE);
	replace_text(&r->cases[0].variant, HOSTILE);
	replace_text(&r->cases[0].metrics[3].unit, HOSTILE);
	r->abort = strdup(HOSTILE);
	r->cases[0].repetitions[7].outcome = REPETITION_BAD_METRIC;
	r->cases[0].repetitions[7].message = strdup(HOSTILE);
	json_object_set_new(json_array_get(top, 0), "function", json_part_text(HOSTILE));
	return r;
}

static void the_report_begins_with_what_was_asked(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = some_run();
	_cleanup_(freep) char *text = text_of(r, &a_scenario, REPORT);

	(void)state;
	assert_has(text, "# cpu-bound\n\nMultiplies &lt;matrices&gt; &amp; more.\n\n"
			 "**1 of 4 limits are kept.**\n\n## Limits\n");
	assert_has(text, "| `small.off` | `p95_latency_ms` | 950 ms | - | 900 ms | **no** |\n");
	assert_has(text, "| `small.off` | `wall_ns` | 100 ms | - | 105 ms | yes |\n");
	assert_has(text, "## `small.on`\n\n10 repetitions were measured and 2 profiled, after 2 to "
			 "warm up. CPU time while profiled: +25.0 %.\n");
	assert_has(text, "| `max_rss_bytes` | 1 MiB | 1 MiB | 1 MiB | 10 | lower |\n");
	assert_has(text, "| `score` | 0.6 points | 0.2 points | 1 points | 5 | higher |\n");
	assert_has(text, "| `p50_latency_ms` | 500.5 ms | | | | |\n");
	assert_has(text, "| `alloc_bytes` | 4 KiB | | | | |\n");
	assert_has(text, "| `main` | app | 50.0 % | 0.0 % |\n");
	assert_has(text, "- Turbo is on");
	assert_has(text, "- A cgroup limits the CPUs.");
	assert_has(text, "| canary drift | 0.99 % |\n");
	assert_has(text, "| steal | 0.00 % |\n");
	assert_null(strstr(text, "pressure: CPU")); /* not known */
}

static void names_do_not_get_out_of_the_report(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = hostile_run();
	_cleanup_(freep) char *text = text_of(r, &a_scenario, REPORT);

	(void)state;
	assert_null(strchr(text, '\x1b'));
	assert_null(strstr(text, "\n::"));
	assert_has(text, "| `a\\|b'c\"d<e>&'f\\g?h%0A::error::{i},?[31m\xef\xbf\xbd");
	assert_has(text, "**Given up:** a\\|b\\`c\"d&lt;e&gt;&amp;'f\\\\g?h");
}

static void limits_that_are_not_kept_are_failures_of_junit(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = some_run();
	_cleanup_(freep) char *text = text_of(r, &a_scenario, JUNIT);

	(void)state;
	junit_need_xmllint();
	junit_assert_valid(text);
	junit_assert_count(text, "count(/testsuites/testsuite/testcase)", 2);
	junit_assert_count(text, "count(//failure[@type=\"limit\"])", 2);
	junit_assert_count(text, "number(/testsuites/testsuite/@failures)", 2);
	junit_assert_count(text, "number(/testsuites/@tests)", 2);
	assert_has(text, "message=\"p95_latency_ms is 950.05, at most 900\"");
	assert_has(text, "timestamp=\"2023-11-14T22:13:20\"");
}

static void what_voids_a_run_is_a_failure_of_junit(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = hostile_run();
	_cleanup_(freep) char *text = NULL;

	(void)state;
	junit_need_xmllint();
	r->cases[1].n_repetitions = 0; /* free()d by their array */
	text = text_of(r, NULL, JUNIT);
	r->cases[1].n_repetitions = 14;
	junit_assert_valid(text);
	junit_assert_count(text, "count(//testcase)", 3);
	junit_assert_count(text, "count(//failure)", 2);
	junit_assert_count(text, "count(//failure[@type=\"bad_metric\"])", 1);
	junit_assert_count(text, "count(//failure[@type=\"abort\"])", 1);
	junit_assert_count(text, "count(//skipped)", 1);
	junit_assert_count(text, "number(//testsuite/@failures)", 2);
	junit_assert_count(text, "number(//testsuite/@skipped)", 1);
}

static const char openmetrics_check[] = "python3 tests/unit/openmetrics.py >/dev/null";

static void need_python(void)
{
	if (!system("command -v python3 >/dev/null"))
		return;
	print_message("SKIP: python3 is not installed\n");
	skip();
}

static void openmetrics_keep_to_their_grammar(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = some_run(), *bad = hostile_run();
	_cleanup_(freep) char *text = text_of(r, NULL, OPENMETRICS);
	_cleanup_(freep) char *hostile = text_of(bad, NULL, OPENMETRICS);

	(void)state;
	need_python();
	assert_true(is_accepted(openmetrics_check, text));
	assert_true(is_accepted(openmetrics_check, hostile));
	assert_has(text,
		   "# TYPE fathom_scenario_wall_ns gauge\n# UNIT fathom_scenario_wall_ns ns\n");
	assert_has(text, "fathom_scenario_p95_latency_ms{scenario=\"cpu-bound\",case=\"small.on\","
			 "cell=\"small\",variant=\"on\"} 950.05\n");
	assert_has(text, "variant=\"on\",unit=\"points\"} 0.6");
	assert_has(text, "fathom_run_info{scenario=\"cpu-bound\",policy=\"nightly\","
			 "environment=\"0123456789abcdef\",fathom_version=\"0.1.0\"} 1\n");
	assert_has(hostile, "case=\"a|b`c\\\"d<e>&'f\\\\g?h");
}

/* The check is ours, too. */
static void what_is_no_openmetrics_is_told(void **state)
{
	static const char *const bad[] = {
		"",
		"# TYPE a gauge\na 1\n",
		"# TYPE a gauge\na 1\n# EOF\nmore\n",
		"a 1\n# EOF\n",
		"# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\na{x=\"y\"} 1\n# EOF\n",
		"# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n",
		"# TYPE a gauge\na{x=\"\"\"} 1\n# EOF\n",
		"# TYPE a gauge\na{x=\"\\q\"} 1\n# EOF\n",
		"# TYPE a gauge\na 1\na 1\n# EOF\n",
		"# TYPE a gauge\n# EOF\n",
		"# TYPE a info\na 1\n# EOF\n",
		"# TYPE a gauge\na nope\n# EOF\n",
	};
	size_t i;

	(void)state;
	need_python();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (is_accepted("python3 tests/unit/openmetrics.py >/dev/null 2>&1", bad[i]))
			fail_msg("accepted:\n%s", bad[i]);
	}
	assert_true(is_accepted(openmetrics_check, "# TYPE a gauge\na{x=\"\\\\\\\"\"} 1\n# EOF\n"));
}

static void each_failure_is_one_annotation(void **state)
{
	_cleanup_(run_result_freep) struct run_result *r = some_run(), *bad = hostile_run();
	_cleanup_(freep) char *text = text_of(r, &a_scenario, ANNOTATIONS);
	_cleanup_(freep) char *hostile = text_of(bad, NULL, ANNOTATIONS);
	static const char start[] = "::error file=bench/cpu.yaml,title=a|b`c\"d<e>&'f\\g?h%250A%3A"
				    "%3Aerror%3A%3A{i}%2C?[31m";
	char *rest = hostile, *line;
	unsigned int n = 0;

	(void)state;
	assert_string_equal(
		text,
		"::error file=bench/cpu.yaml,title=cpu-bound::small.off: p95_latency_ms is 950.05, "
		"at most 900\n"
		"::error file=bench/cpu.yaml,title=cpu-bound::small.on: p95_latency_ms is 950.05, "
		"at most 900\n"
		"::error file=bench/cpu.yaml,title=cpu-bound::small.on: wall_ns is 110006500, "
		"at most 105000000\n");
	while ((line = strsep(&rest, "\n")) && *line) {
		/* Neither a second property nor a message of its own. */
		assert_true(!strncmp(line, start, strlen(start)));
		n++;
	}
	assert_int_equal(n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_report_begins_with_what_was_asked),
		cmocka_unit_test(names_do_not_get_out_of_the_report),
		cmocka_unit_test(limits_that_are_not_kept_are_failures_of_junit),
		cmocka_unit_test(what_voids_a_run_is_a_failure_of_junit),
		cmocka_unit_test(openmetrics_keep_to_their_grammar),
		cmocka_unit_test(what_is_no_openmetrics_is_told),
		cmocka_unit_test(each_failure_is_one_annotation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
