/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/flame_text.h"
#include "tests/unit/stacks.h"

#include "flamegraph/flame_tree.h"
#include "user/base/str.h"

static struct flame_tree *new_tree(bool is_chart)
{
	struct flame_tree *tree = NULL;

	assert_int_equal(flame_tree_new(is_chart, &tree), 0);
	return tree;
}

static uint32_t frame_of(struct flame_tree *tree, const char *name)
{
	uint32_t frame;

	assert_int_equal(flame_tree_add_frame(tree, name, "", FRAME_USER, &frame), 0);
	return frame;
}

/* "a;b;c" */
static void add_both(struct flame_tree *tree, const char *stack, int64_t value, int64_t before)
{
	char copy[256], *rest = copy, *name;
	uint32_t frames[64];
	size_t n = 0;

	assert_true(strlen(stack) < sizeof(copy));
	strcpy(copy, stack);
	while ((name = strsep(&rest, ";"))) {
		if (*name)
			frames[n++] = frame_of(tree, name);
	}
	assert_int_equal(flame_tree_add(tree, frames, n, value, before), 0);
}

static void add(struct flame_tree *tree, const char *stack, int64_t value)
{
	add_both(tree, stack, value, 0);
}

static void assert_finished(struct flame_tree *tree, const char *expected)
{
	_cleanup_(str_release) struct str text = { 0 };

	assert_int_equal(flame_tree_finish(tree), 0);
	assert_null(tree->building);
	flame_text(tree, &text);
	assert_string_equal(text.data, expected);
}

static void a_new_tree_is_a_root_alone(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = new_tree(false);

	(void)state;
	assert_finished(tree, "all(0/0)");
	assert_int_equal(tree->nodes[0].parent, PROFILE_NONE);
	assert_null(tree->before);
	assert_null(tree->verdicts);
	assert_true(tree->scale_before == 1 && tree->scale_after == 1);
}

static void equal_stacks_are_one_and_siblings_are_in_bytewise_order(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = new_tree(false);

	(void)state;
	add(tree, "main;b", 2);
	add(tree, "main;a;x", 3);
	add(tree, "main;B", 4);
	add(tree, "main;\xc3\xa9", 1);
	add(tree, "main", 5);
	add(tree, "main;a;x", 6);
	add(tree, "awk", 7);
	add(tree, "", 8);
	assert_finished(tree, "all(8/36)[awk(7/7) main(5/21)[B(4/4) a(0/9)[x(9/9)] b(2/2) "
			      "\xc3\xa9(1/1)]]");
}

/* Above the size for which siblings are sorted in place, and in a table that has grown. */
static void thousands_of_siblings_are_found_again_and_sorted(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = new_tree(false);
	uint32_t i, n = 5000, child;
	char name[32];
	int round;

	(void)state;
	for (round = 0; round < 2; round++) {
		for (i = 0; i < n; i++) {
			snprintf(name, sizeof(name), "f%u;g", i * 7919 % n);
			add(tree, name, 1);
		}
	}
	assert_int_equal(flame_tree_finish(tree), 0);
	assert_int_equal(tree->n_nodes, 1 + 2 * n);
	i = 0;
	for (child = tree->nodes[0].first_child; child != PROFILE_NONE;
	     child = tree->nodes[child].next) {
		uint32_t next = tree->nodes[child].next;

		assert_int_equal(tree->nodes[child].value, 2);
		if (next != PROFILE_NONE)
			assert_true(strcmp(flame_name(tree, child), flame_name(tree, next)) < 0);
		i++;
	}
	assert_int_equal(i, n);
	assert_int_equal(tree->nodes[0].value, 2 * n);
}

static void a_chart_keeps_the_order_and_joins_neighbours_alone(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = new_tree(true);

	(void)state;
	add(tree, "z;b", 1);
	add(tree, "z;b;c", 2);
	add(tree, "z;a", 3);
	add(tree, "z;b", 4);
	add(tree, "z", 5);
	add(tree, "z;b", 6);
	add(tree, "y", 7);
	add(tree, "z", 8);
	assert_finished(tree,
			"all(0/36)[z(5/21)[b(1/3)[c(2/2)] a(3/3) b(4/4) b(6/6)] y(7/7) z(8/8)]");
}

