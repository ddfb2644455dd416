/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include <errno.h>
#include <math.h>

#include "user/base/err.h"
#include "user/bench/statistics.h"
#include "user/model/difference.h"

enum { BEFORE = DIFFERENCE_BEFORE, AFTER = DIFFERENCE_AFTER };

struct world {
	struct profile *before, *after;
	struct difference *d;
};

static void world_init(struct world *w)
{
	*w = (struct world){ stacks_new("cpu", "nanoseconds"), stacks_new("cpu", "nanoseconds"),
			     NULL };
}

static void world_release(struct world *w)
{
	difference_free(w->d);
	profile_free(w->before);
	profile_free(w->after);
}

static void compare(struct world *w)
{
	struct difference_input before = { w->before, 0, DIFFERENCE_NO_VALUE };
	struct difference_input after = { w->after, 0, DIFFERENCE_NO_VALUE };

	difference_free(w->d);
	w->d = NULL;
	assert_int_equal(difference_new(&before, &after, &w->d), 0);
}

static const struct difference_row *row(const struct world *w, const char *function,
					const char *module)
{
	const struct difference_row *r = difference_find(w->d, function, module);

	if (!r)
		fail_msg("there is no row of '%s' in '%s'", function, module);
	return r;
}

static void has_amounts(const struct difference_row *r, int64_t self_before, int64_t self_after,
			int64_t total_before, int64_t total_after)
{
	assert_int_equal(r->self[BEFORE], self_before);
	assert_int_equal(r->self[AFTER], self_after);
	assert_int_equal(r->total[BEFORE], total_before);
	assert_int_equal(r->total[AFTER], total_after);
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
	stacks_add(w->after, "sh", "main@sh;fresh@sh", 9100);
}

static void both_sides_of_a_function_are_known(void **state)
{
	struct world w;

	(void)state;
	some_stacks(&w);
	compare(&w);
	assert_int_equal(w.d->n, 6);
	assert_int_equal(w.d->all[BEFORE], 10000);
	assert_int_equal(w.d->all[AFTER], 20000);
	has_amounts(row(&w, "main", "sh"), 0, 0, 10000, 20000);
	has_amounts(row(&w, "work", "sh"), 3000, 5000, 4000, 6000);
	has_amounts(row(&w, "leaf", "libc.so.6"), 1000, 1000, 1000, 1000);
	has_amounts(row(&w, "old", "sh"), 1000, 0, 1000, 0);
	has_amounts(row(&w, "fresh", "sh"), 0, 9100, 0, 9100);
	assert_true(row(&w, "old", "sh")->is_there[BEFORE]);
	assert_false(row(&w, "old", "sh")->is_there[AFTER]);
	assert_false(row(&w, "fresh", "sh")->is_there[BEFORE]);
	assert_true(isnan(row(&w, "work", "sh")->p));
	assert_false(w.d->is_judged);
	world_release(&w);
}

static void recursion_counts_once_in_a_stack(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	stacks_add(w.before, NULL, "main;f;g;f;f", 7);
	stacks_add(w.after, NULL, "main;f;g;f", 5);
	stacks_add(w.after, NULL, "main;f@lib!;f@lib", 3); /* inlined into itself */
	compare(&w);
	has_amounts(row(&w, "f", ""), 7, 5, 7, 5);
	has_amounts(row(&w, "f", "lib"), 0, 3, 0, 3);
	has_amounts(row(&w, "g", ""), 0, 0, 7, 5);
	world_release(&w);
}

