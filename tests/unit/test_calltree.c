/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include "user/base/str.h"
#include "user/model/calltree.h"

/* The tree in one line: name(self/total) and in brackets what is below. */
static void print(const struct calltree *tree, uint32_t i, struct str *out)
{
	const struct calltree_node *node = &tree->nodes[i];
	uint32_t child;

	assert_int_equal(str_addf(out, "%s(%d/%d)", calltree_name(tree, i), (int)node->self,
				  (int)node->total),
			 0);
	if (node->first_child == PROFILE_NONE)
		return;
	assert_int_equal(str_add(out, "["), 0);
	for (child = node->first_child; child != PROFILE_NONE; child = tree->nodes[child].next) {
		assert_true(child > i);
		assert_int_equal(tree->nodes[child].parent, i);
		assert_int_equal(tree->nodes[child].depth, node->depth + 1);
		print(tree, child, out);
		if (tree->nodes[child].next != PROFILE_NONE)
			assert_int_equal(str_add(out, " "), 0);
	}
	assert_int_equal(str_add(out, "]"), 0);
}

static void assert_tree(const struct profile *p, const struct view *view, const char *expected)
{
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	_cleanup_(str_release) struct str text = { 0 };

	assert_int_equal(calltree_new(p, view, &tree), 0);
	assert_int_equal(tree->nodes[0].parent, PROFILE_NONE);
	print(tree, 0, &text);
	assert_string_equal(text.data, expected);
}

static const struct view plain = { 0 };

static void an_empty_profile_is_a_root_alone(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");

	(void)state;
	assert_tree(p, &plain, "all(0/0)");
}

static void children_are_in_bytewise_order(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, "sh", "main;b", 2);
	stacks_add(p, "sh", "main;a;x", 3);
	stacks_add(p, "sh", "main;B", 4);
	stacks_add(p, "sh", "main;\xc3\xa9", 1);
	stacks_add(p, "awk", "main", 5);
	assert_tree(p, &plain,
		    "all(0/15)[awk(0/5)[main(5/5)] "
		    "sh(0/10)[main(0/10)[B(4/4) a(0/3)[x(3/3)] b(2/2) \xc3\xa9(1/1)]]]");
}

static void addresses_of_one_function_are_one_node(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	struct profile_frame frame = { .mapping = PROFILE_NONE, .named = 1 };
	uint32_t number, node;
	int64_t one = 1;
	int i;

	(void)state;
	assert_int_equal(profile_add_string(p, "hot", &frame.function), 0);
	for (i = 0; i < 10; i++) {
		frame.address = 0x1000 + i;
		frame.line = i;
		assert_int_equal(profile_add_frame(p, &frame, &number), 0);
		assert_int_equal(profile_add_node(p, PROFILE_NONE, number, &node), 0);
		assert_int_equal(profile_add_sample(p, node, 0, &one), 0);
	}
	assert_int_equal(p->samples.n, 10);
	assert_tree(p, &plain, "all(0/10)[hot(10/10)]");
}

static void the_view_decides_what_stands_at_the_root(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	struct view no_comm = { .no_comm = true };

	(void)state;
	stacks_add(p, "sh", "main", 1);
	stacks_add(p, "awk", "main", 2);
	stacks_add(p, NULL, "main", 4);
	stacks_add(p, "sh", "", 8);
	assert_tree(p, &plain, "all(0/15)[awk(0/2)[main(2/2)] main(4/4) sh(8/9)[main(1/1)]]");
	assert_tree(p, &no_comm, "all(8/15)[main(7/7)]");
}

static void the_view_chooses_the_value(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	struct view second = { .value = 1 };
	int64_t values[] = { 1, 1000 };

	(void)state;
	assert_int_equal(profile_add_value_type(p, "cpu", "nanoseconds"), 0);
	assert_int_equal(profile_add_sample(p, PROFILE_NONE, 0, values), 0);
	assert_tree(p, &plain, "all(1/1)");
	assert_tree(p, &second, "all(1000/1000)");
}

static void kinds_of_one_name_are_two_nodes(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, NULL, "read@[kernel]", 1);
	stacks_add(p, NULL, "read@/libc.so.6", 2);
	assert_tree(p, &plain, "all(0/3)[read(2/2) read(1/1)]");
}

static void hostile_names_are_clean_and_never_empty(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	struct profile_frame frame = { .mapping = PROFILE_NONE };
	uint32_t number, node;
	int64_t one = 1;

	(void)state;
	stacks_add(p, "a;b\n", "\x1b[2J\xff", 1);
	assert_int_equal(profile_add_frame(p, &frame, &number), 0);
	assert_int_equal(profile_add_node(p, PROFILE_NONE, number, &node), 0);
	assert_int_equal(profile_add_sample(p, node, 0, &one), 0);
	assert_tree(p, &plain, "all(0/2)[[empty](1/1) a:b?(0/1)[?[2J\xef\xbf\xbd(1/1)]]");
}

