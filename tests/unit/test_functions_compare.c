/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/repetitions.h"

#include <errno.h>
#include <math.h>

#include "tests/unit/json_at.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/bench/mean_interval.h"
#include "user/bench/statistics.h"

#define NS_PER_SAMPLE 1001001 /* at 999 Hz */

static const struct policy_profile policy = {
	.function_candidate_share = 0.005,
	.function_alpha = 0.05,
	.function_growth = 0.10,
	.function_total_share = 0.01,
};

/* A stack and how many samples a repetition has of it, on average, on either side. */
struct stack {
	const char *stack;
	double before, after;
};

struct world {
	const struct stack *stacks;
	size_t n;
	size_t n_repetitions;
	double cpu_noise; /* standard deviation of a repetition's speed */
	bool is_exact;	  /* every repetition has the average number of samples */
	uint64_t seed;
};

#define WORLD(of, repetitions, number)                                             \
	{                                                                          \
		.stacks = of, .n = ARRAY_SIZE(of), .n_repetitions = (repetitions), \
		.cpu_noise = 0.02, .seed = (number)                                \
	}

/* By counting arrivals of a Poisson process. */
static int64_t draw_samples(struct random *random, double mean)
{
	double t = 0;
	int64_t n = -1;

	if (!random)
		return llround(mean);
	if (mean <= 0)
		return 0;
	do {
		t -= log(1 - random_unit(random));
		n++;
	} while (t < mean);
	return n;
}

static struct profile *draw_profile(const struct world *w, bool after, uint64_t seed)
{
	struct profile *p = stacks_new("cpu", "nanoseconds");
	struct random random;
	size_t r, i;

	random_init(&random, seed);
	for (r = 0; r < w->n_repetitions; r++) {
		double speed = w->is_exact ? 1 : 1 + w->cpu_noise * random_normal(&random);

		for (i = 0; i < w->n; i++) {
			const struct stack *s = &w->stacks[i];
			int64_t n = draw_samples(w->is_exact ? NULL : &random,
						 speed * (after ? s->after : s->before));

			if (n)
				repetitions_add(p, s->stack, r, n * NS_PER_SAMPLE);
		}
	}
	return p;
}

static struct functions_comparison *compare_profiles(const struct profile *before,
						     const struct profile *after, size_t n,
						     const struct scenario_component *components,
						     size_t n_components)
{
	_cleanup_(function_costs_freep) struct function_costs *b = NULL, *a = NULL;
	struct functions_comparison *c = NULL;
	double iterations[64];
	size_t r;

	assert_true(n <= ARRAY_SIZE(iterations));
	for (r = 0; r < n; r++)
		iterations[r] = 1;
	assert_int_equal(function_costs_new(before, 0, iterations, n, &b), 0);
	assert_int_equal(function_costs_new(after, 0, iterations, n, &a), 0);
	assert_int_equal(functions_compare(b, a, &policy, components, n_components, 1, &c), 0);
	return c;
}

static struct functions_comparison *compare(const struct world *w)
{
	_cleanup_(profile_freep) struct profile *before = draw_profile(w, false, w->seed * 2);
	_cleanup_(profile_freep) struct profile *after = draw_profile(w, true, w->seed * 2 + 1);

	return compare_profiles(before, after, w->n_repetitions, NULL, 0);
}

static const struct function_change *find(const struct functions_comparison *c,
					  const char *function)
{
	size_t i;

	for (i = 0; i < c->n_changes; i++) {
		if (!strcmp(c->changes[i].function, function))
			return &c->changes[i];
	}
	fail_msg("'%s' is no candidate", function);
	return NULL;
}

static void assert_class(const struct functions_comparison *c, const char *function,
			 enum function_class class)
{
	const struct function_change *change = find(c, function);

	if (change->class != class)
		fail_msg("'%s' is %s and not %s: p %g, delta %g, all %g (p %g)", function,
			 function_class_names[change->class], function_class_names[class],
			 change->p_adjusted, change->delta, c->delta, c->p);
}

static void assert_moved(const struct functions_comparison *c, const char *function,
			 const char *caller, const char *counterpart)
{
	const struct function_change *change = find(c, function);

	assert_class(c, function, FUNCTION_MOVED);
	assert_string_equal(change->caller, caller);
	if (counterpart)
		assert_string_equal(change->counterpart, counterpart);
	else
		assert_null(change->counterpart);
}

