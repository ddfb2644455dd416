/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/repetitions.h"

#include <errno.h>
#include <time.h>

#include "user/base/err.h"
#include "user/bench/function_costs.h"

static const double once[] = { 1, 1, 1, 1 };

static uint32_t find(const struct function_costs *c, const char *name, const char *module)
{
	uint32_t i;

	for (i = 0; i < c->functions.n; i++) {
		if (!strcmp(function_costs_name(c, i), name) &&
		    !strcmp(function_costs_module(c, i), module))
			return i;
	}
	return KEYSET_NONE;
}

static void assert_costs(const struct function_costs *c, const char *name, const char *module,
			 size_t repetition, double self, double total)
{
	uint32_t f = find(c, name, module);

	assert_int_not_equal(f, KEYSET_NONE);
	assert_true(c->self[f * c->n_repetitions + repetition] == self);
	assert_true(c->total[f * c->n_repetitions + repetition] == total);
}

static void functions_are_counted_by_repetition(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("cpu", "nanoseconds");
	_cleanup_(function_costs_freep) struct function_costs *c = NULL;

	(void)state;
	repetitions_add(p, "main@a;work@a", 0, 10);
	repetitions_add(p, "main@a;work@a", 1, 12);
	repetitions_add(p, "main@a", 1, 3);
	repetitions_add(p, "main@a;work@a;read@[kernel]", 1, 5);
	repetitions_add(p, "", 1, 100);
	assert_int_equal(function_costs_new(p, 0, once, 2, &c), 0);
	assert_costs(c, "work", "a", 0, 10, 10);
	assert_costs(c, "work", "a", 1, 12, 17);
	assert_costs(c, "main", "a", 0, 0, 10);
	assert_costs(c, "main", "a", 1, 3, 20);
	assert_costs(c, "read", "[kernel]", 1, 5, 5);
	assert_true(c->all[0] == 10 && c->all[1] == 120);
}

static void costs_are_per_iteration(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("cpu", "nanoseconds");
	_cleanup_(function_costs_freep) struct function_costs *c = NULL;
	const double iterations[] = { 4, 0.5 };

	(void)state;
	repetitions_add(p, "main@a;work@a", 0, 10);
	repetitions_add(p, "main@a;work@a", 1, 10);
	assert_int_equal(function_costs_new(p, 0, iterations, 2, &c), 0);
	assert_costs(c, "work", "a", 0, 2.5, 2.5);
	assert_costs(c, "main", "a", 1, 0, 20);
	assert_true(c->all[0] == 2.5 && c->all[1] == 20);
}

static void recursion_counts_once(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("cpu", "nanoseconds");
	_cleanup_(function_costs_freep) struct function_costs *c = NULL;

	(void)state;
	repetitions_add(p, "main;odd;even;odd;even", 0, 7);
	repetitions_add(p, "main;odd;even;odd", 0, 2);
	repetitions_add(p, "main;even", 0, 1);
	assert_int_equal(function_costs_new(p, 0, once, 1, &c), 0);
	assert_costs(c, "odd", "", 0, 2, 9);
	assert_costs(c, "even", "", 0, 8, 10);
	assert_costs(c, "main", "", 0, 0, 10);
}

static void modules_tell_functions_apart_and_inlining_does_not(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("cpu", "nanoseconds");
	_cleanup_(function_costs_freep) struct function_costs *c = NULL;

	(void)state;
	repetitions_add(p, "main@a;hash@a", 0, 1);
	repetitions_add(p, "main@a;hash@a!", 0, 2);
	repetitions_add(p, "main@a;hash@/usr/lib/b", 0, 4);
	assert_int_equal(function_costs_new(p, 0, once, 1, &c), 0);
	assert_costs(c, "hash", "a", 0, 3, 3);
	assert_costs(c, "hash", "b", 0, 4, 4);
}

static void a_process_name_at_the_root_is_no_function(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("cpu", "nanoseconds");
	_cleanup_(function_costs_freep) struct function_costs *c = NULL;
	struct profile_frame frame = { .kind = FRAME_SYNTHETIC, .mapping = PROFILE_NONE };
	struct profile_label label = { 0 };
	char name[] = "main";
	uint32_t number, root, node, labels;
	int64_t v = 5;

	(void)state;
	assert_int_equal(profile_add_string(p, "sh", &frame.function), 0);
	assert_int_equal(profile_add_frame(p, &frame, &number), 0);
	assert_int_equal(profile_add_node(p, PROFILE_NONE, number, &root), 0);
	assert_int_equal(profile_add_node(p, root, stacks_frame(p, name), &node), 0);
	assert_int_equal(profile_add_string(p, LABEL_REPETITION, &label.key), 0);
	assert_int_equal(profile_add_labels(p, &label, 1, &labels), 0);
	assert_int_equal(profile_add_sample(p, node, labels, &v), 0);
	assert_int_equal(profile_add_sample(p, root, labels, &v), 0);
	assert_int_equal(function_costs_new(p, 0, once, 1, &c), 0);
	assert_costs(c, "main", "", 0, 5, 5);
	assert_costs(c, "sh", "", 0, 0, 0);
	assert_true(c->all[0] == 10);
	assert_int_equal(c->nodes.n, 1);
}

