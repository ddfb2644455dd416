/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/json_at.h"
#include "tests/unit/junit.h"
#include "tests/unit/schema.h"

#include <math.h>

#include "user/base/array.h"
#include "user/bench/gate.h"

/* A name that wants to get out of wherever it stands. */
#define HOSTILE "a|b`c\"d<e>&'f\\g\n::error::h%0A%,:i\r\x1b[31m\xff"

static void add_change(struct functions_comparison *c, enum function_class class,
		       const char *function, double before, double after)
{
	struct function_change *f = &c->changes[c->n_changes++];

	*f = (struct function_change){ .function = strdup(function),
				       .module = strdup("app"),
				       .class = class,
				       .before = before,
				       .after = after,
				       .delta = after - before,
				       .low = NAN,
				       .high = NAN,
				       .p_adjusted = 0.001,
				       .contribution = (after - before) / 1e6 };
	if (class != FUNCTION_MOVED)
		return;
	f->caller = strdup("dispatch");
	f->counterpart = strdup("fast_path");
}

static struct functions_comparison *some_functions(const char *name)
{
	struct functions_comparison *c = calloc(1, sizeof(*c));

	*c = (struct functions_comparison){ .value = strdup("cpu"),
					    .unit = strdup("nanoseconds"),
					    .n_pairs = 10,
					    .n_candidates = 3,
					    .before = 1e7,
					    .after = 1.1e7,
					    .delta = 1e6,
					    .p = 0.001,
					    .explained = 0.9 };
	c->changes = calloc(3, sizeof(*c->changes));
	add_change(c, FUNCTION_GROWN, name, 2e6, 2.9e6);
	add_change(c, FUNCTION_MOVED, "slow_path", 1e6, 1.1e6);
	add_change(c, FUNCTION_SAME, "quiet", 1e6, 1e6);
	return c;
}

static void add_metric(struct gate_case *c, const char *name, const char *unit,
		       enum verdict verdict, const char *reason)
{
	c->metrics[c->n_metrics++] = (struct metric_comparison){
		.name = name,
		.unit = unit,
		.is_gated = true,
		.limits = { 0.03, 0.05, 0.1, false, false },
		.n = 15,
		.before = 1e8,
		.after = 1.1e8,
		.change = 0.1,
		.low = 0.09,
		.high = INFINITY,
		.p = 0.0001,
		.p_adjusted = 0.0002,
		.p_improved = 1,
		.p_improved_adjusted = 1,
		.detectable = 0.04,
		.verdict = verdict,
		.reason = reason,
	};
}

static struct gate_result *some_gate(const char *name)
{
	struct gate_result *g = calloc(1, sizeof(*g));
	struct gate_case *c = calloc(1, sizeof(*c));

	*g = (struct gate_result){ .verdict = VERDICT_REGRESSED,
				   .exit_code = 1,
				   .reason = "beyond_limit",
				   .explanation = strdup("wall_ns is 10.0 % worse"),
				   .next_command = strdup("fathom diff before after"),
				   .scenario = strdup("cpu-bound"),
				   .policy = strdup("nightly"),
				   .policy_version = strdup("1"),
				   .before_path = strdup("/store/0003"),
				   .after_path = strdup("/runs/new"),
				   .baseline_id = strdup("0003"),
				   .before_fingerprint = strdup("0123456789abcdef"),
				   .after_fingerprint = strdup("0123456789abcdef"),
				   .was_retried = true,
				   .is_confirmed = true,
				   .retry_note = strdup("30 more pairs said the same"),
				   .cases = c,
				   .n_cases = 1 };
	c->cell = strdup("small");
	c->before_name = strdup("small.off");
	c->after_name = strdup("small.on");
	c->verdict = VERDICT_REGRESSED;
	c->metrics = calloc(4, sizeof(*c->metrics));
	add_metric(c, "wall_ns", "ns", VERDICT_REGRESSED, "beyond_limit");
	add_metric(c, "error_rate", "", VERDICT_INCONCLUSIVE, "too_noisy");
	c->metrics[1].limits.is_points = true;
	add_metric(c, "max_rss_bytes", "bytes", VERDICT_INCONCLUSIVE, "flagged");
	c->metrics[2].is_flagged = true;
	add_metric(c, "cycles", "count", VERDICT_PASSED, "within_limit");
	c->metrics[3].is_gated = false;
	c->functions[c->n_functions++] =
		(struct gate_functions){ strdup("cpu"), some_functions(name), NULL };
	c->functions[c->n_functions++] =
		(struct gate_functions){ strdup("io"), NULL, strdup("one side has no profile") };
	c->evidence[c->n_evidence++] = strdup("/runs/new/cpu.diff.svg");
	c->notes[c->n_notes++] = strdup("allocations did not change");
	return g;
}