static size_t count_changed(const struct functions_comparison *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->n_changes; i++)
		n += c->changes[i].class != FUNCTION_SAME;
	return n;
}

/* A program of 300 samples: 0.3 s. */
#define REST                                                                                       \
	{ "main;parse;split", 36, 36 }, { "main;parse", 18, 18 }, { "main;load;inflate", 45, 45 }, \
		{ "main;load;read@[kernel]", 12, 12 }, { "main;store", 24, 24 },                   \
		{ "main;store;write@[kernel]", 15, 15 }, { "main;draw;line", 30, 30 },             \
		{ "main;draw;fill", 15, 15 }, { "main;draw;text", 9, 9 },                          \
	{                                                                                          \
		"main", 6, 6                                                                       \
	}

/* --- the truth is known ---------------------------------------------------------------------- */

static void
without_a_change_functions_are_accused_in_one_of_twenty_comparisons_at_most(void **state)
{
	static const struct stack stacks[] = { { "main;work", 90, 90 }, REST };
	unsigned int accused = 0, i, few = 0;

	(void)state;
	for (i = 0; i < 300; i++) {
		struct world w = WORLD(stacks, 8, 1000 + i), many = WORLD(stacks, 15, 2000 + i);
		_cleanup_(functions_comparison_freep) struct functions_comparison *c = compare(&w);

		accused += count_changed(c) > 0;
		if (i < 60) {
			_cleanup_(functions_comparison_freep) struct functions_comparison *d =
				compare(&many);

			few += count_changed(d) > 0;
		}
	}
	print_message("%u of 300 with 8 pairs, %u of 60 with 15\n", accused, few);
	assert_true(accused <= 21); /* 7 % */
	assert_true(few <= 8);	    /* binomial with 5 %: more is less likely than 1 in 300 */
}

/* Ten per cent of what takes thirty: the contribution is all of it. */
static void a_function_that_is_ten_percent_dearer_is_found_and_comes_first(void **state)
{
	static const struct stack stacks[] = {
		{ "main;work", 900, 990 },	{ "main;parse;split", 360, 360 },
		{ "main;parse", 180, 180 },	{ "main;load;inflate", 450, 450 },
		{ "main;store", 390, 390 },	{ "main;draw;line", 300, 300 },
		{ "main;draw;fill", 240, 240 }, { "main", 180, 180 },
	};
	unsigned int found = 0, others = 0, i;
	double contribution = 0;

	(void)state;
	for (i = 0; i < 50; i++) {
		struct world w = WORLD(stacks, 8, 100 + i);
		_cleanup_(functions_comparison_freep) struct functions_comparison *c = NULL;

		w.cpu_noise = 0.005;
		c = compare(&w);
		if (!strcmp(c->changes[0].function, "work") &&
		    c->changes[0].class == FUNCTION_GROWN)
			found++;
		others += count_changed(c) > (find(c, "work")->class != FUNCTION_SAME);
		contribution += find(c, "work")->delta / (90 * NS_PER_SAMPLE);
	}
	print_message("found %u of 50, %.2f of the change, others in %u\n", found,
		      contribution / 50, others);
	assert_true(found >= 45);
	assert_true(others <= 7);
	assert_true(fabs(contribution / 50 - 1) < 0.1);
}

/* At 0.3 s a repetition, sampling alone hides ten per cent; a fifth shows more often than not. */
static void few_samples_still_show_a_large_change(void **state)
{
	static const struct stack fifth[] = { { "main;work", 90, 108 }, REST };
	static const struct stack half[] = { { "main;work", 90, 135 }, REST };
	unsigned int found_fifth = 0, found_half = 0, i;

	(void)state;
	for (i = 0; i < 100; i++) {
		struct world w = WORLD(fifth, 8, 100 + i), x = WORLD(half, 8, 300 + i);
		_cleanup_(functions_comparison_freep) struct functions_comparison *c = compare(&w),
										  *d = compare(&x);

		found_fifth += find(c, "work")->class == FUNCTION_GROWN;
		found_half += find(d, "work")->class == FUNCTION_GROWN;
	}
	print_message("20 %%: %u of 100; 50 %%: %u\n", found_fifth, found_half);
	assert_true(found_fifth >= 45);
	assert_true(found_half >= 98);
}

