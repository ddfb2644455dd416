/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "flamegraph/differential.h"
#include "flamegraph/palette.h"
#include "tests/unit/folder.h"
#include "user/base/array.h"
#include "user/base/err.h"

struct world {
	struct profile *before, *after;
	struct calltree *tree_before, *tree_after;
	struct differential *d;
	char *svg;
	size_t len;
};

static void world_init(struct world *w)
{
	*w = (struct world){ .before = stacks_new("cpu", "nanoseconds"),
			     .after = stacks_new("cpu", "nanoseconds") };
}

static void join(struct world *w, double scale_before, double scale_after, differential_judge judge,
		 void *arg)
{
	const struct view view = { 0 };
	struct differential_side before, after;

	assert_int_equal(calltree_new(w->before, &view, &w->tree_before), 0);
	assert_int_equal(calltree_new(w->after, &view, &w->tree_after), 0);
	before = (struct differential_side){ w->tree_before, scale_before };
	after = (struct differential_side){ w->tree_after, scale_after };
	assert_int_equal(differential_new(&before, &after, judge, arg, &w->d), 0);
}

static void draw(struct world *w, double min_share)
{
	const struct svg_options o = { .title = "Work",
				       .subtitle = "before and after",
				       .unit = "nanoseconds",
				       .value = "cpu",
				       .width = 1020 };
	FILE *out;

	free(w->svg);
	w->svg = NULL;
	out = open_memstream(&w->svg, &w->len);
	assert_non_null(out);
	assert_int_equal(differential_write(w->d, min_share, &o, out), 0);
	assert_int_equal(fclose(out), 0);
}

static void world_release(struct world *w)
{
	free(w->svg);
	differential_free(w->d);
	calltree_free(w->tree_before);
	calltree_free(w->tree_after);
	profile_free(w->before);
	profile_free(w->after);
}

static void has(const struct world *w, const char *text)
{
	if (!strstr(w->svg, text))
		fail_msg("the picture lacks %s in\n%.600s", text, strstr(w->svg, "\"rows\""));
}

static void lacks(const struct world *w, const char *text)
{
	if (strstr(w->svg, text))
		fail_msg("the picture has %s", text);
}

static uint32_t find(const struct world *w, const char *name)
{
	uint32_t i;

	for (i = 0; i < w->d->tree->n_nodes; i++) {
		if (!strcmp(calltree_name(w->d->tree, i), name))
			return i;
	}
	fail_msg("no frame is called '%s'", name);
	return 0;
}

static uint32_t color(const struct world *w, const char *name)
{
	const struct svg_delta delta = { w->d->changes, w->d->is_judged };

	return svg_delta_color(&delta, find(w, name));
}

/* Significant is what is named here. */
static bool judge_by_name(void *arg, const char *function, const char *module, double *ret_p)
{
	(void)module;
	*ret_p = !strcmp(function, arg) ? 0.0078125 : 0.5;
	return !strcmp(function, arg);
}

static void some_stacks(struct world *w)
{
	world_init(w);
	stacks_add(w->before, "sh", "main@sh;work@sh", 3000);
	stacks_add(w->before, "sh", "main@sh;work@sh;leaf@libc.so.6", 1000);
	stacks_add(w->before, "sh", "main@sh;old@sh", 1000);
	stacks_add(w->before, "sh", "main@sh;rest@sh", 5000);
	stacks_add(w->after, "sh", "main@sh;work@sh", 5000);
	stacks_add(w->after, "sh", "main@sh;work@sh;leaf@libc.so.6", 1000);
	stacks_add(w->after, "sh", "main@sh;rest@sh", 4900);
	stacks_add(w->after, "sh", "main@sh;fresh@sh", 100);
}

static void both_sides_of_a_frame_are_known(void **state)
{
	const struct svg_change *change;
	struct world w;

	(void)state;
	some_stacks(&w);
	join(&w, 1, 1, NULL, NULL);
	change = &w.d->changes[find(&w, "work")];
	assert_true(change->before == 4000 && change->after == 6000);
	assert_true(change->self_before == 3000 && change->self_after == 5000);
	assert_false(change->is_vanished);
	change = &w.d->changes[find(&w, "old")];
	assert_true(change->before == 1000 && change->after == 0);
	assert_true(change->is_vanished);
	change = &w.d->changes[0];
	assert_true(change->before == 10000 && change->after == 11000);
	assert_false(change->is_vanished);
	world_release(&w);
}

