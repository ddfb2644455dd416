/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tree.h"

#include "user/bench/scratch.h"

static void a_folder_goes_away_with_all_that_is_in_it(void **state)
{
	char *path, inner[4096];
	struct stat st;

	(void)state;
	tree_make();
	tree_write("kept/file", "");
	assert_int_equal(scratch_make(tree_root, "x", &path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	snprintf(inner, sizeof(inner), "%s/a/b/c", path + strlen(tree_root) + 1);
	tree_write(inner, "");
	snprintf(inner, sizeof(inner), "%s/a/link", path + strlen(tree_root) + 1);
	tree_link(inner, tree_path("kept"));
	assert_int_equal(scratch_remove(path), 0);
	assert_int_not_equal(access(path, F_OK), 0);
	free(path);
	/* What a link leads to is not in it. */
	assert_int_equal(access(tree_path("kept/file"), F_OK), 0);
	tree_remove("");
}

static void a_link_is_no_folder(void **state)
{
	(void)state;
	tree_make();
	tree_write("kept/file", "");
	tree_link("link", "kept");
	assert_int_not_equal(scratch_remove(tree_path("link")), 0);
	assert_int_equal(access(tree_path("kept/file"), F_OK), 0);
	tree_remove("");
}

static void where_none_can_be_made_one_is_told(void **state)
{
	char *path = NULL;

	(void)state;
	assert_int_equal(scratch_make("/no/such/folder", "x", &path), -ENOENT);
	assert_null(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_folder_goes_away_with_all_that_is_in_it),
		cmocka_unit_test(a_link_is_no_folder),
		cmocka_unit_test(where_none_can_be_made_one_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