static void contributions_are_right(void **state)
{
	static const struct stack stacks[] = {
		{ "main;work", 300, 600 },
		{ "main;other", 300, 400 },
		{ "main;rest", 400, 400 },
	};
	const struct world w = WORLD(stacks, 10, 7);
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = compare(&w);

	(void)state;
	assert_string_equal(c->changes[0].function, "work");
	assert_string_equal(c->changes[1].function, "other");
	assert_class(c, "work", FUNCTION_GROWN);
	assert_class(c, "other", FUNCTION_GROWN);
	assert_true(fabs(c->changes[0].contribution - 0.75) < 0.05);
	assert_true(fabs(c->changes[1].contribution - 0.25) < 0.05);
	assert_true(fabs(c->explained - 1) < 0.1);
	assert_false(c->is_unattributed);
	assert_true(c->p < 0.01);
	assert_true(fabs(c->changes[0].share_before - 0.3) < 0.02);
	assert_true(c->changes[0].low < c->changes[0].delta &&
		    c->changes[0].delta < c->changes[0].high);
	assert_true(c->changes[0].low > 250.0 * NS_PER_SAMPLE);
	assert_true(c->changes[0].high < 350.0 * NS_PER_SAMPLE);
	assert_true(find(c, "rest")->total_before == find(c, "rest")->before);
	assert_null(c->changes[0].caller);
}

static void what_is_new_gone_or_improved_is_called_so(void **state)
{
	static const struct stack stacks[] = {
		{ "main;fresh", 0, 200 },
		{ "main;used;fresher", 0, 100 },
		{ "main;used", 100, 100 },
		{ "main;rest", 400, 400 },
	};
	static const struct stack less[] = {
		{ "main;old", 200, 0 },
		{ "main;better", 300, 200 },
		{ "main;rest", 400, 400 },
	};
	const struct world w = WORLD(stacks, 10, 7), x = WORLD(less, 10, 8);
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = compare(&w),
									  *d = compare(&x);

	(void)state;
	assert_class(c, "fresh", FUNCTION_NEW);
	assert_class(c, "fresher", FUNCTION_NEW);
	assert_class(c, "used", FUNCTION_SAME);
	assert_class(d, "old", FUNCTION_GONE);
	assert_class(d, "better", FUNCTION_IMPROVED);
	assert_string_equal(d->changes[0].function, "old");
	assert_string_equal(d->changes[1].function, "better");
}

/* Without noise everything is significant: what is left are the limits. */
static void a_change_counts_from_its_share_of_its_own_and_of_all_on(void **state)
{
	static const struct stack stacks[] = {
		{ "main;just", 1000, 1100 },	 { "main;nearly", 2000, 2199 },
		{ "main;small", 100, 199 },	 { "main;large_enough", 100, 200 },
		{ "main;just_less", 1000, 900 }, { "main;nearly_less", 2000, 1801 },
		{ "main;tiny", 40, 400 },	 { "main;rest", 3760, 3760 },
	};
	struct world w = WORLD(stacks, 8, 1);
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = NULL;

	(void)state;
	w.is_exact = true;
	c = compare(&w);
	assert_true(c->before == 10000.0 * NS_PER_SAMPLE);
	assert_class(c, "just", FUNCTION_GROWN);
	assert_class(c, "nearly", FUNCTION_SAME);
	assert_class(c, "small", FUNCTION_SAME);
	assert_class(c, "large_enough", FUNCTION_GROWN);
	assert_class(c, "just_less", FUNCTION_IMPROVED);
	assert_class(c, "nearly_less", FUNCTION_SAME);
	assert_class(c, "tiny", FUNCTION_GROWN); /* a candidate after, if not before */
	assert_string_equal(c->changes[0].function, "tiny");
	assert_int_equal(c->n_candidates, 8);
	assert_true(find(c, "nearly")->p_adjusted == 2 / 256.0);
}

/* --- moved ----------------------------------------------------------------------------------- */

