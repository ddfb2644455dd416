/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/folder.h"
#include "tests/unit/some_latency.h"

#include <errno.h>
#include <stdio.h>

#include "flamegraph/heat_axis.h"
#include "flamegraph/latency_heatmap.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"

#define S 1000000000ull

#define HOSTILE                                                               \
	"a<b>&\"c'd\x01\x1b[31m\xff\xed\xa0\x80]]>--></title></text><script>" \
	"x()</script>\xe2\x80\xae"

static char *drawn(const struct heatmap *m, const struct heatmap_options *o)
{
	char *svg = NULL;
	size_t len;
	FILE *out = open_memstream(&svg, &len);

	assert_non_null(out);
	assert_int_equal(heatmap_write(m, o, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(strlen(svg), len);
	return svg;
}

static void has(const char *svg, const char *text)
{
	if (!strstr(svg, text))
		fail_msg("the picture lacks %s", text);
}

static void lacks(const char *svg, const char *text)
{
	if (strstr(svg, text))
		fail_msg("the picture has %s", text);
}

static void is_valid_xml(const char *svg)
{
	char command[600];
	struct folder f;
	int status;

	if (system("command -v xmllint >/dev/null 2>&1")) {
		print_message("xmllint is missing (libxml2-utils): validity is not tested\n");
		skip();
	}
	folder_make(&f);
	snprintf(command, sizeof(command), "xmllint --noout '%s'",
		 folder_write(&f, "x.svg", svg, strlen(svg)));
	status = system(command);
	folder_remove(&f);
	assert_int_equal(status, 0);
}

/* Two columns, of one and of two seconds; rows of an octave each from 1 ms. */
static const uint64_t ends[] = { 6 * S, 8 * S };
static const uint64_t lowers[] = { 1 * MS, 2 * MS, 4 * MS, 8 * MS };
static const uint32_t cells[] = { 1000, 0, 1, 0, 30, 0 };
static const struct heatmap two = {
	.start_ns = 5 * S,
	.ends_ns = ends,
	.n_columns = 2,
	.lowers_ns = lowers,
	.n_rows = 3,
	.cells = cells,
};

static void a_cell_stands_where_its_time_and_latency_are(void **state)
{
	const struct heatmap_options o = { .width = 412 }; /* a plot of 300 */
	_cleanup_(freep) char *svg = drawn(&two, &o);

	(void)state;
	has(svg, "<g transform=\"translate(84.00 0)\">\n<rect y=\"56\" width=\"100.00\" "
		 "height=\"28\" class=\"c7\"><title>1.00 ms to 2.00 ms: 1,000 operations\n"
		 "0.00 s to 1.00 s</title></rect>\n<rect y=\"0\" width=\"100.00\" height=\"28\" "
		 "class=\"c0\"><title>4.00 ms to 8.00 ms: 1 operations\n");
	has(svg, "<g transform=\"translate(184.00 0)\">\n<rect y=\"28\" width=\"200.00\" "
		 "height=\"28\" class=\"c3\"><title>2.00 ms to 4.00 ms: 30 operations\n1.00 s to "
		 "3.00 s</title>");
	lacks(svg, ": 0 operations");
}

static void axes_and_legend_have_units(void **state)
{
	const struct heatmap_options o = { .latency = "total time", .value = "requests" };
	_cleanup_(freep) char *svg = drawn(&two, &o);

	(void)state;
	has(svg, ">time since the start</text>");
	has(svg, ">total time</text>");
	has(svg, ">0.0 s</text>");
	has(svg, ">3.0 s</text>");
	has(svg, ">1 ms</text>");
	has(svg, ">2 ms</text>");
	has(svg, ">5 ms</text>");
	lacks(svg, ">10 ms</text>"); /* beyond the plot */
	has(svg, ">1</text>");
	has(svg, ">422</text>"); /* 1000^(7/8) */
	has(svg, ">requests in a cell, at least</text>");
	has(svg, ": 30 requests\n");
	has(svg, "<title>Latency</title>");
	lacks(svg, "<script");
	is_valid_xml(svg);
}

static void few_counts_have_few_colours(void **state)
{
	static const uint32_t few[] = { 1, 0, 2, 0, 1, 0 };
	const struct heatmap_options o = { 0 };
	struct heatmap m = two;
	_cleanup_(freep) char *svg = NULL;

	(void)state;
	m.cells = few;
	svg = drawn(&m, &o);
	has(svg, "<rect class=\"c0\" x=");
	has(svg, "<rect class=\"c1\" x=");
	lacks(svg, "<rect class=\"c2\" x=");
	lacks(svg, "<rect class=\"c7\" x=");
}

static void the_same_input_gives_the_same_bytes(void **state)
{
	const struct heatmap_options o = { .title = "t", .subtitle = "s" };
	_cleanup_(freep) char *a = drawn(&two, &o), *b = drawn(&two, &o);

	(void)state;
	assert_string_equal(a, b);
}

static void hostile_texts_stay_texts(void **state)
{
	const struct heatmap_options o = {
		.title = HOSTILE, .subtitle = HOSTILE, .latency = HOSTILE, .value = HOSTILE
	};
	_cleanup_(freep) char *svg = drawn(&two, &o);

	(void)state;
	lacks(svg, "<script>");
	lacks(svg, "</title></text>");
	lacks(svg, "\x1b");
	lacks(svg, "\xe2\x80\xae");
	has(svg, "a&lt;b&gt;&amp;&quot;c&#39;d");
	is_valid_xml(svg);
}

static void without_operations_the_picture_says_so(void **state)
{
	static const uint32_t none[6];
	const struct heatmap_options o = { 0 };
	_cleanup_(latency_freep) struct latency *l = some_latency();
	struct heatmap m = two;
	_cleanup_(freep) char *of_zeros = NULL, *of_nothing = NULL;
	char *svg = NULL;
	size_t len;
	FILE *out;

	(void)state;
	m.cells = none;
	of_zeros = drawn(&m, &o);
	has(of_zeros, ">nothing was measured</text>");
	is_valid_xml(of_zeros);
	m.n_columns = 0;
	of_nothing = drawn(&m, &o);
	has(of_nothing, ">nothing was measured</text>");
	out = open_memstream(&svg, &len);
	assert_int_equal(latency_heatmap_write(l, 7, &o, out), 0); /* there is none */
	assert_int_equal(fclose(out), 0);
	has(svg, ">nothing was measured</text>");
	free(svg);
}

static void a_latency_is_drawn_in_its_columns(void **state)
{
	const struct heatmap_options o = { 0 };
	_cleanup_(latency_freep) struct latency *l = some_latency();
	char *svg = NULL;
	size_t len;
	FILE *out = open_memstream(&svg, &len);

	(void)state;
	assert_int_equal(latency_heatmap_write(l, 0, &o, out), 0);
	assert_int_equal(fclose(out), 0);
	/* Writes of 5 ms in the second 100 ms. */
	has(svg, "<title>4.19 ms to 5.24 ms: 20 operations\n0.10 s to 0.20 s</title>");
	has(svg, ">100 us</text>");
	has(svg, ">140 ms</text>");
	is_valid_xml(svg);
	free(svg);
}

static uint64_t sum_of_titles(const char *svg)
{
	uint64_t sum = 0, n;
	const char *at;

	for (at = svg; (at = strstr(at, ": ")); at++) {
		for (n = 0, at += 2; (*at >= '0' && *at <= '9') || *at == ','; at++)
			n = *at == ',' ? n : n * 10 + (uint64_t)(*at - '0');
		if (!strncmp(at, " operations\n", 12))
			sum += n;
	}
	return sum;
}

/* All cells of the largest map there is. */
static void a_full_map_is_small_and_has_every_operation(void **state)
{
	static uint32_t full[LATENCY_COLUMNS * LATENCY_HEAT_ROWS];
	static uint64_t full_ends[LATENCY_COLUMNS], full_lowers[LATENCY_HEAT_ROWS + 1];
	const struct heatmap_options o = { 0 };
	struct heatmap m = {
		.ends_ns = full_ends,
		.n_columns = LATENCY_COLUMNS,
		.lowers_ns = full_lowers,
		.n_rows = LATENCY_HEAT_ROWS,
		.cells = full,
	};
	_cleanup_(freep) char *svg = NULL;
	uint64_t sum = 0;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(full); i++) {
		full[i] = (uint32_t)(i * 2654435761u) % 100000 + 2;
		sum += full[i];
	}
	for (i = 0; i < LATENCY_COLUMNS; i++)
		full_ends[i] = (i + 1) * 3600 * S;
	for (i = 0; i <= LATENCY_HEAT_ROWS; i++)
		full_lowers[i] = latency_heat_lower_ns((uint32_t)i);
	svg = drawn(&m, &o);
	assert_true(strlen(svg) < 1000000);
	assert_int_equal(sum_of_titles(svg), sum);
	is_valid_xml(svg);
}

/* Labels of the upward axis, from the bottom to the top. */
static void labels_do_not_overlap(void **state)
{
	static const char label[] = "<text class=\"ink\" x=\"75\" y=\"";
	static uint32_t spread[LATENCY_HEAT_ROWS];
	uint64_t end = 10 * S, rows[LATENCY_HEAT_ROWS + 1];
	const struct heatmap_options o = { .width = 400 };
	struct heatmap m = {
		.ends_ns = &end,
		.n_columns = 1,
		.lowers_ns = rows,
		.n_rows = LATENCY_HEAT_ROWS,
		.cells = spread,
	};
	size_t from, to, i;

	(void)state;
	for (i = 0; i <= LATENCY_HEAT_ROWS; i++)
		rows[i] = latency_heat_lower_ns((uint32_t)i);
	for (from = 0; from < LATENCY_HEAT_ROWS; from += 5) {
		for (to = from; to < LATENCY_HEAT_ROWS; to += 9) {
			_cleanup_(freep) char *svg = NULL;
			unsigned int n = 0;
			const char *at;
			int y, last = 10000;

			memset(spread, 0, sizeof(spread));
			spread[from] = spread[to] = 1;
			svg = drawn(&m, &o);
			for (at = svg; (at = strstr(at, label)); at++, n++) {
				y = atoi(at + sizeof(label) - 1);
				assert_true(last - y >= 11);
				last = y;
			}
			assert_in_range(n, 1, 40);
		}
	}
}

static void time_steps_are_round(void **state)
{
	static const struct {
		uint64_t span, step;
		const char *name;
		unsigned int n, digits;
	} cases[] = {
		{ 10 * S, 1 * S, "s", 10, 0 },
		{ 10 * S, 2 * S, "s", 9, 0 },
		{ 3 * S, 500 * MS, "s", 12, 1 },
		{ 1 * S, 20 * MS, "s", 60, 2 },
		{ 900 * MS, 100 * MS, "ms", 9, 0 },
		{ 120 * S, 10 * S, "s", 12, 0 },
		{ 3600 * S, 300 * S, "min", 12, 0 },
		{ 86400 * S, 7200 * S, "h", 12, 0 },
		{ 864000 * S, 24 * 3600 * S, "h", 12, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct heat_unit unit = heat_time_unit(cases[i].span, cases[i].n);

		assert_int_equal(unit.step_ns, cases[i].step);
		assert_string_equal(unit.name, cases[i].name);
		assert_int_equal(unit.digits, cases[i].digits);
	}
	assert_int_equal(heat_time_unit(0, 5).step_ns, 0);
	assert_int_equal(heat_time_unit(5, 0).step_ns, 0);
}

static void latency_labels_are_1_2_and_5(void **state)
{
	(void)state;
	assert_int_equal(heat_next_label(1, true), 2);
	assert_int_equal(heat_next_label(2, true), 5);
	assert_int_equal(heat_next_label(5, true), 10);
	assert_int_equal(heat_next_label(200 * MS, true), 500 * MS);
	assert_int_equal(heat_next_label(1000, false), 10000);
	assert_int_equal(heat_latency_number(20 * MS), 20);
	assert_string_equal(heat_latency_unit(20 * MS), "ms");
	assert_string_equal(heat_latency_unit(999), "ns");
	assert_string_equal(heat_latency_unit(1000), "us");
	assert_string_equal(heat_latency_unit(S), "s");
	assert_true(heat_has_room_for_fine(1 * MS, 10 * MS, 4));
	assert_false(heat_has_room_for_fine(1 * MS, 10 * MS, 3));
}

static void an_output_that_fails_is_an_error(void **state)
{
	const struct heatmap_options o = { 0 };
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_equal(heatmap_write(&two, &o, full), -ENOSPC);
	assert_non_null(strstr(err_text(), "cannot write the heat map"));
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cell_stands_where_its_time_and_latency_are),
		cmocka_unit_test(axes_and_legend_have_units),
		cmocka_unit_test(few_counts_have_few_colours),
		cmocka_unit_test(the_same_input_gives_the_same_bytes),
		cmocka_unit_test(hostile_texts_stay_texts),
		cmocka_unit_test(without_operations_the_picture_says_so),
		cmocka_unit_test(a_latency_is_drawn_in_its_columns),
		cmocka_unit_test(a_full_map_is_small_and_has_every_operation),
		cmocka_unit_test(labels_do_not_overlap),
		cmocka_unit_test(time_steps_are_round),
		cmocka_unit_test(latency_labels_are_1_2_and_5),
		cmocka_unit_test(an_output_that_fails_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
