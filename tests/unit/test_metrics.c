/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tree.h"

#include <math.h>

#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/bench/json_pointer.h"
#include "user/bench/metrics.h"

static struct scenario_case c;
static struct run_latency latency;
static char out[4096];

static int set_up(void **state)
{
	(void)state;
	tree_make();
	strcpy(out, tree_path("stdout"));
	c = (struct scenario_case){ .workdir = tree_root };
	latency = (struct run_latency){ 0 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(latency.ns);
	tree_remove("");
	return 0;
}

static int read_metric(struct scenario_metric m, double *ret)
{
	struct metrics_source source = { .c = &c, .out = out };

	if (!m.name)
		m.name = (char *)"ops";
	return metrics_read(&m, &source, &latency, ret);
}

static double value_of(struct scenario_metric m)
{
	double v = NAN;
	int err = read_metric(m, &v);

	if (err)
		fail_msg("%s", err_text());
	return v;
}

static void refused(struct scenario_metric m, const char *sentence)
{
	double v = 1;

	assert_int_equal(read_metric(m, &v), -EINVAL);
	if (!strstr(err_text(), sentence))
		fail_msg("%s", err_text());
	assert_true(v == 1);
}

#define METRIC(...) ((struct scenario_metric){ __VA_ARGS__ })

static void lines_name_a_metric_and_its_value(void **state)
{
	(void)state;
	tree_write("stdout", "start\nops 12.5\nopsx 1\nops\n  ops\t-3e2  \nops: 4\nan ops 7\n");
	assert_true(value_of(METRIC(.aggregate = AGGREGATE_LAST)) == -300);
	assert_true(value_of(METRIC(.aggregate = AGGREGATE_MAX)) == 12.5);
	assert_true(value_of(METRIC(.name = (char *)"other", .from = (char *)"opsx")) == 1);
	refused(METRIC(.name = (char *)"missing"), "metric 'missing' is not in stdout");
}

static void many_values_become_one(void **state)
{
	static const struct {
		enum metric_aggregate how;
		double is;
	} expected[] = {
		{ AGGREGATE_MEDIAN, 2.5 }, { AGGREGATE_MEAN, 4 }, { AGGREGATE_SUM, 16 },
		{ AGGREGATE_MIN, 1 },	   { AGGREGATE_MAX, 10 }, { AGGREGATE_P95, 8.95 },
		{ AGGREGATE_P99, 9.79 },   { AGGREGATE_LAST, 2 },
	};
	size_t i;

	(void)state;
	tree_write("stdout", "ops 10\nops 1\nops 3\nops 2\n");
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_true(fabs(value_of(METRIC(.aggregate = expected[i].how)) - expected[i].is) <
			    1e-9);
}

static void a_group_of_a_pattern_is_the_value(void **state)
{
	(void)state;
	tree_write("stdout", "took 12ms for a\ntook 15ms for b\nfoo\n");
	assert_true(value_of(METRIC(.source = METRIC_REGEX, .pattern = (char *)"took ([0-9]+)ms",
				    .aggregate = AGGREGATE_SUM)) == 27);
	refused(METRIC(.source = METRIC_REGEX, .pattern = (char *)"(foo)"), "which is no number");
	refused(METRIC(.source = METRIC_REGEX, .pattern = (char *)"foo"), "metric 'ops'");
	refused(METRIC(.source = METRIC_REGEX, .pattern = (char *)"(["), "metric 'ops'");
}

static void a_pointer_leads_into_a_file(void **state)
{
	struct scenario_metric m = { .source = METRIC_POINTER,
				     .file = (char *)"r.json",
				     .pattern = (char *)"/a~1b/1/p99",
				     .aggregate = AGGREGATE_MEAN };

	(void)state;
	tree_write("r.json", "{\"a/b\": [0, {\"p99\": 7.5, \"all\": [1, 2, 6], \"t\": true}]}");
	assert_true(value_of(m) == 7.5);
	m.pattern = (char *)"/a~1b/1/all";
	assert_true(value_of(m) == 3);
	m.pattern = (char *)"/a~1b/1/none";
	refused(m, "is not in r.json");
	m.pattern = (char *)"/a~1b/1/t";
	refused(m, "is no number");
	tree_write("r.json", "{\"a\": 1e999}");
	refused(m, "no JSON");
	m.file = (char *)"none.json";
	refused(m, "No such file");
}

static void pointers_are_those_of_the_standard(void **state)
{
	/* RFC 6901, section 5. */
	json_t *root = json_loads("{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"m~n\": 8, "
				  "\" \": 7}",
				  0, NULL);

	(void)state;
	assert_ptr_equal(json_pointer_get(root, ""), root);
	assert_string_equal(json_string_value(json_pointer_get(root, "/foo/0")), "bar");
	assert_int_equal(json_integer_value(json_pointer_get(root, "/")), 0);
	assert_true(json_is_integer(json_pointer_get(root, "/")));
	assert_int_equal(json_integer_value(json_pointer_get(root, "/a~1b")), 1);
	assert_int_equal(json_integer_value(json_pointer_get(root, "/m~0n")), 8);
	assert_int_equal(json_integer_value(json_pointer_get(root, "/ ")), 7);
	assert_null(json_pointer_get(root, "/foo/00"));
	assert_null(json_pointer_get(root, "/foo/-"));
	assert_null(json_pointer_get(root, "/foo/2"));
	assert_null(json_pointer_get(root, "/foo/99999999999999999999"));
	assert_null(json_pointer_get(root, "/m~2n"));
	assert_null(json_pointer_get(root, "foo"));
	json_decref(root);
}

static void what_is_no_finite_number_is_refused(void **state)
{
	static const char *const lines[] = { "ops nan\n", "ops inf\n",	"ops 0x10\n", "ops 1e999\n",
					     "ops 1,5\n", "ops 12ms\n", "ops -\n" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		tree_write("stdout", lines[i]);
		refused(METRIC(0), "number");
	}
}

static void units_are_converted_or_refused(void **state)
{
	struct scenario_metric m = { .unit = (char *)"ms", .aggregate = AGGREGATE_LAST };

	(void)state;
	tree_write("stdout", "ops 1500 us\n");
	assert_true(value_of(m) == 1.5);
	tree_write("stdout", "ops 2 s\n");
	assert_true(value_of(m) == 2000);
	tree_write("stdout", "ops 2\n");
	assert_true(value_of(m) == 2);
	tree_write("stdout", "ops 2 MB\n");
	refused(m, "metric 'ops' is in 'MB' in stdout, not in 'ms'");
	m.unit = (char *)"bytes";
	tree_write("stdout", "ops 2 MiB\n");
	assert_true(value_of(m) == 2097152);
	m.unit = (char *)"req/s";
	tree_write("stdout", "ops 2 req/s\n");
	assert_true(value_of(m) == 2);
}

static void latencies_are_kept_one_by_one_in_ns(void **state)
{
	struct scenario_metric m = { .name = (char *)"latency",
				     .unit = (char *)"ms",
				     .aggregate = AGGREGATE_MEDIAN };

	(void)state;
	tree_write("stdout", "latency 1\nlatency 2000 us\nlatency 6\n");
	assert_true(value_of(m) == 2);
	assert_int_equal(latency.n, 3);
	assert_true(latency.ns[1] == 2e6 && latency.ns[2] == 6e6);
	m.unit = (char *)"count";
	assert_false(metrics_is_latency(&m));
	m = METRIC(.name = (char *)"p", .from = (char *)"latency", .unit = (char *)"s");
	assert_true(metrics_is_latency(&m));
}

static void observations_beyond_the_limit_are_counted(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < RUN_MAX_OBSERVATIONS + 5; i++)
		assert_int_equal(latency_add(&latency, 1), 0);
	assert_int_equal(latency.n, RUN_MAX_OBSERVATIONS);
	assert_int_equal(latency.dropped, 5);
}