static void cost_that_goes_to_a_sibling_moved_within_the_caller(void **state)
{
	static const struct stack stacks[] = {
		{ "main;work;left", 200, 100 },
		{ "main;work;right", 100, 200 },
		{ "main;rest", 300, 300 },
		{ "main;grown", 100, 200 },
	};
	const struct world w = WORLD(stacks, 10, 3);
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = compare(&w);

	(void)state;
	assert_moved(c, "left", "work", "right");
	assert_moved(c, "right", "work", "left");
	assert_class(c, "grown", FUNCTION_GROWN);
	assert_string_equal(c->changes[0].function, "grown");
}

static void in_a_program_whose_total_is_the_same_main_is_that_caller(void **state)
{
	static const struct stack stacks[] = {
		{ "main;left", 200, 100 },
		{ "main;wrapper;right", 100, 200 },
		{ "main;rest", 300, 300 },
	};
	const struct world w = WORLD(stacks, 10, 4);
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = compare(&w);

	(void)state;
	assert_moved(c, "left", "main", "right");
	assert_moved(c, "right", "main", "left");
}

static void renames_moved_to_their_new_names(void **state)
{
	static const struct stack stacks[] = {
		{ "main;work;old_large", 200, 0 }, { "main;work;new_large", 0, 200 },
		{ "main;work;old_small", 80, 0 },  { "main;work;new_small", 0, 80 },
		{ "main;rest", 300, 300 },
	};
	const struct world w = WORLD(stacks, 10, 5);
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = compare(&w);

	(void)state;
	assert_moved(c, "old_large", "work", "new_large");
	assert_moved(c, "new_large", "work", "old_large");
	assert_moved(c, "old_small", "work", "new_small");
	assert_moved(c, "new_small", "work", "old_small");
}

/* Its callee's cost is its own now: inlined without debug information. */
static void what_was_inlined_moved_within_the_function_itself(void **state)
{
	static const struct stack stacks[] = {
		{ "main;work;helper", 150, 0 },
		{ "main;work", 50, 200 },
		{ "main;rest", 300, 300 },
	};
	const struct world w = WORLD(stacks, 10, 6);
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = compare(&w);

	(void)state;
	assert_moved(c, "helper", "work", "work");
	assert_moved(c, "work", "work", "helper");
}

/* Too small to be seen one by one, together they are what the function was. */
static void cost_that_went_to_many_has_no_counterpart(void **state)
{
	static const struct stack stacks[] = {
		{ "main;work;whole", 900, 0 }, { "main;work;a", 0, 30 }, { "main;work;b", 0, 30 },
		{ "main;work;c", 0, 30 },      { "main;work;d", 0, 30 }, { "main;work;e", 0, 780 },
		{ "main;rest", 3300, 3300 },
	};
	struct world w = WORLD(stacks, 12, 6);
	struct policy_profile blind = policy;
	_cleanup_(profile_freep) struct profile *before = NULL, *after = NULL;
	_cleanup_(function_costs_freep) struct function_costs *b = NULL, *a = NULL;
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = NULL;
	double iterations[12];
	size_t i;

	(void)state;
	for (i = 0; i < 12; i++)
		iterations[i] = 1;
	w.cpu_noise = 0.002;
	before = draw_profile(&w, false, 1);
	after = draw_profile(&w, true, 2);
	assert_int_equal(function_costs_new(before, 0, iterations, 12, &b), 0);
	assert_int_equal(function_costs_new(after, 0, iterations, 12, &a), 0);
	/* Only what was a fifth of everything is looked at. */
	blind.function_candidate_share = 0.2;
	assert_int_equal(functions_compare(b, a, &blind, NULL, 0, 1, &c), 0);
	assert_moved(c, "whole", "work", NULL);
}

static void a_function_with_several_callers_is_judged_by_what_is_above_all_of_them(void **state)
{
	static const struct stack grown[] = {
		{ "main;left;hash", 100, 150 },
		{ "main;right;hash", 100, 150 },
		{ "main;rest", 300, 300 },
	};
	static const struct stack shifted[] = {
		{ "main;both;left;hash", 100, 150 }, { "main;both;right;hash", 100, 150 },
		{ "main;both;compare", 200, 100 },   { "main;rest", 300, 300 },
		{ "main;other;slow", 100, 200 },
	};
	const struct world w = WORLD(grown, 10, 9), x = WORLD(shifted, 10, 10);
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = compare(&w),
									  *d = compare(&x);

	(void)state;
	assert_class(c, "hash", FUNCTION_GROWN);
	assert_moved(d, "hash", "both", "compare");
	assert_moved(d, "compare", "both", "hash");
	assert_class(d, "slow", FUNCTION_GROWN);
}