static void what_a_function_passed_through_is_known_with_its_distance(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("cpu", "nanoseconds");
	_cleanup_(function_costs_freep) struct function_costs *c = NULL;
	double weights[8] = { 0 }, distances[8] = { 0 };

	(void)state;
	repetitions_add(p, "main;left;leaf", 0, 6);
	repetitions_add(p, "main;right;again;again;leaf", 1, 2);
	repetitions_add(p, "main;left", 1, 100);
	assert_int_equal(function_costs_new(p, 0, once, 2, &c), 0);
	assert_int_equal(function_costs_above(c, find(c, "leaf", ""), weights, distances), 0);
	assert_true(weights[find(c, "leaf", "")] == 8 && distances[find(c, "leaf", "")] == 0);
	assert_true(weights[find(c, "left", "")] == 6 && distances[find(c, "left", "")] == 6);
	assert_true(weights[find(c, "again", "")] == 2 && distances[find(c, "again", "")] == 2);
	assert_true(weights[find(c, "main", "")] == 8 && distances[find(c, "main", "")] == 20);
}

static void a_sample_without_its_repetition_is_refused(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("cpu", "nanoseconds");
	_cleanup_(profile_freep) struct profile *beyond = stacks_new("cpu", "nanoseconds");
	struct function_costs *c = NULL;
	const double none[] = { 1, 0 }, few[] = { 1, 1e-300 };

	(void)state;
	stacks_add(p, "sh", "main", 1);
	assert_int_equal(function_costs_new(p, 0, once, 1, &c), -EINVAL);
	assert_non_null(strstr(err_text(), "label \"repetition\""));
	repetitions_add(beyond, "main", 2, 1);
	assert_int_equal(function_costs_new(beyond, 0, once, 2, &c), -EINVAL);
	assert_non_null(strstr(err_text(), "repetition 2 of 2"));
	repetitions_add(beyond, "main", -1, 1);
	assert_int_equal(function_costs_new(beyond, 0, once, 3, &c), -EINVAL);
	assert_int_equal(function_costs_new(beyond, 1, once, 3, &c), -EINVAL);
	assert_int_equal(function_costs_new(beyond, 0, none, 2, &c), -EINVAL);
	assert_non_null(strstr(err_text(), "repetition 1 made 0 iterations"));
	assert_int_equal(function_costs_new(beyond, 0, few, 2, &c), -EINVAL);
	assert_null(c);
}

static void without_samples_there_is_nothing(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("cpu", "nanoseconds");
	_cleanup_(function_costs_freep) struct function_costs *c = NULL;

	(void)state;
	assert_int_equal(function_costs_new(p, 0, once, 3, &c), 0);
	assert_int_equal(c->functions.n, 0);
	assert_true(c->all[2] == 0);
}

/* 200,000 stacks in 15 repetitions, and one of the deepest there are. */
static void large_profiles_are_counted_in_seconds(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("cpu", "nanoseconds");
	_cleanup_(function_costs_freep) struct function_costs *c = NULL;
	uint32_t frames[500], labels[15], node, i, r, depth;
	struct profile_label label = { 0 };
	struct timespec start, end;
	double iterations[15], sum = 0;
	char name[32];
	int64_t v = 1;

	(void)state;
	for (i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "f%u@prog", i);
		frames[i] = stacks_frame(p, name);
	}
	assert_int_equal(profile_add_string(p, LABEL_REPETITION, &label.key), 0);
	for (r = 0; r < 15; r++) {
		iterations[r] = 1;
		label.num = r;
		assert_int_equal(profile_add_labels(p, &label, 1, &labels[r]), 0);
	}
	for (i = 0; i < 200000; i++) {
		node = PROFILE_NONE;
		for (depth = 0; depth < 20; depth++)
			assert_int_equal(profile_add_node(p, node,
							  frames[(i >> depth) * 7919u % 500],
							  &node),
					 0);
		for (r = 0; r < 15; r++)
			assert_int_equal(profile_add_sample(p, node, labels[r], &v), 0);
	}
	node = PROFILE_NONE;
	for (depth = 0; depth < PROFILE_MAX_DEPTH; depth++)
		assert_int_equal(profile_add_node(p, node, frames[0], &node), 0);
	assert_int_equal(profile_add_sample(p, node, labels[0], &v), 0);
	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start), 0);
	assert_int_equal(function_costs_new(p, 0, iterations, 15, &c), 0);
	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end), 0);
	print_message("%zu samples, %zu nodes: %.2f s\n", p->samples.n, c->nodes.n,
		      (end.tv_sec - start.tv_sec) + (end.tv_nsec - start.tv_nsec) / 1e9);
	assert_true(end.tv_sec - start.tv_sec < 60); /* sanitizers, a busy machine */
	for (i = 0; i < c->functions.n; i++)
		sum += c->self[i * 15 + 14];
	assert_true(sum == 200000 && c->all[0] == 200001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_are_counted_by_repetition),
		cmocka_unit_test(costs_are_per_iteration),
		cmocka_unit_test(recursion_counts_once),
		cmocka_unit_test(modules_tell_functions_apart_and_inlining_does_not),
		cmocka_unit_test(a_process_name_at_the_root_is_no_function),
		cmocka_unit_test(what_a_function_passed_through_is_known_with_its_distance),
		cmocka_unit_test(a_sample_without_its_repetition_is_refused),
		cmocka_unit_test(without_samples_there_is_nothing),
		cmocka_unit_test(large_profiles_are_counted_in_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