static void scales_make_sides_comparable(void **state)
{
	struct differential_side none = { 0 }, one = { 0 };
	struct differential *d = NULL;
	struct world w;

	(void)state;
	some_stacks(&w);
	join(&w, 0.5, 0.25, NULL, NULL);
	assert_true(w.d->changes[find(&w, "work")].before == 2000);
	assert_true(w.d->changes[find(&w, "work")].after == 1500);
	assert_true(w.d->changes[0].before == 5000 && w.d->changes[0].after == 2750);
	none.tree = one.tree = w.tree_before;
	one.scale = 1;
	assert_int_equal(differential_new(&one, &none, NULL, NULL, &d), -EINVAL);
	none.scale = INFINITY;
	assert_int_equal(differential_new(&none, &one, NULL, NULL, &d), -EINVAL);
	assert_non_null(strstr(err_text(), "scales above 0"));
	none.scale = 1e307;
	assert_int_equal(differential_new(&none, &one, NULL, NULL, &d), -EOVERFLOW);
	assert_null(d);
	world_release(&w);
}

/* In the layout, too: children and what their parent spent itself. */
static void widths_are_what_it_takes_after_and_what_vanished(void **state)
{
	const double full = DIFFERENTIAL_FULL_WIDTH;
	struct flame_layout *layout = NULL;
	struct world w;
	int64_t *inside;
	size_t i;

	(void)state;
	some_stacks(&w);
	join(&w, 1, 1, NULL, NULL);
	/* Each frame's own is rounded. */
	assert_true(fabs(w.d->tree->nodes[find(&w, "work")].total - full * 6 / 11) < 3);
	assert_true(fabs(w.d->tree->nodes[find(&w, "old")].total - full / 11) < 3);
	assert_true(fabs(w.d->tree->nodes[0].total - full * 12 / 11) < 6);
	assert_int_equal(flame_layout_new(w.d->tree, 0, &layout), 0);
	assert_int_equal(layout->total, w.d->tree->nodes[0].total);
	inside = calloc(layout->n, sizeof(*inside));
	assert_non_null(inside);
	for (i = layout->n; i--;) {
		const struct flame_box *box = &layout->boxes[i];
		const struct calltree_node *node = &w.d->tree->nodes[box->node];

		assert_int_equal(box->width, node->total);
		assert_int_equal(box->width, node->self + inside[i]);
		if (i)
			inside[box->parent] += box->width;
	}
	free(inside);
	flame_layout_free(layout);
	world_release(&w);
}

static void colours_say_less_or_more_and_how_much(void **state)
{
	struct world w;

	(void)state;
	some_stacks(&w);
	join(&w, 1, 1, NULL, NULL);
	assert_int_equal(color(&w, "work"), svg_delta_more[3]);	 /* 2000 of 11000 */
	assert_int_equal(color(&w, "old"), svg_delta_less[2]);	 /* 1000 */
	assert_int_equal(color(&w, "rest"), svg_delta_less[0]);	 /* 100: 0.9 % */
	assert_int_equal(color(&w, "fresh"), svg_delta_more[0]); /* 100 */
	assert_int_equal(color(&w, "leaf"), SVG_DELTA_SAME);
	assert_int_equal(color(&w, "main"), SVG_DELTA_SAME); /* itself */
	assert_int_equal(color(&w, "sh"), SVG_DELTA_GREY);
	assert_int_equal(color(&w, "all"), SVG_DELTA_GREY);
	world_release(&w);
}

static void what_is_insignificant_is_grey(void **state)
{
	char work[] = "work";
	struct world w;

	(void)state;
	some_stacks(&w);
	join(&w, 1, 1, judge_by_name, work);
	assert_int_equal(color(&w, "work"), svg_delta_more[3]);
	assert_int_equal(color(&w, "rest"), SVG_DELTA_GREY);
	assert_int_equal(color(&w, "old"), SVG_DELTA_GREY);
	assert_int_equal(color(&w, "main"), SVG_DELTA_GREY);
	draw(&w, 0);
	has(&w,
	    "<title>work\nsh\n4.00 us before, 6.00 us after, +2.00 us (+50.00%); itself "
	    "3.00 us before, 5.00 us after, +2.00 us (+66.67%); significant, p = 0.0078</title>");
	has(&w, "<title>rest\nsh\n5.00 us before, 4.90 us after, -100 ns (-2.00%); "
		"not significant, p = 0.5</title>");
	has(&w, ">change not significant</text>");
	lacks(&w, ">same</text>");
	world_release(&w);
}

static bool judge_module(void *arg, const char *function, const char *module, double *ret_p)
{
	unsigned int *calls = arg;

	*calls += 1;
	assert_string_not_equal(function, "sh"); /* a process */
	assert_string_not_equal(function, "all");
	*ret_p = NAN;
	return !strcmp(function, "work") && !strcmp(module, "build-b");
}