static void a_caller_that_changed_itself_acquits_nobody(void **state)
{
	static const struct stack stacks[] = {
		{ "main;work;left", 200, 100 },
		{ "main;work;right", 100, 240 },
		{ "main;rest", 300, 300 },
	};
	struct world w = WORLD(stacks, 8, 1);
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = NULL;

	(void)state;
	w.is_exact = true;
	c = compare(&w);
	assert_class(c, "left", FUNCTION_IMPROVED);
	assert_class(c, "right", FUNCTION_GROWN);
}

/* Below "work" is something restless, whose sum is the same: nobody knows if "work" changed. */
static struct functions_comparison *compare_restless(int64_t left, int64_t right)
{
	_cleanup_(profile_freep) struct profile *before = stacks_new("cpu", "nanoseconds");
	_cleanup_(profile_freep) struct profile *after = stacks_new("cpu", "nanoseconds");
	size_t r, i;

	for (r = 0; r < 8; r++) {
		for (i = 0; i < 4; i++) {
			char quiet[] = "main;quiet0";

			quiet[10] += i;
			repetitions_add(before, quiet, r, 200 + (r + i) % 2);
			repetitions_add(after, quiet, r, 200);
		}
		repetitions_add(before, "main;work;restless", r, r % 2 ? 1400 : 600);
		repetitions_add(after, "main;work;restless", r, r % 2 ? 600 : 1400);
		repetitions_add(before, "main;work;left", r, 200);
		repetitions_add(before, "main;work;right", r, 200);
		repetitions_add(after, "main;work;left", r, left);
		repetitions_add(after, "main;work;right", r, right);
	}
	return compare_profiles(before, after, 8, NULL, 0);
}

static void below_a_restless_caller_only_a_counterpart_shows_that_cost_moved(void **state)
{
	_cleanup_(functions_comparison_freep) struct functions_comparison *all = NULL, *half = NULL,
									  *none = NULL;

	(void)state;
	all = compare_restless(100, 300);
	assert_moved(all, "left", "work", "right");
	assert_moved(all, "right", "work", "left");
	half = compare_restless(50, 700);
	assert_class(half, "left", FUNCTION_IMPROVED);
	assert_class(half, "right", FUNCTION_GROWN);
	none = compare_restless(200, 500);
	assert_class(none, "right", FUNCTION_GROWN);
	assert_true(none->p > 0.05);
}

/* What is called from elsewhere, too, is not acquitted by the caller that stayed the same. */
static void one_caller_of_several_acquits_nobody(void **state)
{
	static const struct stack stacks[] = {
		{ "main;left;hash", 120, 120 },
		{ "main;right;hash", 40, 80 },
		{ "main;rest", 300, 300 },
	};
	struct world w = WORLD(stacks, 8, 1);
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = NULL;

	(void)state;
	w.is_exact = true;
	c = compare(&w);
	assert_class(c, "hash", FUNCTION_GROWN);
}

static void recursion_is_no_caller_that_did_not_change(void **state)
{
	static const struct stack stacks[] = {
		{ "main;walk;walk;walk", 100, 200 },
		{ "main;walk;walk", 100, 200 },
		{ "main;walk;walk;visit", 100, 100 },
		{ "main;rest", 300, 300 },
	};
	static const struct stack shifted[] = {
		{ "main;walk;walk;walk", 100, 200 },
		{ "main;walk;walk;visit", 200, 100 },
		{ "main;rest", 300, 400 },
	};
	const struct world w = WORLD(stacks, 10, 11), x = WORLD(shifted, 10, 12);
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = compare(&w),
									  *d = compare(&x);

	(void)state;
	assert_class(c, "walk", FUNCTION_GROWN);
	assert_moved(d, "walk", "walk", "visit");
	assert_moved(d, "visit", "walk", "walk");
}

