/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include <errno.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/model/top.h"

static struct calltree *tree_of(struct profile *p)
{
	struct view view = { 0 };
	struct calltree *tree = NULL;

	assert_int_equal(calltree_new(p, &view, &tree), 0);
	return tree;
}

static const struct top_row *row_of(const struct top_row *rows, size_t n, const char *function)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!strcmp(rows[i].function, function))
			return &rows[i];
	}
	return NULL;
}

static void assert_row(const struct top_row *rows, size_t n, const char *function, int64_t self,
		       int64_t total)
{
	const struct top_row *row = row_of(rows, n, function);

	assert_non_null(row);
	assert_int_equal(row->self, self);
	assert_int_equal(row->total, total);
}

static void self_and_total_are_summed_over_all_stacks(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	_cleanup_(top_freep) struct top *top = NULL;

	(void)state;
	stacks_add(p, NULL, "main;a;leaf", 5);
	stacks_add(p, NULL, "main;b;leaf", 7);
	stacks_add(p, NULL, "main;b", 2);
	tree = tree_of(p);
	assert_int_equal(top_new(tree, &top), 0);
	assert_int_equal(top->total, 14);
	assert_int_equal(top->n, 4);
	assert_row(top->rows, top->n, "leaf", 12, 12);
	assert_row(top->rows, top->n, "a", 0, 5);
	assert_row(top->rows, top->n, "b", 2, 9);
	assert_row(top->rows, top->n, "main", 0, 14);
}

static void rows_are_sorted_by_self_then_total_then_name(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	_cleanup_(top_freep) struct top *top = NULL;
	static const char *const by_self[] = { "y", "x", "z", "main", "b", "a" };
	static const char *const by_total[] = { "main", "b", "y", "x", "z", "a" };
	size_t i;

	(void)state;
	stacks_add(p, NULL, "main;a;x", 3);
	stacks_add(p, NULL, "main;b;y", 4);
	stacks_add(p, NULL, "main;b;z", 3);
	tree = tree_of(p);
	assert_int_equal(top_new(tree, &top), 0);
	assert_int_equal(top->n, ARRAY_SIZE(by_self));
	for (i = 0; i < top->n; i++)
		assert_string_equal(top->rows[i].function, by_self[i]);
	top_sort_by_total(top);
	for (i = 0; i < top->n; i++)
		assert_string_equal(top->rows[i].function, by_total[i]);
}

static void recursion_is_counted_once_in_the_total(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	_cleanup_(top_freep) struct top *top = NULL;

	(void)state;
	stacks_add(p, NULL, "main;f;f;g;f", 8);
	stacks_add(p, NULL, "main;f", 1);
	stacks_add(p, NULL, "main;g", 1);
	tree = tree_of(p);
	assert_int_equal(top_new(tree, &top), 0);
	assert_row(top->rows, top->n, "f", 9, 9);
	assert_row(top->rows, top->n, "g", 1, 9);
	assert_row(top->rows, top->n, "main", 0, 10);
}

static void process_names_are_no_functions(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	_cleanup_(top_freep) struct top *top = NULL;
	struct top_neighbours *n = NULL;

	(void)state;
	stacks_add(p, "bash", "main", 5);
	stacks_add(p, "bash", "", 2);
	tree = tree_of(p);
	assert_int_equal(top_new(tree, &top), 0);
	assert_int_equal(top->n, 1);
	assert_int_equal(top->total, 7);
	assert_row(top->rows, top->n, "main", 5, 5);
	assert_int_equal(top_neighbours_new(tree, "bash", &n), -ENOENT);
	assert_int_equal(top_neighbours_new(tree, "all", &n), -ENOENT);
}

static void the_same_name_in_two_modules_is_two_rows(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	_cleanup_(top_freep) struct top *top = NULL;

	(void)state;
	stacks_add(p, NULL, "a;read@libc.so.6", 3);
	stacks_add(p, NULL, "b;read@[kernel]", 4);
	tree = tree_of(p);
	assert_int_equal(top_new(tree, &top), 0);
	assert_int_equal(top->n, 4);
	assert_string_equal(top->rows[0].module, "[kernel]");
	assert_int_equal(top->rows[0].kind, FRAME_KERNEL);
	assert_int_equal(top->rows[0].self, 4);
	assert_string_equal(top->rows[1].module, "libc.so.6");
	assert_int_equal(top->rows[1].self, 3);
}

static void an_empty_profile_has_no_rows(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *tree = tree_of(p);
	_cleanup_(top_freep) struct top *top = NULL;

	(void)state;
	assert_int_equal(top_new(tree, &top), 0);
	assert_int_equal(top->n, 0);
	assert_int_equal(top->total, 0);
	top_sort_by_total(top);
}