static void modules_are_those_after(void **state)
{
	unsigned int calls = 0;
	struct world w;

	(void)state;
	world_init(&w);
	stacks_add(w.before, "sh", "main@build-a;work@build-a", 3000);
	stacks_add(w.after, "sh", "main@build-b;work@build-b", 5000);
	join(&w, 1, 1, judge_module, &calls);
	assert_int_equal(calls, 2);
	assert_int_equal(w.d->tree->n_nodes, 4);
	assert_int_equal(color(&w, "work"), svg_delta_more[3]);
	draw(&w, 0);
	has(&w, "+2.00 us (+66.67%); significant</title>");
	world_release(&w);
}

static void what_vanished_is_as_wide_as_it_was_and_dashed(void **state)
{
	char old[] = "old";
	struct world w;

	(void)state;
	some_stacks(&w);
	join(&w, 1, 1, judge_by_name, old);
	draw(&w, 0);
	/* 1,000 of 12,000 on 1,000 pixels. */
	has(&w, "<title>old\nsh\ngone: 1.00 us before, 0 ns after, -1.00 us (-100.00%); "
		"significant, p = 0.0078</title><rect x=\"18.33\" width=\"82.84\" height=\"16\" "
		"fill=\"#8fc1ea\" stroke=\"#3f3f46\" stroke-dasharray=\"3 2\" "
		"fill-opacity=\".55\"/>");
	has(&w, ">gone: width before</text>");
	has(&w, ">all: 10.0 us before, 11.0 us after, +1.00 us (+10.00%)</text>");
	world_release(&w);
}

static void a_program_that_does_nothing_any_more_is_drawn(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	stacks_add(w.before, "sh", "main@sh;old@sh", 1000);
	join(&w, 1, 1, NULL, NULL);
	draw(&w, 0);
	has(&w, "<title>all\n1.00 us before, 0 ns after, -1.00 us (-100.00%)</title>");
	has(&w, "<title>old\nsh\ngone: 1.00 us before");
	world_release(&w);
	world_init(&w);
	join(&w, 1, 1, NULL, NULL);
	draw(&w, 0);
	has(&w, ">no samples</text>");
	world_release(&w);
}

static void small_amounts_per_iteration_keep_their_digits(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	stacks_add(w.before, NULL, "main", 3000);
	stacks_add(w.after, NULL, "main", 3600);
	stacks_add(w.before, NULL, "lost", -5);
	join(&w, 1e-4, 1e-4, NULL, NULL);
	draw(&w, 0);
	has(&w, "<title>main\n0.3 ns before, 0.36 ns after, +0.06 ns (+20.00%)</title>");
	assert_true(w.d->changes[find(&w, "lost")].before == 0);
	world_release(&w);
}

static void pruned_boxes_say_what_they_were_and_are(void **state)
{
	char name[32];
	struct world w;
	int i;

	(void)state;
	world_init(&w);
	stacks_add(w.before, NULL, "main", 100000);
	stacks_add(w.after, NULL, "main", 100000);
	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "main;f%d", i);
		stacks_add(w.before, NULL, name, 100);
		stacks_add(w.after, NULL, name, 150);
	}
	join(&w, 1, 1, NULL, NULL);
	draw(&w, 0.01);
	has(&w, "<title>5 frames\ntoo narrow to be drawn one by one\n500 ns before, 750 ns after, "
		"+250 ns (+50.00%)</title>");
	has(&w, ">too narrow to draw</text>");
	world_release(&w);
}

static void is_valid_xml(const struct world *w)
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
		 folder_write(&f, "x.svg", w->svg, w->len));
	status = system(command);
	folder_remove(&f);
	assert_int_equal(status, 0);
}

static void hostile_names_give_valid_xml_and_equal_bytes(void **state)
{
	static const char hostile[] =
		"a<b>&\"c'd\x01\x1b[31m\xff]]>--></title><script>x()</script>";
	_cleanup_(freep) char *first = NULL;
	struct world w;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		some_stacks(&w);
		stacks_add(w.before, hostile, hostile, 500);
		stacks_add(w.after, "other", hostile, 700);
		join(&w, 1, 1, NULL, NULL);
		draw(&w, 0);
		is_valid_xml(&w);
		lacks(&w, "<script>x()");
		if (first)
			assert_string_equal(first, w.svg);
		else
			first = strdup(w.svg);
		world_release(&w);
	}
}

