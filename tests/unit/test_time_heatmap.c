/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/timed.h"

#include <errno.h>
#include <stdio.h>

#include "flamegraph/time_heatmap.h"
#include "user/base/err.h"

static char *drawn(const struct heatmap_options *options)
{
	char *svg = NULL;
	size_t len;
	FILE *out = open_memstream(&svg, &len);

	assert_non_null(out);
	assert_int_equal(time_heatmap_write(p, 0, options, out), 0);
	assert_int_equal(fclose(out), 0);
	return svg;
}

static void assert_has(const char *svg, const char *text)
{
	if (!strstr(svg, text))
		fail_msg("the picture lacks %s", text);
}

static unsigned int count_of(const char *svg, const char *text)
{
	unsigned int n = 0;

	for (; (svg = strstr(svg, text)); svg++)
		n++;
	return n;
}

static void a_column_is_a_second_and_a_row_a_slot(void **state)
{
	const struct heatmap_options options = { 0 };
	char *svg;

	(void)state;
	timed_add(p, "a", 0, "main;f", 3);
	timed_add(p, "b", 0, "main;g", 4);
	timed_add(p, "a", 1020, "main;f", 9);
	timed_add(p, "a", 2980, "main;f", 2);
	timed_add(p, "a", NO_TIME, "main;f", 100);
	timed_add(p, "a", 2000, "main;f", -5);
	svg = drawn(&options);
	assert_int_equal(count_of(svg, "<rect y="), 3);
	assert_has(svg, ">0 ns to 20.0 ms: 7 samples\n0.00 s to 1.00 s<");
	assert_has(svg, ">20.0 ms to 40.0 ms: 9 samples\n1.00 s to 2.00 s<");
	assert_has(svg, ">980 ms to 1.00 s: 2 samples\n2.00 s to 3.00 s<");
	assert_has(svg, "Samples over time");
	assert_has(svg, "within a second");
	assert_has(svg, ">0.0 s</text>");
	assert_has(svg, ">0.2 s</text>");
	assert_has(svg, ">0.8 s</text>");
	free(svg);
}

static void slots_that_do_not_divide_a_second_are_in_the_row_they_begin_in(void **state)
{
	const struct heatmap_options options = { .title = "T", .value = "events" };
	char *svg;

	(void)state;
	timed_add(p, "a", 300, "main;f", 1);
	timed_add(p, "a", 900, "main;f", 2);
	timed_add(p, "a", 1200, "main;f", 4);
	svg = drawn(&options);
	assert_has(svg, ">300 ms to 600 ms: 1 events\n0.00 s to 1.00 s<");
	assert_has(svg, ">900 ms to 1.00 s: 2 events\n0.00 s to 1.00 s<");
	assert_has(svg, ">0 ns to 300 ms: 4 events\n1.00 s to 2.00 s<");
	free(svg);
}

static void long_slots_and_long_spans_make_a_small_picture(void **state)
{
	const struct heatmap_options options = { 0 };
	char *svg;

	(void)state;
	timed_add(p, "a", 1, "main;f", 1);
	timed_add(p, "a", 9000000000000, "main;f", INT64_MAX);
	svg = drawn(&options);
	assert_int_equal(count_of(svg, "<rect y="), 2);
	assert_has(svg, "4,294,967,295 samples");
	assert_has(svg, "within a column");
	assert_true(strlen(svg) < 1000000);
	free(svg);
}

static void without_times_there_is_no_heat_map(void **state)
{
	const struct heatmap_options options = { 0 };

	(void)state;
	timed_add(p, "a", NO_TIME, "main;f", 1);
	assert_int_equal(time_heatmap_write(p, 0, &options, stdout), -EINVAL);
	assert_non_null(strstr(err_text(), "--timeline"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_column_is_a_second_and_a_row_a_slot),
		TEST(slots_that_do_not_divide_a_second_are_in_the_row_they_begin_in),
		TEST(long_slots_and_long_spans_make_a_small_picture),
		TEST(without_times_there_is_no_heat_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