static void a_module_under_another_name_is_the_same(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	stacks_add(w.before, NULL, "main@build-a;f@build-a;memcpy@libc-2.36.so", 10);
	stacks_add(w.after, NULL, "main@build-b;f@build-b;memcpy@libc-2.37.so", 30);
	/* Which of two is meant nobody knows; what both sides have is what it is. */
	stacks_add(w.before, NULL, "main@build-a;init@build-a", 1);
	stacks_add(w.after, NULL, "main@build-b;init@build-b", 2);
	stacks_add(w.after, NULL, "main@build-b;init@plugin-b", 4);
	stacks_add(w.before, NULL, "main@build-a;g@same", 5);
	stacks_add(w.after, NULL, "main@build-b;g@same", 6);
	/* Modules that both sides have are what they are. */
	stacks_add(w.before, NULL, "main@build-a;h@same;x@other", 3);
	stacks_add(w.after, NULL, "main@build-b;h@other;x@same", 9);
	compare(&w);
	has_amounts(row(&w, "h", "same"), 0, 0, 3, 0);
	has_amounts(row(&w, "h", "other"), 0, 0, 0, 9);
	has_amounts(row(&w, "f", "build-b"), 0, 0, 10, 30);
	has_amounts(row(&w, "memcpy", "libc-2.37.so"), 10, 30, 10, 30);
	has_amounts(row(&w, "init", "build-a"), 1, 0, 1, 0);
	has_amounts(row(&w, "init", "build-b"), 0, 2, 0, 2);
	has_amounts(row(&w, "init", "plugin-b"), 0, 4, 0, 4);
	has_amounts(row(&w, "g", "same"), 5, 6, 5, 6);
	/* It is found by the name that it had, too. */
	assert_ptr_equal(difference_find(w.d, "f", "build-a"), row(&w, "f", "build-b"));
	assert_string_equal(row(&w, "f", "build-b")->module_before, "build-a");
	assert_null(row(&w, "init", "plugin-b")->module_before);
	assert_null(difference_find(w.d, "f", "plugin-b"));
	assert_null(difference_find(w.d, "nobody", "build-b"));
	world_release(&w);
}

static void folded_stacks_and_stacks_with_modules_are_the_same(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	stacks_add(w.before, NULL, "main;work", 10);
	stacks_add(w.after, NULL, "main@sh;work@sh", 30);
	compare(&w);
	assert_int_equal(w.d->n, 2);
	has_amounts(row(&w, "work", "sh"), 10, 30, 10, 30);
	world_release(&w);
}

static void shares_are_of_each_sides_own_whole(void **state)
{
	const struct difference_row *r;
	struct world w;

	(void)state;
	some_stacks(&w);
	compare(&w);
	assert_int_equal(difference_set_scale(w.d, DIFFERENCE_SHARE), 0);
	r = row(&w, "work", "sh");
	assert_true(difference_amount(w.d, r->self, DIFFERENCE_BEFORE) == 0.3);
	assert_true(difference_amount(w.d, r->self, DIFFERENCE_AFTER) == 0.25);
	assert_true(fabs(difference_delta(w.d, r->self) + 0.05) < 1e-15);
	assert_true(fabs(difference_growth(w.d, r->self) + 0.05 / 0.3) < 1e-15);
	assert_true(fabs(difference_delta(w.d, r->total) + 0.1) < 1e-15);
	assert_true(isnan(difference_growth(w.d, row(&w, "fresh", "sh")->self)));
	assert_true(difference_weight(w.d, row(&w, "fresh", "sh")) == 0.455);
	assert_int_equal(difference_set_scale(w.d, DIFFERENCE_ABSOLUTE), 0);
	assert_true(difference_delta(w.d, r->self) == 2000);
	assert_true(difference_weight(w.d, r) == 0.2);
	world_release(&w);
}

static void equal_shares_did_not_change(void **state)
{
	struct world w;
	int i;

	(void)state;
	for (i = 1; i < 100; i++) {
		world_init(&w);
		stacks_add(w.before, NULL, "a", 3 * i);
		stacks_add(w.before, NULL, "b", 7 * i);
		stacks_add(w.after, NULL, "a", 3000037 * 3LL);
		stacks_add(w.after, NULL, "b", 3000037 * 7LL);
		compare(&w);
		assert_int_equal(difference_set_scale(w.d, DIFFERENCE_SHARE), 0);
		assert_true(difference_delta(w.d, row(&w, "a", "")->self) == 0);
		assert_true(difference_delta(w.d, w.d->all) == 0);
		assert_true(difference_growth(w.d, row(&w, "b", "")->self) == 0);
		world_release(&w);
	}
}

