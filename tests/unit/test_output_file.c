/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <sys/stat.h>

#include "tests/unit/folder.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/cmd/output_file.h"

static int write_text(void *arg, FILE *out)
{
	fputs(arg, out);
	return 0;
}

static int write_and_fail(void *arg, FILE *out)
{
	fputs(arg, out);
	return errf(-EDOM, "no");
}

static void holds(const char *path, const char *expected)
{
	char *text = NULL;
	size_t len;

	assert_int_equal(file_read(path, 100, &text, &len), 0);
	assert_string_equal(text, expected);
	free(text);
}

static size_t files_in(const struct folder *f)
{
	DIR *dir = opendir(f->path);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void a_file_is_written_whole_or_not_at_all(void **state)
{
	char one[] = "one", two[] = "two", three[] = "three";
	struct folder f;
	struct stat st;
	mode_t old;

	(void)state;
	folder_make(&f);
	old = umask(027);
	assert_int_equal(output_file_write(folder_path(&f, "x"), write_text, one), 0);
	umask(old);
	holds(folder_path(&f, "x"), "one");
	assert_int_equal(stat(folder_path(&f, "x"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(output_file_write(folder_path(&f, "x"), write_text, two), 0);
	holds(folder_path(&f, "x"), "two");
	assert_int_equal(output_file_write(folder_path(&f, "x"), write_and_fail, three), -EDOM);
	holds(folder_path(&f, "x"), "two");
	assert_int_equal(output_file_write(folder_path(&f, "y"), write_and_fail, three), -EDOM);
	assert_int_equal(files_in(&f), 1);
	folder_remove(&f);
}

static void what_is_no_file_is_refused_or_takes_the_bytes(void **state)
{
	char text[] = "text", link[512];
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_write(&f, "x", "x", 1);
	snprintf(link, sizeof(link), "%s/link", f.path);
	assert_int_equal(symlink("x", link), 0);
	assert_int_equal(output_file_write(link, write_text, text), -ELOOP);
	assert_non_null(strstr(err_text(), "symbolic link: name the file itself"));
	holds(folder_path(&f, "x"), "x");
	assert_int_equal(output_file_write(f.path, write_text, text), -EISDIR);
	assert_int_equal(output_file_write(folder_path(&f, "no/x"), write_text, text), -ENOENT);
	assert_int_equal(output_file_write("/dev/null", write_text, text), 0);
	assert_int_equal(output_file_write("/dev/full", write_text, text), -ENOSPC);
	assert_int_equal(files_in(&f), 2);
	folder_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_written_whole_or_not_at_all),
		cmocka_unit_test(what_is_no_file_is_refused_or_takes_the_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
