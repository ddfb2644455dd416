/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include <math.h>
#include <stdio.h>

#include "user/base/json_parts.h"
#include "user/export/difference_report.h"

struct world {
	struct profile *before, *after;
	struct difference *d;
	struct difference_report r;
	char *text;
};

static void world_init(struct world *w, const char *unit)
{
	*w = (struct world){ .before = stacks_new("cpu", unit), .after = stacks_new("cpu", unit) };
	w->r = (struct difference_report){
		.value = "cpu",
		.unit = unit,
		.sources = { "old", "new" },
		.origins = { "", "" },
		.max_growth = NAN,
	};
}

static void compare(struct world *w, enum difference_scale scale)
{
	struct difference_input before = { w->before, 0, DIFFERENCE_NO_VALUE };
	struct difference_input after = { w->after, 0, DIFFERENCE_NO_VALUE };

	difference_free(w->d);
	w->d = NULL;
	assert_int_equal(difference_new(&before, &after, &w->d), 0);
	assert_int_equal(difference_set_scale(w->d, scale), 0);
	difference_sort(w->d, w->r.by_total);
	w->r.d = w->d;
	w->r.scale = scale;
}

static void print(struct world *w, bool color)
{
	size_t len;
	FILE *out;

	free(w->text);
	w->text = NULL;
	out = open_memstream(&w->text, &len);
	assert_non_null(out);
	assert_int_equal(difference_text(&w->r, color, out), 0);
	assert_int_equal(fclose(out), 0);
}

static void world_release(struct world *w)
{
	difference_free(w->d);
	profile_free(w->before);
	profile_free(w->after);
	free(w->text);
}

static void has(const struct world *w, const char *text)
{
	if (!strstr(w->text, text))
		fail_msg("there is no '%s' in\n%s", text, w->text);
}

static void some_stacks(struct world *w, const char *unit)
{
	world_init(w, unit);
	stacks_add(w->before, "sh", "main@sh;work@sh", 3000);
	stacks_add(w->before, "sh", "main@sh;old@sh", 7000);
	stacks_add(w->after, "sh", "main@sh;work@sh", 4500);
	stacks_add(w->after, "sh", "main@sh;fresh@sh", 10500);
}

static void a_table_is_as_it_was(void **state)
{
	struct world w;

	(void)state;
	some_stacks(&w, "nanoseconds");
	w.before->duration_ns = 2000000000;
	w.after->duration_ns = 3000000000;
	w.r.origins[DIFFERENCE_AFTER] = "cpu of all";
	compare(&w, DIFFERENCE_SHARE);
	print(&w, false);
	assert_string_equal(
		w.text,
		"before: old, 10.0 us of cpu in 2.00 s\n"
		"after:  new, 15.0 us of cpu in 3.00 s; cpu of all\n"
		"compared: shares of all on each side\n"
		"\n"
		"   SELF  BEFORE   AFTER  CHANGE    TOTAL  BEFORE   AFTER  FUNCTION  MODULE\n"
		"+70.00%   0.00%  70.00%     new  +70.00%   0.00%  70.00%  fresh     sh\n"
		"-70.00%  70.00%   0.00%    gone  -70.00%  70.00%   0.00%  old       sh\n");
	world_release(&w);
}

static void amounts_are_on_the_scale(void **state)
{
	struct world w;

	(void)state;
	some_stacks(&w, "nanoseconds");
	w.before->duration_ns = 2000000000;
	w.after->duration_ns = 3000000000;
	compare(&w, DIFFERENCE_SECOND);
	print(&w, false);
	has(&w, "compared: per second; all: 0 ns/s, +0.0%\n");
	has(&w, "-3.50 us/s  3.50 us/s     0 ns/s    gone");
	compare(&w, DIFFERENCE_ABSOLUTE);
	print(&w, false);
	has(&w, "compared: amounts as they are; all: +5.00 us, +50.0%\n");
	has(&w, "+1.50 us  3.00 us  4.50 us  +50.0%");
	world_release(&w);
	some_stacks(&w, "count");
	w.before->duration_ns = 40000000000;
	w.after->duration_ns = 80000000000000;
	compare(&w, DIFFERENCE_SECOND);
	print(&w, false);
	has(&w, "-74.9/s    75/s  0.0563/s  -99.9%");
	world_release(&w);
}

static void only_so_many_rows_are_shown_and_the_others_counted(void **state)
{
	struct world w;

	(void)state;
	some_stacks(&w, "count");
	w.r.rows = 1;
	compare(&w, DIFFERENCE_ABSOLUTE);
	print(&w, false);
	has(&w, "fresh     sh\n... and 2 more\n");
	w.r.by_total = true;
	compare(&w, DIFFERENCE_ABSOLUTE);
	print(&w, false);
	has(&w, "\n  TOTAL  BEFORE   AFTER  CHANGE     SELF  BEFORE   AFTER  FUNCTION  MODULE\n"
		"+10,500       0  10,500     new  +10,500       0  10,500  fresh     sh\n"
		"... and 3 more\n");
	world_release(&w);
}