/* With little to go by, that the total was not seen to change does not acquit anybody. */
static void a_change_is_not_moved_because_the_total_is_noisy(void **state)
{
	static const struct stack stacks[] = { { "main;work", 90, 126 }, REST };
	unsigned int moved = 0, grown = 0, i;

	(void)state;
	for (i = 0; i < 100; i++) {
		struct world w = WORLD(stacks, 8, 500 + i);
		_cleanup_(functions_comparison_freep) struct functions_comparison *c = NULL;

		w.cpu_noise = 0.08;
		c = compare(&w);
		moved += find(c, "work")->class == FUNCTION_MOVED;
		grown += find(c, "work")->class == FUNCTION_GROWN;
	}
	print_message("grown %u, moved %u of 100\n", grown, moved);
	assert_true(grown >= 60);
	assert_true(moved <= 2);
}

/* --- what is no function's fault -------------------------------------------------------------- */

static void more_sleep_accuses_nobody(void **state)
{
	static const struct stack stacks[] = { { "main;work", 90, 90 }, REST };
	_cleanup_(profile_freep) struct profile *p = NULL;
	const struct world w = WORLD(stacks, 8, 77);
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = NULL;

	(void)state;
	/* Wall time is nowhere in these profiles: the same CPU time, exactly. */
	p = draw_profile(&w, false, 5);
	c = compare_profiles(p, p, 8, NULL, 0);
	assert_int_equal(count_changed(c), 0);
	assert_true(c->delta == 0 && c->p == 1);
	assert_true(isnan(c->explained));
	assert_false(c->is_unattributed);
	assert_true(isnan(c->changes[0].contribution));
}

/* A slower clock makes all of it dearer, none by a tenth. */
static void a_change_of_everything_is_unattributed(void **state)
{
	static const struct stack stacks[] = {
		{ "main;a", 1000, 1040 }, { "main;b", 1000, 1040 }, { "main;c", 1000, 1040 },
		{ "main;d", 1000, 1040 }, { "main;e", 1000, 1040 }, { "main;f", 1000, 1040 },
	};
	struct world w = WORLD(stacks, 15, 31);
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = NULL;

	(void)state;
	w.cpu_noise = 0.002;
	c = compare(&w);
	assert_int_equal(count_changed(c), 0);
	assert_true(c->p < 0.01);
	assert_true(c->explained == 0);
	assert_true(c->is_unattributed);
}

/* --- edges ------------------------------------------------------------------------------------ */

static void a_module_of_another_name_holds_the_same_functions(void **state)
{
	_cleanup_(profile_freep) struct profile *before = stacks_new("cpu", "nanoseconds");
	_cleanup_(profile_freep) struct profile *after = stacks_new("cpu", "nanoseconds");
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = NULL;
	size_t r;

	(void)state;
	for (r = 0; r < 8; r++) {
		repetitions_add(before, "main@build-a;work@build-a", r, 100);
		repetitions_add(after, "main@build-b;work@build-b", r, 100);
		repetitions_add(before, "main@build-a;free@libc.so.6", r, 100);
		repetitions_add(after, "main@build-b;free@libc.so.6", r, 100);
		/* Two of that name in modules that only one side has: which is it? */
		repetitions_add(before, "main@build-a;init@build-a", r, 100);
		repetitions_add(after, "main@build-b;init@build-b", r, 60);
		repetitions_add(after, "main@build-b;init@plugin", r, 40);
		/* And one in a module that both have: another function. */
		repetitions_add(before, "main@build-a;send@build-a", r, 100);
		repetitions_add(after, "main@build-b;send@libc.so.6", r, 100);
	}
	c = compare_profiles(before, after, 8, NULL, 0);
	assert_class(c, "work", FUNCTION_SAME);
	assert_string_equal(find(c, "work")->module, "build-b");
	assert_class(c, "free", FUNCTION_SAME);
	assert_class(c, "init", FUNCTION_MOVED);
	assert_class(c, "send", FUNCTION_MOVED);
	assert_int_equal(c->n_changes, 7);
}