static void amounts_per_second_need_both_spans(void **state)
{
	const struct difference_row *r;
	struct world w;

	(void)state;
	some_stacks(&w);
	w.before->duration_ns = 2000000000;
	compare(&w);
	assert_int_equal(difference_set_scale(w.d, DIFFERENCE_SECOND), -ENODATA);
	assert_non_null(strstr(err_text(), "after"));
	w.after->duration_ns = 500000000;
	compare(&w);
	assert_int_equal(difference_set_scale(w.d, DIFFERENCE_SECOND), 0);
	r = row(&w, "work", "sh");
	assert_true(difference_amount(w.d, r->self, DIFFERENCE_BEFORE) == 1500);
	assert_true(difference_amount(w.d, r->self, DIFFERENCE_AFTER) == 10000);
	world_release(&w);
}

static void the_largest_change_comes_first_whichever_way(void **state)
{
	static const char *const by_self[] = { "fresh", "work", "old", "rest", "main", "leaf" };
	static const char *const by_total[] = { "main", "fresh", "work", "old", "rest", "leaf" };
	struct world w;
	size_t i;

	(void)state;
	some_stacks(&w);
	compare(&w);
	for (i = 0; i < w.d->n; i++)
		assert_string_equal(w.d->order[i]->function, by_self[i]);
	difference_sort(w.d, true);
	for (i = 0; i < w.d->n; i++)
		assert_string_equal(w.d->order[i]->function, by_total[i]);
	world_release(&w);
}

static void nothing_and_less_than_nothing_count_as_nothing(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	compare(&w);
	assert_int_equal(w.d->n, 0);
	assert_int_equal(difference_set_scale(w.d, DIFFERENCE_SHARE), 0);
	assert_true(w.d->scale[BEFORE] == 1 && w.d->scale[AFTER] == 1);
	stacks_add(w.before, NULL, "main;f", -5);
	stacks_add(w.before, NULL, "main;g", 0);
	stacks_add(w.before, NULL, "", 3);
	stacks_add(w.after, NULL, "main", INT64_MAX);
	stacks_add(w.after, NULL, "main;main", 5);
	compare(&w);
	assert_int_equal(w.d->n, 1);
	assert_int_equal(w.d->negative[BEFORE], 1);
	assert_int_equal(w.d->all[BEFORE], 3);
	assert_int_equal(w.d->stackless[BEFORE], 3);
	has_amounts(row(&w, "main", ""), 0, INT64_MAX, 0, INT64_MAX);
	world_release(&w);
}

static void samples_are_counted_beside_the_values(void **state)
{
	struct difference_input before = { .value = 1 }, after = { .value = 1 };
	const int64_t many[] = { 7, 7000 }, few[] = { 2, 9000 };
	struct difference *d = NULL;
	struct world w;

	(void)state;
	w = (struct world){ stacks_new("samples", "count"), stacks_new("samples", "count"), NULL };
	assert_int_equal(profile_add_value_type(w.before, "cpu", "nanoseconds"), 0);
	assert_int_equal(profile_add_value_type(w.after, "cpu", "nanoseconds"), 0);
	stacks_add_values(w.before, NULL, "main;f", many);
	stacks_add_values(w.after, NULL, "main;f", few);
	stacks_add_values(w.after, NULL, "main", few);
	before.profile = w.before;
	after.profile = w.after;
	assert_int_equal(difference_new(&before, &after, &d), 0);
	assert_int_equal(difference_find(d, "f", "")->samples[BEFORE], 7);
	assert_int_equal(difference_find(d, "f", "")->samples[AFTER], 2);
	assert_int_equal(difference_find(d, "f", "")->self[AFTER], 9000);
	assert_int_equal(d->all_samples[AFTER], 4);
	difference_free(d);
	world_release(&w);
}

