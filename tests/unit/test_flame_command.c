/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/folder.h"

#include <errno.h>
#include <sys/stat.h>

#include "user/base/array.h"
#include "user/base/file.h"
#include "user/cmd/cmd.h"

#define FOLDED "bash;main;read 60\nbash;main;write 40\n"

/* The exit code of 'fathom flame -q ARGUMENT...'; what it says on stderr is not looked at. */
static int flame(const char *a, const char *b, const char *c, const char *d)
{
	const char *args[] = { "flame", "-q", a, b, c, d, NULL };
	int argc = 2, saved, null, code;

	while (args[argc])
		argc++;
	fflush(stderr);
	saved = dup(STDERR_FILENO);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_true(saved >= 0 && null >= 0);
	dup2(null, STDERR_FILENO);
	close(null);
	code = cmd_flame(argc, (char **)args);
	dup2(saved, STDERR_FILENO);
	close(saved);
	return code;
}

static unsigned int files_in(const struct folder *f)
{
	DIR *dir = opendir(f->path);
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2; /* . and .. */
}

static char *content(const char *path)
{
	char *data = NULL;
	size_t len;

	assert_int_equal(file_read(path, 1 << 20, &data, &len), 0);
	return data;
}

static void setup_files(struct folder *f, char *in, char *out)
{
	folder_make(f);
	strcpy(in, folder_write(f, "in.folded", FOLDED, strlen(FOLDED)));
	strcpy(out, folder_path(f, "out.svg"));
}

static void a_picture_replaces_the_file_that_was_there(void **state)
{
	char in[128], out[128], *svg;
	struct folder f;

	(void)state;
	setup_files(&f, in, out);
	folder_write(&f, "out.svg", "old", 3);
	assert_int_equal(flame("-o", out, in, NULL), EXIT_DONE);
	svg = content(out);
	assert_non_null(strstr(svg, "<title>write\n40 samples itself, 40.00% of all"));
	assert_string_equal(svg + strlen(svg) - 7, "</svg>\n");
	assert_int_equal(files_in(&f), 2); /* nothing temporary is left */
	free(svg);
	folder_remove(&f);
}

static void bad_input_leaves_the_old_picture(void **state)
{
	char in[128], out[128], *svg;
	struct folder f;

	(void)state;
	setup_files(&f, in, out);
	folder_write(&f, "out.svg", "old", 3);
	folder_write(&f, "in.folded", "no counts\n", 10);
	assert_int_equal(flame("-o", out, in, NULL), EXIT_USAGE);
	svg = content(out);
	assert_string_equal(svg, "old");
	assert_int_equal(files_in(&f), 2);
	free(svg);
	folder_remove(&f);
}

static void a_picture_is_as_open_as_other_new_files(void **state)
{
	char in[128], out[128];
	struct folder f;
	struct stat st;
	mode_t mask;

	(void)state;
	setup_files(&f, in, out);
	mask = umask(027);
	assert_int_equal(flame("-o", out, in, NULL), EXIT_DONE);
	umask(mask);
	assert_int_equal(stat(out, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	folder_remove(&f);
}

static void a_link_is_neither_followed_nor_replaced(void **state)
{
	char in[128], out[128], *text;
	struct folder f;
	struct stat st;

	(void)state;
	setup_files(&f, in, out);
	assert_int_equal(symlink(in, out), 0);
	assert_int_equal(flame("-o", out, in, NULL), EXIT_USAGE);
	assert_int_equal(lstat(out, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	text = content(in);
	assert_string_equal(text, FOLDED);
	free(text);
	folder_remove(&f);
}

static void a_folder_is_no_output(void **state)
{
	char in[128], out[128];
	struct folder f;

	(void)state;
	setup_files(&f, in, out);
	assert_int_equal(flame("-o", f.path, in, NULL), EXIT_USAGE);
	assert_int_equal(files_in(&f), 1);
	folder_remove(&f);
}

static void a_device_is_written_to_and_stays_one(void **state)
{
	char in[128], out[128];
	struct folder f;
	struct stat st;

	(void)state;
	setup_files(&f, in, out);
	assert_int_equal(flame("-o", "/dev/null", in, NULL), EXIT_DONE);
	assert_int_equal(flame("-o", "/dev/full", in, NULL), EXIT_ENVIRONMENT);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	folder_remove(&f);
}

static void several_files_are_added_up(void **state)
{
	char in[128], out[128], *svg;
	struct folder f;

	(void)state;
	setup_files(&f, in, out);
	assert_int_equal(flame("-o", out, in, in), EXIT_DONE);
	svg = content(out);
	assert_non_null(strstr(svg, "<title>write\n80 samples itself, 40.00% of all"));
	assert_non_null(strstr(svg, ">sum of 2 files</text>"));
	free(svg);
	folder_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_picture_replaces_the_file_that_was_there),
		cmocka_unit_test(bad_input_leaves_the_old_picture),
		cmocka_unit_test(a_picture_is_as_open_as_other_new_files),
		cmocka_unit_test(a_link_is_neither_followed_nor_replaced),
		cmocka_unit_test(a_folder_is_no_output),
		cmocka_unit_test(a_device_is_written_to_and_stays_one),
		cmocka_unit_test(several_files_are_added_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