static void what_is_noise_is_dim_and_has_no_star(void **state)
{
	struct world w;

	(void)state;
	some_stacks(&w, "count");
	w.r.significance = SIGNIFICANCE_GATE;
	compare(&w, DIFFERENCE_ABSOLUTE);
	w.d->is_judged = true;
	difference_find(w.d, "work", "sh")->p = 0.2;
	difference_find(w.d, "old", "sh")->p = 0.00001;
	difference_find(w.d, "old", "sh")->is_significant = true;
	difference_find(w.d, "fresh", "sh")->p = 0.0312;
	difference_find(w.d, "fresh", "sh")->is_significant = true;
	print(&w, true);
	has(&w, "noise: what has no * did not change, as the gate judged it\n");
	has(&w, "\033[31m+10,500 ");
	has(&w, "   0.0312 *  fresh     sh\033[0m\n");
	has(&w, "\033[34m -7,000 ");
	has(&w, "  <0.0001 *  old       sh\033[0m\n");
	has(&w, "\033[2m +1,500 ");
	has(&w, "   0.2000    work      sh\033[0m\n");
	print(&w, false);
	assert_null(strchr(w.text, '\033'));
	world_release(&w);
}

static void a_limit_is_of_all_before(void **state)
{
	struct world w;

	(void)state;
	some_stacks(&w, "count");
	compare(&w, DIFFERENCE_ABSOLUTE);
	assert_null(difference_verdict(&w.r));
	w.r.max_growth = 1.05; /* fresh: 10,500 of 10,000 */
	assert_string_equal(difference_verdict(&w.r), "passed");
	w.r.max_growth = 1.0499;
	assert_string_equal(difference_verdict(&w.r), "exceeded");
	assert_true(difference_exceeds(&w.r, difference_find(w.d, "fresh", "sh")));
	assert_false(difference_exceeds(&w.r, difference_find(w.d, "work", "sh")));
	assert_false(difference_all_exceeds(&w.r));
	w.r.max_growth = 0.49;
	assert_true(difference_all_exceeds(&w.r));
	print(&w, false);
	has(&w, "\nexceeded: all grew by 50.00%, the limit is 49%\n"
		"exceeded: fresh in sh grew by 105.00% of all before, the limit is 49%\n");
	/* Shares of all are always 1. */
	compare(&w, DIFFERENCE_SHARE);
	assert_false(difference_all_exceeds(&w.r));
	assert_string_equal(difference_verdict(&w.r), "exceeded");
	/* Noise did not grow. */
	w.d->is_judged = true;
	assert_string_equal(difference_verdict(&w.r), "passed");
	print(&w, false);
	assert_int_equal(difference_grown_noise(&w.r), 1);
	has(&w, "\npassed: nothing but noise grew by more than 49% of all before\n");
	w.r.max_growth = 0.9;
	assert_int_equal(difference_grown_noise(&w.r), 0);
	print(&w, false);
	has(&w, "\npassed: nothing grew by more than 90% of all before\n");
	world_release(&w);
	world_init(&w, "count");
	stacks_add(w.after, NULL, "main", 5);
	w.r.max_growth = 0.1;
	compare(&w, DIFFERENCE_ABSOLUTE);
	assert_string_equal(difference_verdict(&w.r), "inconclusive");
	print(&w, false);
	has(&w, "\ninconclusive: nothing was counted before\n");
	world_release(&w);
}

static void json_has_exact_amounts_and_deltas_on_the_scale(void **state)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	const json_t *row;
	struct world w;

	(void)state;
	some_stacks(&w, "count");
	w.r.rows = 1;
	compare(&w, DIFFERENCE_SHARE);
	json = difference_json(&w.r);
	assert_non_null(json);
	assert_true(json_is_null(json_object_get(json, "verdict")));
	assert_true(json_is_null(json_object_get(json, "max_growth")));
	assert_int_equal(json_array_size(json_object_get(json, "functions")), 1);
	assert_int_equal(json_integer_value(json_object_get(json, "functions_left_out")), 3);
	row = json_array_get(json_object_get(json, "functions"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "function")), "fresh");
	assert_string_equal(json_string_value(json_object_get(row, "class")), "new");
	assert_true(json_is_null(json_object_get(row, "is_significant")));
	row = json_object_get(row, "self");
	assert_int_equal(json_integer_value(json_object_get(row, "after")), 10500);
	assert_true(fabs(json_number_value(json_object_get(row, "delta")) - 0.7) < 1e-12);
	assert_true(json_is_null(json_object_get(row, "growth")));
	world_release(&w);
}

static void a_module_that_was_another_is_said(void **state)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	const json_t *row;
	struct world w;

	(void)state;
	world_init(&w, "count");
	stacks_add(w.before, NULL, "main@build-a", 5);
	stacks_add(w.after, NULL, "main@build-b", 7);
	compare(&w, DIFFERENCE_ABSOLUTE);
	json = difference_json(&w.r);
	row = json_array_get(json_object_get(json, "functions"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "module")), "build-b");
	assert_string_equal(json_string_value(json_object_get(row, "module_before")), "build-a");
	assert_string_equal(json_string_value(json_object_get(row, "class")), "both");
	world_release(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_as_it_was),
		cmocka_unit_test(amounts_are_on_the_scale),
		cmocka_unit_test(only_so_many_rows_are_shown_and_the_others_counted),
		cmocka_unit_test(what_is_noise_is_dim_and_has_no_star),
		cmocka_unit_test(a_limit_is_of_all_before),
		cmocka_unit_test(json_has_exact_amounts_and_deltas_on_the_scale),
		cmocka_unit_test(a_module_that_was_another_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
