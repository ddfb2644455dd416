/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/flame_text.h"
#include "tests/unit/stacks.h"

#include "flamegraph/flame_calltree.h"

static const struct view plain = { 0 };

static struct calltree *calltree_of(const struct profile *p, const struct view *view)
{
	struct calltree *tree = NULL;

	assert_int_equal(calltree_new(p, view, &tree), 0);
	return tree;
}

static void a_call_tree_keeps_its_kinds_and_modules(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *from = NULL;
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;

	(void)state;
	stacks_add(p, "sh", "main@/bin/sh;read@[kernel]", 3);
	stacks_add(p, "sh", "main@/bin/sh;copy@/lib/libc.so.6!", 4);
	stacks_add(p, "sh", "main@/bin/sh", -2);
	from = calltree_of(p, &plain);
	assert_int_equal(flame_tree_of_calltree(from, &tree, NULL), 0);
	assert_null(tree->building);
	assert_flame_text(tree, "all(0/7)[sh_[4](0/7)[main{sh}(0/7)[copy_[i]{libc.so.6}(4/4) "
				"read_[k]{[kernel]}(3/3)]]]");
}

static void lines_of_a_function_are_one_frame(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *from = NULL;
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	struct profile_frame frame = { .mapping = PROFILE_NONE, .named = 1 };
	const struct view lines = { .with_lines = true };
	uint32_t number, node;
	int64_t one = 1;

	(void)state;
	assert_int_equal(profile_add_string(p, "hot", &frame.function), 0);
	for (frame.line = 1; frame.line < 4; frame.line++) {
		assert_int_equal(profile_add_frame(p, &frame, &number), 0);
		assert_int_equal(profile_add_node(p, PROFILE_NONE, number, &node), 0);
		assert_int_equal(profile_add_sample(p, node, 0, &one), 0);
	}
	from = calltree_of(p, &lines);
	assert_int_equal(from->n_nodes, 4);
	assert_int_equal(flame_tree_of_calltree(from, &tree, NULL), 0);
	assert_flame_text(tree, "all(0/3)[hot(3/3)]");
}

static void of_two_call_trees_each_node_has_both_values(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(profile_freep) struct profile *q = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *before = NULL, *after = NULL;
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;

	(void)state;
	stacks_add(p, NULL, "main;gone", 1);
	stacks_add(p, NULL, "main;same@/old.so", 2);
	stacks_add(p, NULL, "main", -9);
	stacks_add(q, NULL, "main;same@/new.so", 4);
	stacks_add(q, NULL, "main;fresh", 8);
	before = calltree_of(p, &plain);
	after = calltree_of(q, &plain);
	assert_int_equal(flame_tree_of_calltrees(before, after, &tree), 0);
	assert_flame_text(tree, "all(0/12 was 0/3)[main(0/12 was 0/3)[fresh(8/8 was 0/0) "
				"gone(0/0 was 1/1) same{new.so}(4/4 was 2/2)]]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_tree_keeps_its_kinds_and_modules),
		cmocka_unit_test(lines_of_a_function_are_one_frame),
		cmocka_unit_test(of_two_call_trees_each_node_has_both_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