static void stacks_beyond_the_limit_are_cut_at_the_root(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	uint32_t node = PROFILE_NONE, leaf;
	char root[] = "root", deep[] = "deep", last[] = "leaf";
	int64_t one = 1;
	int i;

	(void)state;
	assert_int_equal(profile_add_node(p, node, stacks_frame(p, root), &node), 0);
	for (i = 0; i < PROFILE_MAX_DEPTH; i++)
		assert_int_equal(profile_add_node(p, node, stacks_frame(p, deep), &node), 0);
	assert_int_equal(profile_add_node(p, node, stacks_frame(p, last), &leaf), 0);
	assert_int_equal(profile_add_sample(p, leaf, 0, &one), 0);
	assert_int_equal(calltree_new(p, &plain, &tree), 0);
	assert_int_equal(tree->max_depth, PROFILE_MAX_DEPTH);
	assert_string_equal(calltree_name(tree, tree->nodes[0].first_child), "deep");
	assert_string_equal(calltree_name(tree, tree->n_nodes - 1), "leaf");
}

static void sums_saturate_in_both_directions(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	_cleanup_(profile_freep) struct profile *negative = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *second = NULL;

	(void)state;
	stacks_add(p, NULL, "a", INT64_MAX);
	stacks_add(p, NULL, "b", 1);
	assert_int_equal(calltree_new(p, &plain, &tree), 0);
	assert_true(tree->nodes[0].total == INT64_MAX);
	stacks_add(negative, NULL, "a", INT64_MIN);
	stacks_add(negative, NULL, "b", -1);
	assert_int_equal(calltree_new(negative, &plain, &second), 0);
	assert_true(second->nodes[0].total == INT64_MIN);
}

static void two_trees_are_joined_with_a_map_of_their_nodes(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(profile_freep) struct profile *q = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *a = NULL, *b = NULL, *joined = NULL;
	_cleanup_(freep) uint32_t *of_a = NULL, *of_b = NULL;
	_cleanup_(str_release) struct str text = { 0 };
	uint32_t i;

	(void)state;
	stacks_add(p, "sh", "main@new;b@new", 2);
	stacks_add(p, "sh", "main@new;d@new", 3);
	stacks_add(q, "sh", "main@old;c@old", 4);
	stacks_add(q, "sh", "main@old;b@old", 5);
	stacks_add(q, "sh", "main@old;b@old!", 6);
	assert_int_equal(calltree_new(p, &plain, &a), 0);
	assert_int_equal(calltree_new(q, &plain, &b), 0);
	assert_int_equal(calltree_join(a, b, &joined, &of_a, &of_b), 0);
	for (i = 0; i < a->n_nodes; i++) {
		assert_string_equal(calltree_name(joined, of_a[i]), calltree_name(a, i));
		assert_string_equal(calltree_module(joined, of_a[i]), calltree_module(a, i));
		joined->nodes[of_a[i]].self += a->nodes[i].self;
	}
	for (i = 0; i < b->n_nodes; i++) {
		assert_string_equal(calltree_name(joined, of_b[i]), calltree_name(b, i));
		assert_int_equal(joined->nodes[of_b[i]].kind, b->nodes[i].kind);
		joined->nodes[of_b[i]].self += b->nodes[i].self;
	}
	print(joined, 0, &text);
	assert_string_equal(text.data, "all(0/0)[sh(0/0)[main(0/0)[b(7/0) b(6/0) c(4/0) d(3/0)]]]");
	assert_int_equal(joined->max_depth, 3);
}

/* A frame of one function at that place in the source. */
static void add_line(struct profile *p, const char *file, uint32_t line)
{
	struct profile_frame frame = { .mapping = PROFILE_NONE, .named = 1, .line = line };
	uint32_t number, node;
	int64_t one = 1;

	assert_int_equal(profile_add_string(p, "hot", &frame.function), 0);
	assert_int_equal(profile_add_string(p, file, &frame.file), 0);
	assert_int_equal(profile_add_frame(p, &frame, &number), 0);
	assert_int_equal(profile_add_node(p, PROFILE_NONE, number, &node), 0);
	assert_int_equal(profile_add_sample(p, node, 0, &one), 0);
}

static void lines_that_trees_tell_apart_stay_apart_when_they_are_joined(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(profile_freep) struct profile *q = stacks_new("samples", "count");
	_cleanup_(calltree_freep) struct calltree *a = NULL, *b = NULL, *joined = NULL;
	_cleanup_(freep) uint32_t *of_a = NULL, *of_b = NULL;
	const struct view lines = { .with_lines = true };

	(void)state;
	add_line(p, "a.c", 3);
	add_line(p, "a.c", 4);
	add_line(q, "a.c", 3);
	add_line(q, "b.c", 3);
	assert_int_equal(calltree_new(p, &lines, &a), 0);
	assert_int_equal(calltree_new(q, &lines, &b), 0);
	assert_int_equal(calltree_join(a, b, &joined, &of_a, &of_b), 0);
	assert_int_equal(joined->n_nodes, 4);
	assert_int_equal(of_a[1], of_b[1]);
	assert_string_equal(calltree_file(joined, of_b[2]), "b.c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_profile_is_a_root_alone),
		cmocka_unit_test(children_are_in_bytewise_order),
		cmocka_unit_test(addresses_of_one_function_are_one_node),
		cmocka_unit_test(the_view_decides_what_stands_at_the_root),
		cmocka_unit_test(the_view_chooses_the_value),
		cmocka_unit_test(kinds_of_one_name_are_two_nodes),
		cmocka_unit_test(hostile_names_are_clean_and_never_empty),
		cmocka_unit_test(stacks_beyond_the_limit_are_cut_at_the_root),
		cmocka_unit_test(sums_saturate_in_both_directions),
		cmocka_unit_test(two_trees_are_joined_with_a_map_of_their_nodes),
		cmocka_unit_test(lines_that_trees_tell_apart_stay_apart_when_they_are_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
