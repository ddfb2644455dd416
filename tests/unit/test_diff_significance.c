/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include <errno.h>
#include <math.h>

#include "tests/unit/folder.h"
#include "user/base/err.h"
#include "user/bench/statistics.h"
#include "user/cmd/diff_significance.h"

struct world {
	struct profile *before, *after;
	struct difference *d;
};

static void compare(struct world *w, enum difference_scale scale)
{
	struct difference_input before = { w->before, 0, 0 }, after = { w->after, 0, 0 };

	difference_free(w->d);
	w->d = NULL;
	assert_int_equal(difference_new(&before, &after, &w->d), 0);
	assert_int_equal(difference_set_scale(w->d, scale), 0);
}

static void some_stacks(struct world *w)
{
	*w = (struct world){ stacks_new("samples", "count"), stacks_new("samples", "count"), NULL };
	stacks_add(w->before, NULL, "main@sh;work@sh", 300);
	stacks_add(w->before, NULL, "main@sh;rest@sh", 693);
	stacks_add(w->before, NULL, "main@sh;few@sh", 4);
	stacks_add(w->before, NULL, "main@sh;some@sh", 3);
	stacks_add(w->after, NULL, "main@sh;work@sh", 400);
	stacks_add(w->after, NULL, "main@sh;rest@sh", 1588);
	stacks_add(w->after, NULL, "main@sh;few@sh", 5);
	stacks_add(w->after, NULL, "main@sh;some@sh", 7);
}

static void world_release(struct world *w)
{
	difference_free(w->d);
	profile_free(w->before);
	profile_free(w->after);
}

static const struct difference_row *row(const struct world *w, const char *function)
{
	const struct difference_row *r = difference_find(w->d, function, "sh");

	assert_non_null(r);
	return r;
}

static void samples_of_shares_are_judged_by_fishers_test_and_holm(void **state)
{
	struct world w;
	double work, rest;

	(void)state;
	some_stacks(&w);
	compare(&w, DIFFERENCE_SHARE);
	assert_int_equal(diff_judge_by_samples(w.d, DIFFERENCE_SHARE), 0);
	assert_true(w.d->is_judged);
	/* work, rest and some are judged, few has 9 samples, and main none of its own. */
	work = fisher_p(300, 1000, 400, 2000);
	rest = fisher_p(693, 1000, 1588, 2000);
	assert_true(rest < work && work < 1e-6);
	assert_true(fabs(row(&w, "work")->p - fmax(3 * rest, 2 * work)) < 1e-20);
	assert_true(fabs(row(&w, "rest")->p - 3 * rest) < 1e-20);
	assert_true(row(&w, "work")->is_significant && row(&w, "rest")->is_significant);
	assert_true(row(&w, "some")->p == 1);
	assert_false(row(&w, "some")->is_significant);
	assert_true(isnan(row(&w, "few")->p) && isnan(row(&w, "main")->p));
	assert_false(row(&w, "few")->is_significant);
	world_release(&w);
}

static void samples_on_other_scales_are_judged_by_the_binomial_test(void **state)
{
	struct world w;

	(void)state;
	some_stacks(&w);
	compare(&w, DIFFERENCE_ABSOLUTE);
	assert_int_equal(diff_judge_by_samples(w.d, DIFFERENCE_ABSOLUTE), 0);
	assert_true(fabs(row(&w, "work")->p - 2 * binomial_p(400, 700, 0.5)) < 1e-12);
	assert_true(row(&w, "work")->is_significant);
	/* In twice the time 400 are fewer than 300, and 1588 no more than 693. */
	w.before->duration_ns = 1000000000;
	w.after->duration_ns = 2000000000;
	compare(&w, DIFFERENCE_SECOND);
	assert_int_equal(diff_judge_by_samples(w.d, DIFFERENCE_SECOND), 0);
	assert_true(fabs(row(&w, "work")->p - 3 * binomial_p(400, 700, 2.0 / 3)) < 1e-12);
	assert_true(fabs(row(&w, "rest")->p - 2 * binomial_p(1588, 2281, 2.0 / 3)) < 1e-12);
	world_release(&w);
}

/* At twice the rate twice as many samples are the same time. */
static void sides_of_different_rates_are_judged_by_time(void **state)
{
	const int64_t slow[] = { 100, 2000000000 }, fast[] = { 200, 2000000000 };
	struct difference_input before = { .value = 1 }, after = { .value = 1 };
	struct difference *d = NULL;
	struct world w = { stacks_new("samples", "count"), stacks_new("samples", "count"), NULL };

	(void)state;
	assert_int_equal(profile_add_value_type(w.before, "cpu", "nanoseconds"), 0);
	assert_int_equal(profile_add_value_type(w.after, "cpu", "nanoseconds"), 0);
	stacks_add_values(w.before, NULL, "work", slow);
	stacks_add_values(w.after, NULL, "work", fast);
	before.profile = w.before;
	after.profile = w.after;
	assert_int_equal(difference_new(&before, &after, &d), 0);
	assert_int_equal(difference_set_scale(d, DIFFERENCE_ABSOLUTE), 0);
	assert_int_equal(diff_judge_by_samples(d, DIFFERENCE_ABSOLUTE), 0);
	assert_true(d->rows[0].p > 0.9);
	difference_free(d);
	world_release(&w);
}

