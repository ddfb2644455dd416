/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/drawn.h"

#include <math.h>

#include "flamegraph/color.h"
#include "flamegraph/delta.h"
#include "user/base/array.h"

static void some_stacks(struct drawn *d, differential_judge judge, void *arg)
{
	struct profile *before = stacks_new("cpu", "nanoseconds");
	struct profile *after = stacks_new("cpu", "nanoseconds");

	stacks_add(before, "sh", "main@sh;work@sh", 3000);
	stacks_add(before, "sh", "main@sh;work@sh;leaf@libc.so.6", 1000);
	stacks_add(before, "sh", "main@sh;old@sh", 1000);
	stacks_add(before, "sh", "main@sh;rest@sh", 5000);
	stacks_add(after, "sh", "main@sh;work@sh", 5000);
	stacks_add(after, "sh", "main@sh;work@sh;leaf@libc.so.6", 1000);
	stacks_add(after, "sh", "main@sh;rest@sh", 4900);
	stacks_add(after, "sh", "main@sh;fresh@sh", 100);
	drawn_init_two(d, before, after, judge, arg);
}

static uint32_t color(const struct drawn *d, const struct delta *delta, const char *name)
{
	return delta_color(delta, drawn_find(d, name));
}

static uint32_t outline(const struct drawn *d, const struct delta *delta, const char *name)
{
	return delta_outline(delta, drawn_find(d, name));
}

/* Significant is what is named here. */
static bool judge_by_name(void *arg, const char *function, const char *module, double *ret_p)
{
	(void)module;
	*ret_p = !strcmp(function, arg) ? 0.0078125 : 0.5;
	return !strcmp(function, arg);
}

static void colours_say_less_or_more_and_how_much(void **state)
{
	struct delta delta;
	struct drawn d;

	(void)state;
	some_stacks(&d, NULL, NULL);
	assert_int_equal(delta_init(&delta, d.tree), 0);
	assert_int_equal(color(&d, &delta, "work"), delta_more[3]);  /* 2000 of 11000 */
	assert_int_equal(color(&d, &delta, "old"), delta_less[2]);   /* 1000 */
	assert_int_equal(color(&d, &delta, "rest"), delta_less[0]);  /* 100: 0.9 % */
	assert_int_equal(color(&d, &delta, "fresh"), delta_more[0]); /* 100 */
	assert_int_equal(color(&d, &delta, "leaf"), DELTA_SAME);
	assert_int_equal(color(&d, &delta, "main"), DELTA_SAME); /* itself */
	assert_int_equal(color(&d, &delta, "sh"), DELTA_GREY);
	assert_int_equal(color(&d, &delta, "all"), DELTA_GREY);
	delta.is_negated = true;
	assert_int_equal(color(&d, &delta, "work"), delta_less[3]);
	assert_int_equal(color(&d, &delta, "old"), delta_more[2]);
	delta_release(&delta);
	drawn_release(&d);
}

static void in_percent_it_is_a_frame_s_own_change(void **state)
{
	struct delta delta;
	struct drawn d;

	(void)state;
	some_stacks(&d, NULL, NULL);
	assert_int_equal(delta_init(&delta, d.tree), 0);
	delta.is_percent = true;
	assert_int_equal(color(&d, &delta, "work"), delta_more[3]); /* 67 % */
	assert_int_equal(color(&d, &delta, "old"), delta_less[3]);  /* -100 % */
	assert_int_equal(color(&d, &delta, "rest"), delta_less[0]); /* -2 % */
	assert_int_equal(color(&d, &delta, "fresh"), delta_more[3]);
	assert_int_equal(color(&d, &delta, "leaf"), DELTA_SAME);
	delta_release(&delta);
	drawn_release(&d);
}

static void a_caller_that_changed_through_what_it_calls_has_an_outline(void **state)
{
	struct delta delta;
	struct drawn d;

	(void)state;
	some_stacks(&d, NULL, NULL);
	assert_int_equal(delta_init(&delta, d.tree), 0);
	assert_int_equal(outline(&d, &delta, "main"), DELTA_MORE_OUTLINE); /* 1000 of 11000 */
	assert_int_equal(outline(&d, &delta, "work"), DELTA_NO_OUTLINE);   /* has a colour */
	assert_int_equal(outline(&d, &delta, "leaf"), DELTA_NO_OUTLINE);
	assert_int_equal(outline(&d, &delta, "sh"), DELTA_NO_OUTLINE);
	assert_int_equal(outline(&d, &delta, "all"), DELTA_NO_OUTLINE);
	delta.is_negated = true;
	assert_int_equal(outline(&d, &delta, "main"), DELTA_LESS_OUTLINE);
	delta_release(&delta);
	drawn_release(&d);
}

static void what_is_insignificant_is_grey_but_for_callers_of_what_is_not(void **state)
{
	char work[] = "work", old[] = "old", rest[] = "rest";
	struct delta delta;
	struct drawn d;

	(void)state;
	some_stacks(&d, judge_by_name, work);
	assert_int_equal(delta_init(&delta, d.tree), 0);
	assert_int_equal(color(&d, &delta, "work"), delta_more[3]);
	assert_int_equal(color(&d, &delta, "old"), DELTA_GREY);
	assert_int_equal(outline(&d, &delta, "old"), DELTA_NO_OUTLINE);
	assert_int_equal(color(&d, &delta, "main"), DELTA_GREY);
	assert_int_equal(outline(&d, &delta, "main"), DELTA_MORE_OUTLINE);
	delta_release(&delta);
	drawn_release(&d);
	/* More of everything, but what is known to have changed became less. */
	some_stacks(&d, judge_by_name, old);
	assert_int_equal(delta_init(&delta, d.tree), 0);
	assert_int_equal(outline(&d, &delta, "main"), DELTA_LESS_OUTLINE);
	delta_release(&delta);
	drawn_release(&d);
	some_stacks(&d, judge_by_name, rest);
	assert_int_equal(delta_init(&delta, d.tree), 0);
	assert_int_equal(outline(&d, &delta, "main"), DELTA_NO_OUTLINE); /* 0.9 % */
	delta_release(&delta);
	drawn_release(&d);
}