static void a_small_picture_is_as_it_was(void **state)
{
	static const char golden[] =
		"<g class=\"rows\">\n"
		"<g class=\"row\" transform=\"translate(0 90)\">\n"
		"<g data-x=\"0\" data-w=\"1200000000\"><title>all\n"
		"1.00 us before, 1.00 us after</title><rect x=\"10\" width=\"999.50\" "
		"height=\"16\" "
		"fill=\"#d0d0d6\"/><text x=\"13\" y=\"12\">all</text></g>\n"
		"</g>\n"
		"<g class=\"row\" transform=\"translate(0 73)\">\n"
		"<g data-x=\"0\" data-w=\"1200000000\"><title>main\nm\n"
		"1.00 us before, 1.00 us after; not significant, "
		"p = 0.5</title><rect x=\"10\" width=\"999.50\" height=\"16\" fill=\"#d0d0d6\"/>"
		"<text x=\"13\" y=\"12\">main</text></g>\n"
		"</g>\n"
		"<g class=\"row\" transform=\"translate(0 56)\">\n"
		"<g data-x=\"0\" data-w=\"200000000\"><title>gone\nm\n"
		"gone: 200 ns before, 0 ns after, -200 ns (-100.00%); not significant, p = "
		"0.5</title>"
		"<rect x=\"10\" width=\"166.17\" height=\"16\" fill=\"#d0d0d6\" stroke=\"#3f3f46\" "
		"stroke-dasharray=\"3 2\" fill-opacity=\".55\"/>"
		"<text x=\"13\" y=\"12\">gone</text></g>\n"
		"<g data-x=\"200000000\" data-w=\"1000000000\"><title>work\nm\n"
		"800 ns before, 1.00 us after, +200 ns (+25.00%); significant, p = 0.0078</title>"
		"<rect x=\"176.67\" width=\"832.83\" height=\"16\" fill=\"#f5844f\"/>"
		"<text x=\"179.67\" y=\"12\">work</text></g>\n"
		"</g>\n"
		"</g>\n";
	char work[] = "work";
	struct world w;

	(void)state;
	world_init(&w);
	stacks_add(w.before, NULL, "main@m;work@m", 800);
	stacks_add(w.before, NULL, "main@m;gone@m", 200);
	stacks_add(w.after, NULL, "main@m;work@m", 1000);
	join(&w, 1, 1, judge_by_name, work);
	draw(&w, 0);
	has(&w, golden);
	has(&w, ">Work</text>");
	has(&w, ">before and after</text>");
	is_valid_xml(&w);
	world_release(&w);
}

/* Relative luminance and contrast of WCAG 2. */
static double luminance(uint32_t rgb)
{
	static const double weights[] = { 0.0722, 0.7152, 0.2126 };
	double sum = 0;
	int i;

	for (i = 0; i < 3; i++) {
		double v = (rgb >> (8 * i) & 255) / 255.0;

		sum += weights[i] * (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
	}
	return sum;
}

static void dark_text_is_readable_on_all_shades(void **state)
{
	const uint32_t others[] = { SVG_DELTA_GREY, SVG_DELTA_SAME, SVG_DELTA_PRUNED };
	size_t i;

	(void)state;
	for (i = 0; i < SVG_DELTA_SHADES; i++) {
		assert_true(luminance(svg_delta_less[i]) + 0.05 >=
			    7 * (luminance(PALETTE_TEXT) + 0.05));
		assert_true(luminance(svg_delta_more[i]) + 0.05 >=
			    7 * (luminance(PALETTE_TEXT) + 0.05));
		assert_true(!i || luminance(svg_delta_less[i]) < luminance(svg_delta_less[i - 1]));
		assert_true(!i || luminance(svg_delta_more[i]) < luminance(svg_delta_more[i - 1]));
	}
	for (i = 0; i < ARRAY_SIZE(others); i++)
		assert_true(luminance(others[i]) + 0.05 >= 7 * (luminance(PALETTE_TEXT) + 0.05));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_of_a_frame_are_known),
		cmocka_unit_test(scales_make_sides_comparable),
		cmocka_unit_test(widths_are_what_it_takes_after_and_what_vanished),
		cmocka_unit_test(colours_say_less_or_more_and_how_much),
		cmocka_unit_test(what_is_insignificant_is_grey),
		cmocka_unit_test(modules_are_those_after),
		cmocka_unit_test(what_vanished_is_as_wide_as_it_was_and_dashed),
		cmocka_unit_test(a_program_that_does_nothing_any_more_is_drawn),
		cmocka_unit_test(small_amounts_per_iteration_keep_their_digits),
		cmocka_unit_test(pruned_boxes_say_what_they_were_and_are),
		cmocka_unit_test(hostile_names_give_valid_xml_and_equal_bytes),
		cmocka_unit_test(a_small_picture_is_as_it_was),
		cmocka_unit_test(dark_text_is_readable_on_all_shades),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
