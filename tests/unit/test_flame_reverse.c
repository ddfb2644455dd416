/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/flame_text.h"

#include <string.h>

#include "flamegraph/flame_reverse.h"

static uint32_t frame_of(struct flame_tree *tree, const char *name, const char *module,
			 uint32_t kind)
{
	uint32_t frame;

	assert_int_equal(flame_tree_add_frame(tree, name, module, kind, &frame), 0);
	return frame;
}

static void stacks_begin_with_their_innermost_frame(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL, *reversed = NULL;
	uint32_t a, b, k, one[3], two[2];

	(void)state;
	assert_int_equal(flame_tree_new(false, &tree), 0);
	a = frame_of(tree, "a", "", FRAME_USER);
	b = frame_of(tree, "b", "x.so", FRAME_USER);
	k = frame_of(tree, "k", "[kernel]", FRAME_KERNEL);
	memcpy(one, (uint32_t[]){ a, b, k }, sizeof(one));
	memcpy(two, (uint32_t[]){ b, k }, sizeof(two));
	assert_int_equal(flame_tree_add(tree, one, 3, 5, 1), 0);
	assert_int_equal(flame_tree_add(tree, two, 2, 7, 2), 0);
	assert_int_equal(flame_tree_add(tree, one, 1, 2, 0), 0);
	assert_int_equal(flame_tree_add(tree, one, 0, 4, 0), 0);
	assert_int_equal(flame_tree_finish(tree), 0);
	tree->scale_before = 0.5;
	assert_int_equal(flame_tree_reverse(tree, &reversed), 0);
	assert_flame_text(reversed,
			  "all(4/18 was 0/3)[a(2/2 was 0/0) k_[k]{[kernel]}(0/12 was 0/3)["
			  "b{x.so}(7/12 was 2/3)[a(5/5 was 1/1)]]]");
	assert_true(reversed->scale_before == 0.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_begin_with_their_innermost_frame),
	};

	return cmocka_run_group_tests_name("flame_reverse", tests, NULL, NULL);
}
