/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/folder.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/replace.h"

static int folder_setup(void **state)
{
	static struct folder folder;

	folder_make(&folder);
	*state = &folder;
	return 0;
}

static int folder_teardown(void **state)
{
	folder_remove(*state);
	return 0;
}

static int count_files(const struct folder *folder)
{
	DIR *dir = opendir(folder->path);
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2; /* "." and ".." */
}

static int write_text(void *arg, FILE *out)
{
	return fputs(arg, out) < 0 ? -EIO : 0;
}

static int write_half(void *arg, FILE *out)
{
	fputs(arg, out);
	return errf(-ENOSPC, "no room");
}

static void assert_holds(const char *path, const char *expected)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;

	assert_int_equal(file_read(path, 1000, &text, &len), 0);
	assert_string_equal(text, expected);
}

static void a_file_is_made_or_replaced_whole(void **state)
{
	const char *path = folder_path(*state, "file");

	assert_int_equal(file_replace(path, "x", write_text, "one"), 0);
	assert_holds(path, "one");
	assert_int_equal(file_replace(path, "x", write_text, "two"), 0);
	assert_holds(path, "two");
	assert_int_equal(count_files(*state), 1);
}

static void a_failure_leaves_the_old_file_and_nothing_else(void **state)
{
	const char *path = folder_path(*state, "file");

	assert_int_equal(file_replace(path, "x", write_half, "one"), -ENOSPC);
	assert_int_equal(count_files(*state), 0);
	assert_int_equal(file_replace(path, "x", write_text, "old"), 0);
	assert_int_equal(file_replace(path, "x", write_half, "new"), -ENOSPC);
	assert_holds(path, "old");
	assert_int_equal(count_files(*state), 1);
}

static void links_and_folders_are_refused(void **state)
{
	const char *path = folder_path(*state, "link");

	assert_int_equal(symlink("nowhere", path), 0);
	assert_int_equal(file_replace(path, "x", write_text, "one"), -ELOOP);
	assert_int_equal(
		file_replace(((struct folder *)*state)->path, "the text", write_text, "one"),
		-EISDIR);
	assert_non_null(strstr(err_text(), "name a file for the text"));
	assert_int_equal(count_files(*state), 1);
}

static void a_private_file_stays_private(void **state)
{
	const char *path = folder_path(*state, "file");
	struct stat st;

	assert_int_equal(file_replace(path, "x", write_text, "one"), 0);
	assert_int_equal(chmod(path, 0600), 0);
	/* Only root can give it away at all. */
	if (!geteuid())
		assert_int_equal(chown(path, 12345, 54321), 0);
	assert_int_equal(file_replace(path, "x", write_text, "two"), 0);
	assert_holds(path, "two");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_uid, geteuid() ? geteuid() : 12345);
	assert_int_equal(st.st_gid, geteuid() ? st.st_gid : 54321);
}

static void a_device_takes_the_bytes(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(file_replace("/dev/null", "x", write_text, "one"), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_is_made_or_replaced_whole, folder_setup,
						folder_teardown),
		cmocka_unit_test_setup_teardown(a_failure_leaves_the_old_file_and_nothing_else,
						folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(links_and_folders_are_refused, folder_setup,
						folder_teardown),
		cmocka_unit_test_setup_teardown(a_private_file_stays_private, folder_setup,
						folder_teardown),
		cmocka_unit_test(a_device_takes_the_bytes),
	};

	return cmocka_run_group_tests_name("replace", tests, NULL, NULL);
}