static void a_small_change_that_is_significant_has_a_colour(void **state)
{
	char leaf[] = "leaf";
	struct profile *before = stacks_new("cpu", "nanoseconds");
	struct profile *after = stacks_new("cpu", "nanoseconds");
	struct delta delta;
	struct drawn d;

	(void)state;
	stacks_add(before, NULL, "main;leaf", 10);
	stacks_add(before, NULL, "main", 100000);
	stacks_add(after, NULL, "main;leaf", 11);
	stacks_add(after, NULL, "main", 100000);
	drawn_init_two(&d, before, after, judge_by_name, leaf);
	assert_int_equal(delta_init(&delta, d.tree), 0);
	assert_int_equal(color(&d, &delta, "leaf"), delta_more[0]);
	delta_release(&delta);
	drawn_release(&d);
}

static void says(const struct drawn *d, const struct delta *delta, const char *name,
		 const char *text)
{
	struct str out = { 0 };

	assert_int_equal(delta_describe(delta, drawn_find(d, name), &out), 0);
	assert_string_equal(str_text(&out), text);
	str_release(&out);
}

static void texts_tell_both_sides_and_what_is_known(void **state)
{
	char work[] = "work";
	struct delta delta;
	struct str out = { 0 };
	struct drawn d;

	(void)state;
	some_stacks(&d, judge_by_name, work);
	assert_int_equal(delta_init(&delta, d.tree), 0);
	delta.unit = "nanoseconds";
	delta.value = "cpu";
	says(&d, &delta, "all", "10.0 us before, 11.0 us after, +1.00 us (+10.00%)");
	says(&d, &delta, "work",
	     "4.00 us before, 6.00 us after, +2.00 us (+50.00%)\n"
	     "itself 3.00 us before, 5.00 us after, +2.00 us (+66.67%)\n"
	     "significant, p = 0.0078");
	says(&d, &delta, "leaf", "1.00 us before, 1.00 us after\nnot significant, p = 0.5");
	says(&d, &delta, "old",
	     "gone: 1.00 us before, 0 ns after, -1.00 us (-100.00%)\n"
	     "not significant, p = 0.5");
	says(&d, &delta, "fresh", "0 ns before, 100 ns after, +100 ns\nnot significant, p = 0.5");
	d.tree->verdicts[d.tree->nodes[drawn_find(&d, "work")].frame].p = 1e-9;
	d.tree->verdicts[d.tree->nodes[drawn_find(&d, "leaf")].frame].p = NAN;
	says(&d, &delta, "leaf", "1.00 us before, 1.00 us after\nnot significant");
	d.tree->scale_before = d.tree->scale_after = 1e-4;
	says(&d, &delta, "work",
	     "0.4 ns before, 0.6 ns after, +0.2 ns (+50.00%)\n"
	     "itself 0.3 ns before, 0.5 ns after, +0.2 ns (+66.67%)\n"
	     "significant, p < 0.0001");
	d.tree->scale_before = d.tree->scale_after = 1;
	assert_int_equal(delta_describe_side(&delta, FLAME_BEFORE, &out), 0);
	assert_string_equal(str_text(&out), "10.0 us");
	str_clear(&out);
	assert_int_equal(delta_describe_side(&delta, FLAME_AFTER, &out), 0);
	assert_string_equal(str_text(&out), "11.0 us");
	str_release(&out);
	delta_release(&delta);
	drawn_release(&d);
}

static void dark_text_is_readable_on_all_shades(void **state)
{
	const uint32_t others[] = { DELTA_GREY, DELTA_SAME, DELTA_PRUNED };
	double least = 7 * (color_luminance(PALETTE_TEXT) + 0.05) - 0.05;
	size_t i;

	(void)state;
	for (i = 0; i < DELTA_SHADES; i++) {
		assert_true(color_luminance(delta_less[i]) >= least);
		assert_true(color_luminance(delta_more[i]) >= least);
		assert_true(!i ||
			    color_luminance(delta_less[i]) < color_luminance(delta_less[i - 1]));
		assert_true(!i ||
			    color_luminance(delta_more[i]) < color_luminance(delta_more[i - 1]));
	}
	for (i = 0; i < ARRAY_SIZE(others); i++)
		assert_true(color_luminance(others[i]) >= least);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(colours_say_less_or_more_and_how_much),
		cmocka_unit_test(in_percent_it_is_a_frame_s_own_change),
		cmocka_unit_test(a_caller_that_changed_through_what_it_calls_has_an_outline),
		cmocka_unit_test(what_is_insignificant_is_grey_but_for_callers_of_what_is_not),
		cmocka_unit_test(a_small_change_that_is_significant_has_a_colour),
		cmocka_unit_test(texts_tell_both_sides_and_what_is_known),
		cmocka_unit_test(dark_text_is_readable_on_all_shades),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