static void random_stacks(struct random *r, struct profile *p)
{
	static const char *const names[] = { "a@x", "b@x", "c@y", "d@y", "a@y", "e@[kernel]" };
	char stack[256];
	int i, k;

	for (i = 0; i < 40; i++) {
		int depth = (int)random_below(r, 9);

		*stack = '\0';
		for (k = 0; k < depth; k++) {
			strcat(stack, k ? ";" : "");
			strcat(stack, names[random_below(r, 6)]);
		}
		stacks_add(p, random_below(r, 2) ? "sh" : NULL, stack,
			   (int64_t)random_below(r, 1000) - 50);
	}
}

/* What each function changed by itself is all of the change. */
static void changes_add_up(const struct difference *d, double most)
{
	double deltas = difference_delta(d, d->stackless), shares[2] = { 0 };
	size_t i;
	int side;

	for (side = 0; side < DIFFERENCE_SIDES; side++)
		shares[side] = difference_amount(d, d->stackless, side);
	for (i = 0; i < d->n; i++) {
		const struct difference_row *r = &d->rows[i];

		deltas += difference_delta(d, r->self);
		for (side = 0; side < DIFFERENCE_SIDES; side++) {
			shares[side] += difference_amount(d, r->self, side);
			assert_true(r->self[side] <= r->total[side]);
			assert_true(r->total[side] <= d->all[side]);
			assert_true(r->is_there[side] || !r->total[side]);
		}
	}
	assert_true(fabs(deltas - difference_delta(d, d->all)) < 1e-9 * most);
	for (side = 0; side < DIFFERENCE_SIDES; side++)
		assert_true(fabs(shares[side] - difference_amount(d, d->all, side)) < 1e-9 * most);
}

static void changes_of_random_profiles_add_up_and_are_symmetric(void **state)
{
	struct random random;
	int round;

	(void)state;
	random_init(&random, 7);
	for (round = 0; round < 200; round++) {
		struct difference *back = NULL;
		struct difference_input a = { .samples = DIFFERENCE_NO_VALUE }, b = a;
		struct world w;
		size_t i;

		world_init(&w);
		random_stacks(&random, w.before);
		random_stacks(&random, w.after);
		compare(&w);
		changes_add_up(w.d, 1e5);
		assert_int_equal(difference_set_scale(w.d, DIFFERENCE_SHARE), 0);
		changes_add_up(w.d, 1);
		assert_true(fabs(difference_amount(w.d, w.d->all, DIFFERENCE_AFTER) - 1) < 1e-12);
		a.profile = w.before;
		b.profile = w.after;
		assert_int_equal(difference_new(&b, &a, &back), 0);
		assert_int_equal(difference_set_scale(back, DIFFERENCE_SHARE), 0);
		assert_int_equal(back->n, w.d->n);
		for (i = 0; i < back->n; i++) {
			const struct difference_row *r = &back->rows[i];

			assert_true(difference_delta(back, r->self) ==
				    -difference_delta(w.d, row(&w, r->function, r->module)->self));
		}
		difference_free(back);
		world_release(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_of_a_function_are_known),
		cmocka_unit_test(recursion_counts_once_in_a_stack),
		cmocka_unit_test(a_module_under_another_name_is_the_same),
		cmocka_unit_test(folded_stacks_and_stacks_with_modules_are_the_same),
		cmocka_unit_test(shares_are_of_each_sides_own_whole),
		cmocka_unit_test(equal_shares_did_not_change),
		cmocka_unit_test(amounts_per_second_need_both_spans),
		cmocka_unit_test(the_largest_change_comes_first_whichever_way),
		cmocka_unit_test(nothing_and_less_than_nothing_count_as_nothing),
		cmocka_unit_test(samples_are_counted_beside_the_values),
		cmocka_unit_test(changes_of_random_profiles_add_up_and_are_symmetric),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
