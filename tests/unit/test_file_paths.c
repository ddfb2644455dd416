/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths as the kernel side tells them: their texts, and the file systems they are on. */
#include "tests/unit/tree.h"

#include <linux/types.h>

#include "bpf/file_wire.h"
#include "user/collect/dev_number.h"
#include "user/collect/file_paths.h"

static struct file_paths paths;
static uint64_t next_id;

static const char mounts[] = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
			     "2 1 8:2 / /home rw - xfs /dev/sda2 rw\n"
			     "3 1 0:30 / /tmp rw - tmpfs tmpfs rw\n"
			     "4 2 8:3 / /home/me rw - btrfs /dev/sda3 rw\n";

static int set_up(void **state)
{
	(void)state;
	tree_make();
	tree_write("mountinfo", mounts);
	assert_int_equal(file_paths_init(&paths, tree_path("mountinfo")), 0);
	next_id = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	file_paths_release(&paths);
	tree_remove("");
	return 0;
}

static const struct file_path *add(uint32_t flags, uint32_t dev, const char *fs, const char *text)
{
	struct ft_path path = { .bytes = strlen(text), .flags = flags, .dev = dev };
	const struct file_path *found;

	memset(path.text, 'x', sizeof(path.text)); /* nothing ends the text but its length */
	assert_true(path.bytes <= FT_PATH_BYTES && strlen(fs) <= FT_FS_NAME_BYTES);
	memcpy(path.text, text, path.bytes);
	memcpy(path.fs, fs, strlen(fs));
	assert_int_equal(file_paths_add(&paths, ++next_id, &path), 0);
	assert_int_equal(file_paths_find(&paths, next_id, &found), 0);
	return found;
}

static void is(const struct file_path *p, const char *text, const char *fs, const char *mount)
{
	assert_string_equal(file_paths_string(&paths, p->text), text);
	assert_string_equal(file_paths_string(&paths, p->fs), fs);
	assert_string_equal(file_paths_string(&paths, p->mount), mount);
}

static void files_are_on_the_file_system_of_their_device(void **state)
{
	(void)state;
	is(add(0, dev_number(8, 2), "xfs", "/home/x"), "/home/x", "xfs", "/home");
	/* Seen from elsewhere, the path does not tell. */
	is(add(0, dev_number(0, 30), "tmpfs", "/home/x"), "/home/x", "tmpfs", "/tmp");
	is(add(0, dev_number(0, 99), "overlay", "/etc/x"), "/etc/x", "overlay", "");
	is(add(0, dev_number(0, 98), "sixteen-letters!", "/"), "/", "sixteen-letters!", "");
}

static void names_are_on_what_is_mounted_there(void **state)
{
	uint32_t root = dev_number(8, 1), n = FT_PATH_BY_NAME;

	(void)state;
	is(add(n, root, "ext4", "/etc/x"), "/etc/x", "ext4", "/");
	is(add(n, root, "ext4", "/tmp"), "/tmp", "tmpfs", "/tmp");
	is(add(n, root, "ext4", "/tmp/a"), "/tmp/a", "tmpfs", "/tmp");
	is(add(n, root, "ext4", "/tmpa"), "/tmpa", "ext4", "/");
	is(add(n, root, "ext4", "/home/me/x"), "/home/me/x", "btrfs", "/home/me");
	is(add(n, root, "ext4", "/home/me/../you"), "/home/you", "xfs", "/home");
	/* What begins in a place that we do not have is not looked for among ours. */
	is(add(n, dev_number(0, 99), "overlay", "/tmp/a"), "/tmp/a", "overlay", "");
}

static void names_lose_what_says_nothing(void **state)
{
	uint32_t dev = dev_number(8, 1), n = FT_PATH_BY_NAME;

	(void)state;
	is(add(n, dev, "ext4", "/a/./b//c/"), "/a/b/c", "ext4", "/");
	is(add(n, dev, "ext4", "/a/b/../../c"), "/c", "ext4", "/");
	is(add(n, dev, "ext4", "/../../.."), "/", "ext4", "/");
	is(add(n, dev, "ext4", "/.../..a/b."), "/.../..a/b.", "ext4", "/");
	is(add(n, dev, "ext4", ""), "/", "ext4", "/");
}