static void components_sum_what_matches_first(void **state)
{
	_cleanup_(profile_freep) struct profile *before = stacks_new("cpu", "nanoseconds");
	_cleanup_(profile_freep) struct profile *after = stacks_new("cpu", "nanoseconds");
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = NULL;
	struct scenario_component components[] = {
		{ .name = "parser", .symbol = "^(parse|lex)_" },
		{ .name = "all of p", .symbol = "^p" },
		{ .name = "nothing", .symbol = "zzz" },
	};

	(void)state;
	repetitions_add(before, "main;parse_all;lex_one", 0, 10);
	repetitions_add(before, "main;parse_all", 0, 5);
	repetitions_add(before, "main;print", 0, 4);
	repetitions_add(before, "", 0, 1);
	repetitions_add(after, "main;parse_all;lex_one", 0, 20);
	repetitions_add(after, "main", 0, 5);
	c = compare_profiles(before, after, 1, components, 3);
	assert_int_equal(c->n_components, 4);
	assert_string_equal(c->components[0].component, "parser");
	assert_true(c->components[0].before == 15 && c->components[0].after == 20);
	assert_true(c->components[0].delta == 5 && c->components[0].contribution == 1);
	assert_true(c->components[1].before == 4 && c->components[1].after == 0);
	assert_true(c->components[2].before == 0 && c->components[2].after == 0);
	assert_string_equal(c->components[3].component, "other");
	assert_true(c->components[3].before == 1 && c->components[3].after == 5);
	assert_true(isnan(c->changes[0].low)); /* one pair says nothing */
	assert_int_equal(count_changed(c), 0);
}

static void a_component_that_is_no_regex_is_an_error(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("cpu", "nanoseconds");
	_cleanup_(function_costs_freep) struct function_costs *costs = NULL, *none = NULL;
	struct scenario_component bad = { .name = "net", .symbol = "(" };
	struct functions_comparison *c = NULL;
	const double one = 1;

	(void)state;
	assert_int_equal(function_costs_new(p, 0, &one, 1, &costs), 0);
	assert_int_equal(function_costs_new(p, 0, &one, 0, &none), 0);
	assert_int_equal(functions_compare(costs, costs, &policy, &bad, 1, 1, &c), -EINVAL);
	assert_non_null(strstr(err_text(), "component 'net': '(' is no regular expression"));
	assert_int_equal(functions_compare(costs, none, &policy, NULL, 0, 1, &c), -EINVAL);
	assert_null(c);
	assert_int_equal(functions_compare(costs, costs, &policy, NULL, 0, 1, &c), 0);
	assert_int_equal(c->n_changes, 0);
	functions_comparison_free(c);
}

static void json_says_it_all(void **state)
{
	_cleanup_(profile_freep) struct profile *before = stacks_new("cpu", "nanoseconds");
	_cleanup_(profile_freep) struct profile *after = stacks_new("cpu", "nanoseconds");
	_cleanup_(functions_comparison_freep) struct functions_comparison *c = NULL;
	struct scenario_component component = { .name = "hot", .symbol = "^f00$" };
	_cleanup_(decrefp) json_t *json = NULL;
	char stack[32];
	size_t r, i;

	(void)state;
	for (r = 0; r < 8; r++) {
		for (i = 0; i < 60; i++) {
			snprintf(stack, sizeof(stack), "main@m;f%02zu@m", i);
			repetitions_add(before, stack, r, 100 + (r + i) % 3);
			repetitions_add(after, stack, r, (i ? 100 : 800) + (r * i) % 3);
		}
	}
	c = compare_profiles(before, after, 8, &component, 1);
	json = functions_json(c);
	assert_non_null(json);
	assert_at(json, "value", "\"cpu\"");
	assert_at(json, "unit", "\"nanoseconds\"");
	assert_at(json, "pairs", "8");
	assert_at(json, "candidates", "60");
	assert_at(json, "unattributed", "false");
	assert_at(json, "counts.grown", "1");
	assert_at(json, "counts.same", "59");
	assert_at(json, "changes_left_out", "10");
	assert_int_equal(json_array_size(at(json, "changes")), 50);
	assert_at(json, "changes.0.function", "\"f00\"");
	assert_at(json, "changes.0.module", "\"m\"");
	assert_at(json, "changes.0.class", "\"grown\"");
	assert_at(json, "changes.0.after", "800.0");
	assert_at(json, "changes.0.p_adjusted", "0.007813");
	assert_at(json, "changes.0.caller", "null");
	assert_at(json, "components.0.component", "\"hot\"");
	assert_at(json, "components.1.component", "\"other\"");
}