/* The same with strangers' names in all places. */
static struct gate_result *hostile_gate(void)
{
	struct gate_result *g = some_gate(HOSTILE);
	struct gate_case *c = &g->cases[0];
	char **const places[] = {
		&g->explanation,	   &g->next_command, &g->scenario,    &g->policy,
		&g->before_path,	   &g->after_path,   &g->retry_note,  &c->cell,
		&c->before_name,	   &c->after_name,   &c->evidence[0], &c->notes[0],
		&c->functions[0].collector
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		free(*places[i]);
		*places[i] = strdup(HOSTILE);
	}
	c->metrics[0].name = HOSTILE;
	c->metrics[0].unit = HOSTILE;
	return g;
}

enum kind { TEXT, COLORED, REPORT, JUNIT, ANNOTATIONS };

static char *text_of(const struct gate_result *g, enum kind kind)
{
	size_t len;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);
	int err;

	assert_non_null(out);
	err = kind == REPORT	    ? gate_report_write(g, out)
	      : kind == JUNIT	    ? gate_junit_write(g, out)
	      : kind == ANNOTATIONS ? gate_annotations_write(g, "bench/cpu.yaml", out)
				    : gate_text_write(g, kind == COLORED, out);
	assert_int_equal(err, 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static void the_json_keeps_to_its_schema(void **state)
{
	_cleanup_(gate_result_freep) struct gate_result *g = some_gate("parse"),
							*bad = hostile_gate();
	_cleanup_(decrefp) json_t *o = gate_json(g), *hostile = gate_json(bad);

	(void)state;
	assert_at(o, "verdict", "\"regressed\"");
	assert_at(o, "reason", "\"beyond_limit\"");
	assert_at(o, "exit_code", "1");
	assert_at(o, "before.baseline", "\"0003\"");
	assert_at(o, "cases.0.metrics.0.change", "0.1");
	assert_at(o, "cases.0.metrics.0.high", "null");
	assert_at(o, "cases.0.metrics.1.limits.is_points", "true");
	assert_at(o, "cases.0.functions.0.comparison.changes.0.function", "\"parse\"");
	assert_at(o, "cases.0.functions.0.comparison.changes.0.low", "null");
	assert_at(o, "cases.0.functions.0.comparison.changes.1.counterpart", "\"fast_path\"");
	assert_at(o, "cases.0.functions.1.comparison", "null");
	assert_at(o, "cases.0.functions.1.reason", "\"one side has no profile\"");
	assert_at(o, "cases.0.evidence.0", "\"/runs/new/cpu.diff.svg\"");
	assert_true(schema_accepts(o, "gate.schema.json"));
	assert_true(schema_accepts(hostile, "gate.schema.json"));
	json_object_set_new(o, "verdict", json_string("fine"));
	assert_false(schema_accepts(o, "gate.schema.json"));
}

static void a_column_of_the_text_has_a_whole_unit_or_none(void **state)
{
	_cleanup_(gate_result_freep) struct gate_result *g = some_gate("parse");
	_cleanup_(freep) char *text = NULL;

	(void)state;
	g->cases[0].metrics[0].unit = "requests/s";
	g->cases[0].metrics[1].high = 0.11;
	text = text_of(g, TEXT);
	assert_non_null(strstr(text, "  wall_ns                  100000000   110000000   +10.0 %"));
	assert_non_null(strstr(text, "  +9.0 .. +11.0 points   INCONCLUSIVE"));
}

static void the_text_begins_with_the_verdict_and_ends_with_what_to_do(void **state)
{
	_cleanup_(gate_result_freep) struct gate_result *g = some_gate("parse");
	_cleanup_(freep) char *text = text_of(g, TEXT);

	(void)state;
	assert_string_equal(
		text,
		"REGRESSED  cpu-bound: wall_ns is 10.0 % worse [beyond_limit]\n"
		"retry: 30 more pairs said the same\n"
		"\n"
		"small.off -> small.on  REGRESSED\n"
		"  metric                   before      after       worse by      95 % interval    "
		"      verdict\n"
		"  wall_ns                  100 ms      110 ms      +10.0 %       +9.0 % .. -      "
		"      REGRESSED beyond_limit\n"
		"  error_rate               100000000   110000000   +10.0 points  +9.0 .. -        "
		"      INCONCLUSIVE too_noisy (+4.0 points would have been seen)\n"
		"  max_rss_bytes            95.37 MiB   104.9 MiB   +10.0 %       +9.0 % .. -      "
		"      INCONCLUSIVE flagged (+4.0 % would have been seen) (flagged for a person)\n"
		"  1 more are not gated: --json has them\n"
		"  functions by cpu, per iteration: 10 ms -> 11 ms\n"
		"    grown    parse (app): 2 ms -> 2.9 ms, 90 % of the change\n"
		"    moved    slow_path (app): 1 ms -> 1.1 ms, 10 % of the change, from fast_path "
		"within dispatch\n"
		"  functions by io: not compared: one side has no profile\n"
		"  note: allocations did not change\n"
		"  evidence: /runs/new/cpu.diff.svg\n"
		"\n"
		"next: fathom diff before after\n");
}

static void colors_stand_only_where_they_are_wanted(void **state)
{
	_cleanup_(gate_result_freep) struct gate_result *g = hostile_gate();
	_cleanup_(freep) char *plain = text_of(g, TEXT), *colored = text_of(g, COLORED);

	(void)state;
	assert_null(strchr(plain, '\x1b'));
	assert_int_equal(strncmp(colored, "\x1b[1;31mREGRESSED\x1b[0m  ", 22), 0);
	assert_null(strstr(colored, "\x1b[31m"));
	assert_null(strstr(plain, "\n::error"));
}

static void the_report_has_all_metrics(void **state)
{
	_cleanup_(gate_result_freep) struct gate_result *g = some_gate("parse"),
							*bad = hostile_gate();
	_cleanup_(freep) char *text = text_of(g, REPORT), *hostile = text_of(bad, REPORT);

	(void)state;
	assert_has(text, "## Gate: regressed\n\nwall\\_ns is 10.0 % worse\n");
	assert_has(text, "| `wall_ns` | 100 ms | 110 ms | +10.0 % | +9.0 % to - | 15 | 0.0002 | "
			 "+4.0 % | **regressed**: beyond\\_limit |\n");
	assert_has(text, "| `cycles` (not gated) |");
	assert_has(text, "| grown | `parse` | app | 2 ms | 2.9 ms | +90.0 % | 0.001 |\n");
	assert_has(text, "| moved | `slow_path` from `fast_path` within `dispatch` | app |");
	assert_has(text, "- `/runs/new/cpu.diff.svg`\n");
	assert_has(hostile, "| grown | `a\\|b'c\"d<e>&'f\\g?::error::h%0A%,:i??[31m");
	assert_null(strstr(hostile, "\n::"));
	assert_null(strchr(hostile, '\x1b'));
}

static void what_regressed_is_a_failure_of_junit_and_what_is_not_known_an_error(void **state)
{
	_cleanup_(gate_result_freep) struct gate_result *g = some_gate("parse"),
							*bad = hostile_gate();
	_cleanup_(freep) char *text = text_of(g, JUNIT), *hostile = text_of(bad, JUNIT);
	_cleanup_(freep) char *inconclusive = NULL, *passed = NULL;

	(void)state;
	junit_need_xmllint();
	junit_assert_count(text, "count(/testsuites/testsuite/testcase)", 4);
	junit_assert_count(text, "number(//testsuite/@tests)", 4);
	junit_assert_count(text, "count(//failure)", 2);
	junit_assert_count(text, "number(//testsuite/@failures)", 2);
	junit_assert_count(text, "count(//skipped)", 2);
	junit_assert_count(text, "number(//testsuite/@skipped)", 2);
	assert_has(text, "grown: parse\n");
	junit_assert_count(hostile, "count(//failure)", 2);
	junit_assert_valid(text);
	junit_assert_valid(hostile);
	g->verdict = VERDICT_INCONCLUSIVE;
	g->exit_code = 4;
	g->cases[0].metrics[0].verdict = VERDICT_PASSED;
	inconclusive = text_of(g, JUNIT);
	junit_assert_valid(inconclusive);
	junit_assert_count(inconclusive, "count(//failure)", 0);
	junit_assert_count(inconclusive, "count(//error)", 1);
	junit_assert_count(inconclusive, "number(//testsuite/@errors)", 1);
	g->verdict = VERDICT_PASSED;
	g->exit_code = 0;
	passed = text_of(g, JUNIT);
	junit_assert_count(passed, "count(//failure) + count(//error)", 0);
	junit_assert_count(passed, "number(//testsuite/@errors)", 0);
}

static void names_cannot_give_commands_to_github(void **state)
{
	_cleanup_(gate_result_freep) struct gate_result *g = some_gate("parse"),
							*bad = hostile_gate();
	_cleanup_(freep) char *text = text_of(g, ANNOTATIONS), *hostile = text_of(bad, ANNOTATIONS);
	static const char title[] = "file=bench/cpu.yaml,title=a|b`c\"d<e>&'f\\g?%3A%3Aerror%3A%3Ah"
				    "%250A%25%2C%3Ai??[31m";
	char *rest = hostile, *line;
	unsigned int n = 0;

	(void)state;
	assert_string_equal(
		text,
		"::error file=bench/cpu.yaml,title=cpu-bound::regressed: wall_ns is 10.0 %25 "
		"worse\n"
		"::error file=bench/cpu.yaml,title=cpu-bound small::wall_ns is worse by +10.0 %25 "
		"(+9.0 %25 to -); dearer: parse (90%25 of the change)\n"
		"::warning file=bench/cpu.yaml,title=cpu-bound small::max_rss_bytes is worse by "
		"+10.0 %25 (+9.0 %25 to -); dearer: parse (90%25 of the change)\n");
	while ((line = strsep(&rest, "\n")) && *line) {
		const char *properties = strchr(line, ' ');

		assert_true(!strncmp(line, "::error ", 8) || !strncmp(line, "::warning ", 10));
		assert_true(!strncmp(properties + 1, title, strlen(title)));
		assert_null(strchr(line, '\r'));
		assert_null(strstr(line, "%0A"));
		n++;
	}
	assert_int_equal(n, 3);
}

static void a_verdict_without_cases_can_be_written_too(void **state)
{
	struct gate_result g = { .verdict = VERDICT_INCONCLUSIVE,
				 .exit_code = 6,
				 .reason = "data_quality" };
	_cleanup_(decrefp) json_t *o = gate_json(&g);
	_cleanup_(freep) char *text = text_of(&g, TEXT), *report = text_of(&g, REPORT);
	_cleanup_(freep) char *junit = text_of(&g, JUNIT), *notes = text_of(&g, ANNOTATIONS);

	(void)state;
	assert_true(schema_accepts(o, "gate.schema.json"));
	assert_string_equal(text, "INCONCLUSIVE  :  [data_quality]\n");
	assert_has(report, "| before | `-` |");
	assert_has(junit, "<error type=\"data_quality\" message=\"\"/>");
	assert_has(notes, "::warning file=bench/cpu.yaml,title=::inconclusive: \n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_json_keeps_to_its_schema),
		cmocka_unit_test(the_text_begins_with_the_verdict_and_ends_with_what_to_do),
		cmocka_unit_test(a_column_of_the_text_has_a_whole_unit_or_none),
		cmocka_unit_test(colors_stand_only_where_they_are_wanted),
		cmocka_unit_test(the_report_has_all_metrics),
		cmocka_unit_test(
			what_regressed_is_a_failure_of_junit_and_what_is_not_known_an_error),
		cmocka_unit_test(names_cannot_give_commands_to_github),
		cmocka_unit_test(a_verdict_without_cases_can_be_written_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
