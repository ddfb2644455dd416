/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tree.h"

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/collect/dev_number.h"
#include "user/collect/filesystems.h"
#include "user/collect/mountinfo.h"

static struct filesystems *fs;

static int set_up(void **state)
{
	(void)state;
	tree_make();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	filesystems_free(fs);
	fs = NULL;
	tree_remove("");
	return 0;
}

static void mounts_are(const char *text)
{
	tree_write("mountinfo", text);
	if (!fs)
		assert_int_equal(filesystems_new(tree_path("mountinfo"), &fs), 0);
}

static void is(unsigned int major, unsigned int minor, const char *type, const char *mount_point,
	       const char *source)
{
	const struct filesystem *f;

	assert_int_equal(filesystems_resolve(fs, dev_number(major, minor), &f), 0);
	assert_int_equal(f->dev, dev_number(major, minor));
	assert_string_equal(f->type, type);
	assert_string_equal(f->mount_point, mount_point);
	assert_string_equal(f->source, source);
}

static void file_systems_have_types_and_places(void **state)
{
	(void)state;
	mounts_are("27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n"
		   "25 24 0:23 / /dev/shm rw master:1 shared:2 - tmpfs tmpfs rw,size=24684092k\n"
		   "40 27 0:50 / /home/a rw - fuse.sshfs a@b:/c rw\n"
		   "41 27 0:51 / /none rw -  none rw\n"
		   "42 27 0:52 / /empty rw - proc  rw\n");
	is(254, 0, "ext4", "/", "/dev/vda");
	is(0, 23, "tmpfs", "/dev/shm", "tmpfs");
	is(0, 50, "fuse.sshfs", "/home/a", "a@b:/c");
	is(0, 51, "", "", "");
	is(0, 52, "proc", "/empty", "");
	is(8, 1, "", "", "");
}

static void all_of_a_file_system_goes_before_its_parts_and_the_shortest_path_first(void **state)
{
	(void)state;
	mounts_are("1 0 8:1 /sub /a rw - xfs /dev/sda1 rw\n"
		   "2 1 8:1 / /mnt/long rw - xfs /dev/sda1 rw\n"
		   "3 1 8:1 / /mnt rw - xfs /dev/sda1 rw\n"
		   "4 1 8:1 / /mnt/longer rw - xfs /dev/sda1 rw\n"
		   "5 1 8:1 /x / rw - xfs /dev/sda1 rw\n");
	is(8, 1, "xfs", "/mnt", "/dev/sda1");
}

static void escapes_are_undone_and_hostile_text_is_cleaned(void **state)
{
	(void)state;
	mounts_are("1 0 8:1 / /mnt/a\\040b\\134c\\011d rw - ext4 /dev/disk\\040x rw\n"
		   "1 0 8:2 / /mnt/\x1b[2J\xff rw - ext4 /dev/\\012y rw\n"
		   "1 0 8:3 / /mnt/\\04 rw - ext4 \\9 rw\n");
	is(8, 1, "ext4", "/mnt/a b\\c?d", "/dev/disk x");
	is(8, 2, "ext4", "/mnt/?[2J\xef\xbf\xbd", "/dev/?y");
	is(8, 3, "ext4", "/mnt/\\04", "\\9");
}

static void what_is_mounted_later_is_found_and_what_is_gone_is_kept(void **state)
{
	(void)state;
	mounts_are("1 0 8:1 / /a rw - ext4 /dev/sda1 rw\n");
	mounts_are("1 0 8:2 / /b rw - ext4 /dev/sda2 rw\n");
	is(8, 1, "ext4", "/a", "/dev/sda1");
	is(8, 2, "ext4", "/b", "/dev/sda2");
	is(8, 1, "ext4", "/a", "/dev/sda1");
	/* The same number is another file system now, at a longer path. */
	mounts_are("1 0 8:1 /x /longer rw - btrfs /dev/sda1 rw\n");
	assert_int_equal(filesystems_refresh(fs), 0);
	is(8, 1, "btrfs", "/longer", "/dev/sda1");
}

static void an_unknown_number_is_looked_for_once(void **state)
{
	(void)state;
	mounts_are("");
	is(8, 1, "", "", "");
	mounts_are("1 0 8:1 / /a rw - ext4 /dev/sda1 rw\n");
	is(8, 1, "", "", "");
	is(8, 2, "", "", "");
	is(8, 1, "ext4", "/a", "/dev/sda1");
}

static void lines_of_another_form_are_skipped(void **state)
{
	(void)state;
	mounts_are("\n \n1 0 8:1 / /a rw\n1 0 8:1 / /a rw -\n1 0 8:1 / /a rw - ext4\n"
		   "1 0 8-1 / /a rw - ext4 /dev/sda1 rw\n1 0 8:99999999 / /a rw - ext4 x rw\n"
		   "1  0 8:1 / /a rw - ext4 /dev/sda1 rw\n");
	is(8, 1, "", "", "");
}

static void a_file_that_is_not_there_tells_of_none(void **state)
{
	const struct filesystem *f;

	(void)state;
	assert_int_equal(filesystems_new(tree_path("none"), &fs), 0);
	assert_int_equal(filesystems_resolve(fs, 5, &f), 0);
	assert_string_equal(f->type, "");
	assert_int_equal(mountinfo_read(tree_path("none"), NULL, NULL), -ENOENT);
	assert_non_null(strstr(err_text(), "none'"));
}

static int count(void *ctx, const struct mountinfo *m)
{
	assert_string_equal(m->type, "ext4");
	return ++*(int *)ctx == 2 ? 77 : 0;
}

static void who_has_seen_enough_ends_it(void **state)
{
	int n = 0;

	(void)state;
	tree_write("mountinfo", "1 0 8:1 / /a rw - ext4 a rw\n1 0 8:2 / /b rw - ext4 b rw\n"
				"1 0 8:3 / /c rw - ext4 c rw\n");
	assert_int_equal(mountinfo_read(tree_path("mountinfo"), count, &n), 77);
	assert_int_equal(n, 2);
}

static void our_own_root_has_a_type(void **state)
{
	const struct filesystem *f;
	struct stat st;

	(void)state;
	assert_int_equal(filesystems_new("/proc/self/mountinfo", &fs), 0);
	assert_int_equal(stat("/proc", &st), 0);
	assert_int_equal(filesystems_resolve(fs, dev_number_of_st_dev(st.st_dev), &f), 0);
	assert_string_equal(f->type, "proc");
	assert_string_equal(f->mount_point, "/proc");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(file_systems_have_types_and_places),
		TEST(all_of_a_file_system_goes_before_its_parts_and_the_shortest_path_first),
		TEST(escapes_are_undone_and_hostile_text_is_cleaned),
		TEST(what_is_mounted_later_is_found_and_what_is_gone_is_kept),
		TEST(an_unknown_number_is_looked_for_once),
		TEST(lines_of_another_form_are_skipped),
		TEST(a_file_that_is_not_there_tells_of_none),
		TEST(who_has_seen_enough_ends_it),
		TEST(our_own_root_has_a_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
