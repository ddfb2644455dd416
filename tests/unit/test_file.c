/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/folder.h"

#include <errno.h>
#include <sys/stat.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/file.h"

static void a_file_is_read_whole_and_ended_by_a_nul(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	_cleanup_(freep) char *data = NULL;
	char big[200000];
	size_t len, i;

	(void)state;
	folder_make(&f);
	for (i = 0; i < sizeof(big); i++)
		big[i] = i * 7;
	folder_write(&f, "x", big, sizeof(big));
	assert_int_equal(file_read(folder_path(&f, "x"), sizeof(big), &data, &len), 0);
	assert_int_equal(len, sizeof(big));
	assert_memory_equal(data, big, sizeof(big));
	assert_int_equal(data[len], 0);
}

static void more_than_the_limit_is_refused(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	char *data = (char *)"untouched";
	size_t len = 77;

	(void)state;
	folder_make(&f);
	folder_write(&f, "x", "12345", 5);
	assert_int_equal(file_read(folder_path(&f, "x"), 4, &data, &len), -EFBIG);
	assert_non_null(strstr(err_text(), "limit of 4 bytes"));
	assert_string_equal(data, "untouched");
	assert_int_equal(len, 77);
}

static void pseudo_files_without_a_size_are_read(void **state)
{
	_cleanup_(freep) char *line = NULL, *data = NULL;
	size_t len;

	(void)state;
	assert_int_equal(file_read("/proc/self/status", 1 << 20, &data, &len), 0);
	assert_true(len > 100);
	assert_int_equal(file_read_line("/proc/sys/kernel/ostype", &line), 0);
	assert_string_equal(line, "Linux");
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
	_cleanup_(folder_remove) struct folder f;

	(void)state;
	folder_make(&f);
	assert_int_equal(mkfifo(folder_path(&f, "fifo"), 0600), 0);
	assert_int_equal(file_open(folder_path(&f, "fifo"), FILE_HOSTILE), -EINVAL);
	assert_non_null(strstr(err_text(), "not a regular file"));
	assert_int_equal(file_open(f.path, FILE_HOSTILE), -EINVAL);
	assert_int_equal(file_open("/dev/zero", FILE_TRUSTED), -EINVAL);
}

static void a_link_is_refused_where_others_may_have_made_it(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	_cleanup_(closep) int fd = -1;

	(void)state;
	folder_make(&f);
	folder_write(&f, "real", "x", 1);
	assert_int_equal(symlink("real", folder_path(&f, "link")), 0);
	assert_int_equal(file_open(folder_path(&f, "link"), FILE_HOSTILE), -ELOOP);
	fd = file_open(folder_path(&f, "link"), FILE_TRUSTED);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void a_missing_file_is_named(void **state)
{
	char *line = NULL;

	(void)state;
	assert_int_equal(file_open("/nonexistent/x", FILE_TRUSTED), -ENOENT);
	assert_string_equal(err_text(), "cannot open '/nonexistent/x': No such file or directory");
	assert_int_equal(file_read_line("/nonexistent/x", &line), -ENOENT);
	assert_null(line);
}

static void all_of_it_is_written_or_an_error(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	_cleanup_(freep) char *data = NULL;
	_cleanup_(closep) int fd = -1, full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	size_t len;

	(void)state;
	folder_make(&f);
	fd = open(folder_path(&f, "x"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(file_write_all(fd, "x", "hello", 5), 0);
	assert_int_equal(file_read(folder_path(&f, "x"), 100, &data, &len), 0);
	assert_string_equal(data, "hello");
	assert_int_equal(file_write_all(full, "full", "hello", 5), -ENOSPC);
}

/* FIPS 180-4's examples, and the offset is not where the file is read from. */
static void sha256_is_that_of_the_standard(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	_cleanup_(closep) int fd = -1, empty = -1;
	char digest[65];

	(void)state;
	folder_make(&f);
	fd = open(folder_write(&f, "abc", "abc", 3), O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
	assert_int_equal(file_sha256(fd, "abc", digest), 0);
	assert_string_equal(digest,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	empty = open(folder_write(&f, "empty", "", 0), O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_sha256(empty, "empty", digest), 0);
	assert_string_equal(digest,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_int_equal(file_sha256(-1, "closed", digest), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_whole_and_ended_by_a_nul),
		cmocka_unit_test(more_than_the_limit_is_refused),
		cmocka_unit_test(pseudo_files_without_a_size_are_read),
		cmocka_unit_test(what_is_no_regular_file_is_refused_without_waiting),
		cmocka_unit_test(a_link_is_refused_where_others_may_have_made_it),
		cmocka_unit_test(a_missing_file_is_named),
		cmocka_unit_test(all_of_it_is_written_or_an_error),
		cmocka_unit_test(sha256_is_that_of_the_standard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