static void an_interval_of_the_mean_leaves_out_what_sign_flips_reject(void **state)
{
	const double d[] = { 1, 2, 3, 4, 5, 6 };
	double low, high, noise[20];
	unsigned int covered = 0, i, k;
	struct random random;

	(void)state;
	/* 63 means of subsets; 2.5 % of 64 is one at each end. */
	assert_int_equal(mean_interval(d, 6, 1, &low, &high), 0);
	assert_true(low == 1 && high == 6);
	assert_int_equal(mean_interval(d, 5, 1, &low, &high), 0);
	assert_true(isinf(low) && low < 0 && isinf(high) && high > 0);
	random_init(&random, 3);
	for (i = 0; i < 400; i++) {
		for (k = 0; k < 20; k++)
			noise[k] = 10 + random_normal(&random);
		assert_int_equal(mean_interval(noise, i % 2 ? 20 : 8, i, &low, &high), 0);
		covered += low <= 10 && 10 <= high;
	}
	print_message("%u of 400 intervals cover\n", covered);
	assert_true(covered >= 366 && covered <= 396); /* 95 % within 3 standard deviations */
}

static void errors_of_ones_own_decide_what_a_difference_weighs(void **state)
{
	/* All of one sign, and two that are not; the first has the smallest sum. */
	static const double d[] = { 1,	1, 1, 1,  1, 1,	 1, 1, -9, 9, 9,  9,
				    -9, 9, 9, -9, 5, -5, 5, 5, 5,  5, -5, 5 };
	const double alike[] = { 1, 1, 1 }, known[] = { 1, 100, 100 }, none[] = { 0, 1, 1 };
	double p[3];

	(void)state;
	assert_int_equal(sign_flip_max(d, known, 3, 8, 0, 1, p), 0);
	assert_true(p[0] == 2 / 256.0);
	assert_int_equal(sign_flip_max(d, alike, 3, 8, 0, 1, p), 0);
	assert_true(p[0] > 0.5);
	assert_int_equal(sign_flip_max(d, none, 3, 8, 0, 1, p), 0);
	assert_true(p[0] == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			without_a_change_functions_are_accused_in_one_of_twenty_comparisons_at_most),
		cmocka_unit_test(a_function_that_is_ten_percent_dearer_is_found_and_comes_first),
		cmocka_unit_test(few_samples_still_show_a_large_change),
		cmocka_unit_test(contributions_are_right),
		cmocka_unit_test(what_is_new_gone_or_improved_is_called_so),
		cmocka_unit_test(a_change_counts_from_its_share_of_its_own_and_of_all_on),
		cmocka_unit_test(cost_that_goes_to_a_sibling_moved_within_the_caller),
		cmocka_unit_test(in_a_program_whose_total_is_the_same_main_is_that_caller),
		cmocka_unit_test(renames_moved_to_their_new_names),
		cmocka_unit_test(what_was_inlined_moved_within_the_function_itself),
		cmocka_unit_test(cost_that_went_to_many_has_no_counterpart),
		cmocka_unit_test(
			a_function_with_several_callers_is_judged_by_what_is_above_all_of_them),
		cmocka_unit_test(a_caller_that_changed_itself_acquits_nobody),
		cmocka_unit_test(below_a_restless_caller_only_a_counterpart_shows_that_cost_moved),
		cmocka_unit_test(one_caller_of_several_acquits_nobody),
		cmocka_unit_test(recursion_is_no_caller_that_did_not_change),
		cmocka_unit_test(a_change_is_not_moved_because_the_total_is_noisy),
		cmocka_unit_test(more_sleep_accuses_nobody),
		cmocka_unit_test(a_change_of_everything_is_unattributed),
		cmocka_unit_test(a_module_of_another_name_holds_the_same_functions),
		cmocka_unit_test(components_sum_what_matches_first),
		cmocka_unit_test(a_component_that_is_no_regex_is_an_error),
		cmocka_unit_test(json_says_it_all),
		cmocka_unit_test(errors_of_ones_own_decide_what_a_difference_weighs),
		cmocka_unit_test(an_interval_of_the_mean_leaves_out_what_sign_flips_reject),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