static void hostile_files_are_refused(void **state)
{
	struct scenario_metric m = { .name = (char *)"ops", .file = (char *)"r" };
	struct metrics_source source = { .c = &c, .out = out };
	double v;

	(void)state;
	assert_int_equal(mkfifo(tree_path("r"), 0600), 0);
	refused(m, "not a regular file");
	assert_int_equal(remove(tree_path("r")), 0);
	tree_link("r", "/etc/passwd");
	refused(m, "symbolic link");
	assert_int_equal(remove(tree_path("r")), 0);
	tree_write("r", "ops 1\n");
	assert_int_equal(truncate(tree_path("r"), METRICS_FILE_MAX + 2), 0);
	refused(m, "larger than the limit");
	tree_write("r", "ops 1\n");
	assert_true(value_of(m) == 1);
	source.since_ns = clock_ns(CLOCK_REALTIME) + 1000000000;
	assert_int_equal(metrics_read(&m, &source, NULL, &v), -EINVAL);
	assert_non_null(strstr(err_text(), "not written by this repetition"));
}

/* A number far behind in a line is not looked for, and NUL bytes end a line's text. */
static void long_lines_are_cut(void **state)
{
	FILE *f = fopen(out, "w");

	(void)state;
	assert_non_null(f);
	fprintf(f, "%*s took 5\nops 1", 100000, "");
	fputc('\0', f);
	fprintf(f, "2\nops 3\n");
	assert_int_equal(fclose(f), 0);
	assert_true(value_of(METRIC(.aggregate = AGGREGATE_SUM)) == 4);
	refused(METRIC(.source = METRIC_REGEX, .pattern = (char *)"took ([0-9]+)"), "is not in");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_name_a_metric_and_its_value),
		TEST(many_values_become_one),
		TEST(a_group_of_a_pattern_is_the_value),
		TEST(a_pointer_leads_into_a_file),
		TEST(pointers_are_those_of_the_standard),
		TEST(what_is_no_finite_number_is_refused),
		TEST(units_are_converted_or_refused),
		TEST(latencies_are_kept_one_by_one_in_ns),
		TEST(observations_beyond_the_limit_are_counted),
		TEST(hostile_files_are_refused),
		TEST(long_lines_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