static void callers_and_callees_carry_what_passed_through_them(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	_cleanup_(top_neighbours_freep) struct top_neighbours *n = NULL;

	(void)state;
	stacks_add(p, NULL, "main;a;f;x", 10);
	stacks_add(p, NULL, "main;a;f;y;z", 20);
	stacks_add(p, NULL, "main;b;f", 5);
	stacks_add(p, NULL, "main;b", 100);
	stacks_add(p, NULL, "f", 1);
	tree = tree_of(p);
	assert_int_equal(top_neighbours_new(tree, "f", &n), 0);
	assert_int_equal(n->self, 6);
	assert_int_equal(n->total, 36);
	assert_int_equal(n->n_callers, 3);
	assert_string_equal(n->callers[0].function, "a");
	assert_int_equal(n->callers[0].total, 30);
	assert_string_equal(n->callers[1].function, "b");
	assert_int_equal(n->callers[1].total, 5);
	assert_string_equal(n->callers[2].function, "all");
	assert_int_equal(n->callers[2].total, 1);
	assert_int_equal(n->n_callees, 2);
	assert_string_equal(n->callees[0].function, "y");
	assert_int_equal(n->callees[0].total, 20);
	assert_string_equal(n->callees[1].function, "x");
	assert_int_equal(n->callees[1].total, 10);
}

static void a_recursive_edge_counts_a_sample_once(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	_cleanup_(top_neighbours_freep) struct top_neighbours *n = NULL;

	(void)state;
	stacks_add(p, NULL, "main;f;f;f;g;f", 10);
	tree = tree_of(p);
	assert_int_equal(top_neighbours_new(tree, "f", &n), 0);
	assert_int_equal(n->self, 10);
	assert_int_equal(n->total, 10);
	assert_int_equal(n->n_callers, 3);
	assert_row(n->callers, n->n_callers, "main", 0, 10);
	assert_row(n->callers, n->n_callers, "f", 0, 10);
	assert_row(n->callers, n->n_callers, "g", 0, 10);
	assert_int_equal(n->n_callees, 2);
	assert_row(n->callees, n->n_callees, "f", 0, 10);
	assert_row(n->callees, n->n_callees, "g", 0, 10);
}

static void a_function_that_is_not_there_is_said_so(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	struct top_neighbours *n = NULL;

	(void)state;
	stacks_add(p, NULL, "main@prog", 1);
	tree = tree_of(p);
	assert_int_equal(top_neighbours_new(tree, "mai", &n), -ENOENT);
	assert_null(n);
	assert_string_equal(err_text(), "no function is called 'mai'");
	/* a string of the tree, but of a module */
	assert_int_equal(top_neighbours_new(tree, "prog", &n), -ENOENT);
}

static void sums_saturate(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	_cleanup_(top_freep) struct top *top = NULL;

	(void)state;
	stacks_add(p, NULL, "a;f", INT64_MAX);
	stacks_add(p, NULL, "b;f", INT64_MAX);
	tree = tree_of(p);
	assert_int_equal(top_new(tree, &top), 0);
	assert_row(top->rows, top->n, "f", INT64_MAX, INT64_MAX);
}

static void the_deepest_stacks_are_summed(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	_cleanup_(top_freep) struct top *top = NULL;
	_cleanup_(freep) char *stack = malloc(PROFILE_MAX_DEPTH * 2 + 1);
	int i;

	(void)state;
	assert_non_null(stack);
	for (i = 0; i < PROFILE_MAX_DEPTH; i++)
		memcpy(stack + i * 2, i % 2 ? "b;" : "a;", 3);
	stacks_add(p, NULL, stack, 3);
	tree = tree_of(p);
	assert_int_equal(tree->max_depth, PROFILE_MAX_DEPTH);
	assert_int_equal(top_new(tree, &top), 0);
	assert_row(top->rows, top->n, "a", 0, 3);
	assert_row(top->rows, top->n, "b", 3, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(self_and_total_are_summed_over_all_stacks),
		cmocka_unit_test(rows_are_sorted_by_self_then_total_then_name),
		cmocka_unit_test(recursion_is_counted_once_in_the_total),
		cmocka_unit_test(process_names_are_no_functions),
		cmocka_unit_test(the_same_name_in_two_modules_is_two_rows),
		cmocka_unit_test(an_empty_profile_has_no_rows),
		cmocka_unit_test(callers_and_callees_carry_what_passed_through_them),
		cmocka_unit_test(a_recursive_edge_counts_a_sample_once),
		cmocka_unit_test(a_function_that_is_not_there_is_said_so),
		cmocka_unit_test(sums_saturate),
		cmocka_unit_test(the_deepest_stacks_are_summed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