static void frames_are_told_apart_by_module_and_kind(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = new_tree(false);
	const struct {
		const char *module;
		uint32_t kind;
	} frames[] = { { "z.so", FRAME_USER },
		       { "", FRAME_KERNEL },
		       { "", FRAME_USER },
		       { "a.so", FRAME_USER } };
	uint32_t frame, again, i;

	(void)state;
	for (i = 0; i < 4; i++) {
		assert_int_equal(
			flame_tree_add_frame(tree, "f", frames[i].module, frames[i].kind, &frame),
			0);
		assert_int_equal(
			flame_tree_add_frame(tree, "f", frames[i].module, frames[i].kind, &again),
			0);
		assert_int_equal(frame, i + 1);
		assert_int_equal(frame, again);
		assert_int_equal(flame_tree_add(tree, &frame, 1, 1 << i, 0), 0);
	}
	assert_int_equal(tree->n_frames, 5);
	assert_finished(tree, "all(0/15)[f(4/4) f{a.so}(8/8) f{z.so}(1/1) f_[k](2/2)]");
}

static void a_function_named_all_is_not_the_root(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = new_tree(false);
	uint32_t frame;

	(void)state;
	assert_int_equal(flame_tree_add_frame(tree, "all", "", FRAME_SYNTHETIC, &frame), 0);
	assert_int_not_equal(frame, 0);
	assert_int_equal(flame_tree_add(tree, &frame, 1, 3, 0), 0);
	assert_finished(tree, "all(0/3)[all_[4](3/3)]");
}

static void values_below_zero_count_as_nothing_and_sums_saturate(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = new_tree(false);

	(void)state;
	add(tree, "a;b", -5);
	add(tree, "a;c", INT64_MAX - 1);
	add(tree, "a;c", 7);
	add_both(tree, "a;d", 3, -7);
	assert_int_equal(flame_tree_finish(tree), 0);
	assert_null(tree->before);
	assert_true(tree->nodes[0].value == INT64_MAX);
	assert_true(flame_tree_self(tree, 0) == 0);
	assert_true(flame_tree_self(tree, 1) == 0);
	assert_true(tree->nodes[2].value == 0);
}

static void an_array_of_values_before_is_made_when_there_is_one(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = new_tree(false);
	char name[32];
	int i;

	(void)state;
	add(tree, "a;b", 1);
	assert_null(tree->before);
	add_both(tree, "a", 0, 4);
	assert_non_null(tree->before);
	add_both(tree, "a;b", 2, 8);
	add_both(tree, "c", 16, 0);
	assert_finished(tree,
			"all(0/19 was 0/12)[a(0/3 was 4/12)[b(3/3 was 8/8)] c(16/16 was 0/0)]");
	flame_tree_free(tree);
	tree = new_tree(false);
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		add_both(tree, name, 1, i == 10 ? 5 : 0);
	}
	assert_int_equal(flame_tree_finish(tree), 0);
	assert_int_equal(tree->before[0], 5);
	assert_int_equal(flame_tree_self_before(tree, 11), 5);
	for (i = 12; i < 1001; i++)
		assert_int_equal(tree->before[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_tree_is_a_root_alone),
		cmocka_unit_test(equal_stacks_are_one_and_siblings_are_in_bytewise_order),
		cmocka_unit_test(thousands_of_siblings_are_found_again_and_sorted),
		cmocka_unit_test(a_chart_keeps_the_order_and_joins_neighbours_alone),
		cmocka_unit_test(frames_are_told_apart_by_module_and_kind),
		cmocka_unit_test(a_function_named_all_is_not_the_root),
		cmocka_unit_test(values_below_zero_count_as_nothing_and_sums_saturate),
		cmocka_unit_test(an_array_of_values_before_is_made_when_there_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