static void what_was_cut_says_so(void **state)
{
	char longest[FT_PATH_BYTES + 1];

	(void)state;
	is(add(FT_PATH_CUT, dev_number(8, 1), "ext4", "/deep/er"), ".../deep/er", "ext4", "/");
	is(add(FT_PATH_CUT_END | FT_PATH_BY_NAME, dev_number(8, 1), "ext4", "/lon"), "/lon...",
	   "ext4", "/");
	memset(longest, 'y', FT_PATH_BYTES);
	longest[0] = '/';
	longest[FT_PATH_BYTES] = '\0';
	is(add(0, dev_number(8, 1), "ext4", longest), longest, "ext4", "/");
}

static void hostile_records_stay_in_their_bounds(void **state)
{
	struct ft_path path = { .bytes = UINT32_MAX, .flags = UINT32_MAX, .dev = UINT32_MAX };
	const struct file_path *found;

	(void)state;
	memset(path.text, '/', sizeof(path.text));
	memset(path.fs, 'f', sizeof(path.fs));
	assert_int_equal(file_paths_add(&paths, 1, &path), 0);
	assert_int_equal(file_paths_find(&paths, 1, &found), 0);
	is(found, ".../...", "ffffffffffffffff", "");
	path.text[1] = '\0'; /* no name of a file has one */
	path.text[0] = 'a';
	assert_int_equal(file_paths_add(&paths, 3, &path), 0);
	assert_int_equal(file_paths_find(&paths, 3, &found), 0);
	is(found, ".../a...", "ffffffffffffffff", "");
}

static void a_number_means_what_it_meant_first(void **state)
{
	struct ft_path path = { .bytes = 2, .dev = dev_number(8, 1), .text = "/a" };
	const struct file_path *found;

	(void)state;
	assert_int_equal(file_paths_add(&paths, 5, &path), 0);
	path.text[1] = 'b';
	assert_int_equal(file_paths_add(&paths, 5, &path), 0);
	assert_int_equal(file_paths_find(&paths, 5, &found), 0);
	is(found, "/a", "ext4", "/");
	assert_int_equal(file_paths_find(&paths, 0, &found), 0);
	is(found, "", "", "");
}

static void file_systems_are_known_by_what_was_seen_on_them(void **state)
{
	(void)state;
	assert_null(file_paths_on(&paths, dev_number(8, 2)));
	add(FT_PATH_BY_NAME | FT_PATH_HAS_DEVICE, dev_number(8, 2), "xfs", "/home/b");
	assert_null(file_paths_on(&paths, dev_number(8, 2)));
	add(FT_PATH_HAS_DEVICE, dev_number(8, 2), "xfs", "/home/a");
	add(0, dev_number(0, 30), "tmpfs", "/tmp/a");
	is(file_paths_on(&paths, dev_number(8, 2)), "/home/a", "xfs", "/home");
	is(file_paths_on(&paths, dev_number(0, 30)), "/tmp/a", "tmpfs", "/tmp");
}

static void there_may_be_no_mounts_at_all(void **state)
{
	(void)state;
	file_paths_release(&paths);
	assert_int_equal(file_paths_init(&paths, tree_path("none")), 0);
	is(add(FT_PATH_BY_NAME, dev_number(8, 1), "ext4", "/etc/x"), "/etc/x", "ext4", "");
}

static void the_root_is_what_is_mounted_there_last(void **state)
{
	struct file_paths others;

	(void)state;
	assert_int_equal(file_paths_root_dev(&paths), dev_number(8, 1));
	tree_write("mountinfo", "1 0 8:1 / / rw - ext4 a rw\n2 1 0:9 / / rw - tmpfs b rw\n");
	assert_int_equal(file_paths_init(&others, tree_path("mountinfo")), 0);
	assert_int_equal(file_paths_root_dev(&others), dev_number(0, 9));
	file_paths_release(&others);
	tree_write("mountinfo", "1 0 8:1 / /home rw - ext4 a rw\n");
	assert_int_equal(file_paths_init(&others, tree_path("mountinfo")), 0);
	assert_int_equal(file_paths_root_dev(&others), 0);
	file_paths_release(&others);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_root_is_what_is_mounted_there_last),
		TEST(files_are_on_the_file_system_of_their_device),
		TEST(names_are_on_what_is_mounted_there),
		TEST(names_lose_what_says_nothing),
		TEST(what_was_cut_says_so),
		TEST(hostile_records_stay_in_their_bounds),
		TEST(a_number_means_what_it_meant_first),
		TEST(file_systems_are_known_by_what_was_seen_on_them),
		TEST(there_may_be_no_mounts_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