/* Of profiles drawn from one distribution hardly any is told to differ. */
static void chance_is_rarely_significant(void **state)
{
	struct random random;
	int round, i, wrong = 0;

	(void)state;
	random_init(&random, 11);
	for (round = 0; round < 400; round++) {
		struct world w = { stacks_new("samples", "count"), stacks_new("samples", "count"),
				   NULL };
		char name[32];
		size_t k;

		for (i = 0; i < 3000; i++) {
			double u = random_unit(&random);

			snprintf(name, sizeof(name), "f%d@sh", (int)(20 * u * u));
			stacks_add(i % 3 ? w.after : w.before, NULL, name, 1);
		}
		compare(&w, DIFFERENCE_SHARE);
		assert_int_equal(diff_judge_by_samples(w.d, DIFFERENCE_SHARE), 0);
		for (k = 0; k < w.d->n && !w.d->rows[k].is_significant; k++)
			;
		wrong += k < w.d->n;
		world_release(&w);
	}
	/* 5 % at most are 20, with a standard deviation of 4.4. */
	assert_in_range(wrong, 1, 33);
}

static const char gate[] =
	"{\"schema\": \"fathom.gate/1\", \"cases\": [{\"cell\": \"small\", \"before\": "
	"\"small-old\", "
	"\"after\": \"small-new\", \"functions\": [{\"collector\": \"cpu\", \"comparison\": {"
	"\"value\": \"samples\", \"changes_left_out\": 0, \"changes\": ["
	"{\"function\": \"work\", \"module\": \"sh\", \"class\": \"moved\", \"p_adjusted\": 0.01}, "
	"{\"function\": \"rest\", \"module\": \"sh\", \"class\": \"same\", \"p_adjusted\": null}, "
	"7, "
	"{\"function\": null}]}}, {\"collector\": \"io\", \"comparison\": null}]}]}";

static int judge(struct world *w, const char *text, const char *collector, const char *name,
		 char **ret_note)
{
	struct diff_options o = { .collector = collector, .case_name = name };
	struct folder f;
	int err;

	folder_make(&f);
	o.gate = folder_write(&f, "gate.json", text, strlen(text));
	compare(w, DIFFERENCE_SHARE);
	err = diff_judge_by_gate(w->d, &o, "samples", ret_note);
	folder_remove(&f);
	return err;
}

static void a_gate_says_what_changed(void **state)
{
	struct world w;
	char *text = NULL;

	(void)state;
	some_stacks(&w);
	assert_int_equal(judge(&w, gate, NULL, NULL, &text), 0);
	assert_true(w.d->is_judged);
	assert_true(row(&w, "work")->p == 0.01 && row(&w, "work")->is_significant);
	assert_true(isnan(row(&w, "rest")->p) && !row(&w, "rest")->is_significant);
	assert_false(row(&w, "few")->is_significant);
	/* Two of its entries name nothing that is here. */
	assert_non_null(text);
	assert_non_null(strstr(text, "2 of the functions"));
	free(text);
	world_release(&w);
}

static void a_gates_case_and_collector_are_found_by_name(void **state)
{
	static const char *const names[] = { "small", "small-old", "small-new" };
	struct world w;
	char *text = NULL;
	size_t i;

	(void)state;
	some_stacks(&w);
	for (i = 0; i < 3; i++) {
		assert_int_equal(judge(&w, gate, "cpu", names[i], &text), 0);
		free(take(text));
	}
	assert_int_equal(judge(&w, gate, "cpu", "large", &text), -ENOENT);
	assert_int_equal(judge(&w, gate, "io", NULL, &text), -ENOENT);
	assert_null(text);
	assert_false(w.d->is_judged);
	world_release(&w);
}

static void what_is_no_gates_result_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "{", "[]", "7", "{}", "{\"schema\": 5}", "{\"schema\": \"fathom.gate/2\"}",
	};
	static const char *const empty[] = {
		"{\"schema\": \"fathom.gate/1\"}",
		"{\"schema\": \"fathom.gate/1\", \"cases\": {}}",
		"{\"schema\": \"fathom.gate/1\", \"cases\": [1, {\"functions\": [[], "
		"{\"comparison\": 1}]}]}",
	};
	struct world w;
	char *text = NULL;
	size_t i;

	(void)state;
	some_stacks(&w);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(judge(&w, bad[i], NULL, NULL, &text), -EINVAL);
	for (i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		assert_int_equal(judge(&w, empty[i], NULL, NULL, &text), -ENOENT);
	world_release(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_of_shares_are_judged_by_fishers_test_and_holm),
		cmocka_unit_test(samples_on_other_scales_are_judged_by_the_binomial_test),
		cmocka_unit_test(sides_of_different_rates_are_judged_by_time),
		cmocka_unit_test(chance_is_rarely_significant),
		cmocka_unit_test(a_gate_says_what_changed),
		cmocka_unit_test(a_gates_case_and_collector_are_found_by_name),
		cmocka_unit_test(what_is_no_gates_result_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
