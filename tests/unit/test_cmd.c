/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/cmd/cmd.h"

/* What a test prints on stderr goes to a file, to be compared. */
struct captured {
	FILE *file;
	int saved;
};

static void capture_begin(struct captured *c)
{
	c->file = tmpfile();
	assert_non_null(c->file);
	fflush(stderr);
	c->saved = dup(STDERR_FILENO);
	assert_true(c->saved >= 0);
	assert_true(dup2(fileno(c->file), STDERR_FILENO) >= 0);
}

static void capture_end(struct captured *c, const char *wanted)
{
	char text[2048];
	size_t len;

	fflush(stderr);
	assert_true(dup2(c->saved, STDERR_FILENO) >= 0);
	close(c->saved);
	rewind(c->file);
	len = fread(text, 1, sizeof(text) - 1, c->file);
	text[len] = '\0';
	fclose(c->file);
	assert_string_equal(text, wanted);
}

/* Like capture_end, for text that does not matter. */
static void capture_drop(struct captured *c)
{
	fflush(stderr);
	assert_true(dup2(c->saved, STDERR_FILENO) >= 0);
	close(c->saved);
	fclose(c->file);
}

static void whole_numbers_are_read(void **state)
{
	unsigned int v = 7;

	(void)state;
	assert_int_equal(parse_u32("0", "-n", 0, UINT32_MAX, &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(parse_u32("4294967295", "-n", 0, UINT32_MAX, &v), 0);
	assert_true(v == UINT32_MAX);
	assert_int_equal(parse_u32("0099", "-n", 1, 100, &v), 0);
	assert_int_equal(v, 99);
}

static void what_is_no_whole_number_is_refused(void **state)
{
	static const char *const wrong[] = { "",    "-1",  "+1",   " 1",  "1 ",
					     "1.5", "1e3", "0x10", "abc", "1,000" };
	unsigned int v = 7;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(parse_u32(wrong[i], "-n", 0, 1000, &v), -EINVAL);
	assert_string_equal(err_text(), "-n wants a whole number, not '1,000'");
	assert_int_equal(v, 7);
}

static void whole_numbers_out_of_range_are_refused(void **state)
{
	static const char *const wrong[] = { "0", "11", "4294967297",
					     "99999999999999999999999999" };
	unsigned int v = 7;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(parse_u32(wrong[i], "-F", 1, 10, &v), -ERANGE);
	assert_int_equal(parse_u32("0", "-F", 1, 10, &v), -ERANGE);
	assert_string_equal(err_text(), "-F must be from 1 to 10, not '0'");
	assert_int_equal(v, 7);
}

static void fractions_are_read_and_nonsense_is_refused(void **state)
{
	static const char *const wrong[] = { "", "x", "1x", "nan", "inf", "-inf", "1e999", "1 %" };
	double v = 7;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(parse_double(wrong[i], "-d", 0, 100, &v), -EINVAL);
	assert_int_equal(parse_double("-1", "-d", 0, 100, &v), -ERANGE);
	assert_int_equal(parse_double("100.01", "-d", 0, 100, &v), -ERANGE);
	assert_string_equal(err_text(), "-d must be from 0 to 100, not '100.01'");
	assert_true(v == 7);
	assert_int_equal(parse_double("0.25", "-d", 0, 100, &v), 0);
	assert_true(v == 0.25);
}

static void the_exit_code_tells_usage_from_environment(void **state)
{
	static const int usage[] = { EINVAL, ENOENT, EEXIST, EISDIR, ENOTDIR, EFBIG,
				     E2BIG,  ERANGE, ELOOP,  EILSEQ, ESRCH };
	static const int environment[] = { EPERM, EACCES, ENOMEM, EIO, ENOSPC, ENOTSUP, ENOSYS };
	struct captured c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(usage); i++) {
		capture_begin(&c);
		assert_int_equal(cmd_fail(errf(-usage[i], "case %zu", i)), EXIT_USAGE);
		capture_drop(&c);
	}
	for (i = 0; i < ARRAY_SIZE(environment); i++) {
		capture_begin(&c);
		assert_int_equal(cmd_fail(-environment[i]), EXIT_ENVIRONMENT);
		capture_drop(&c);
	}
	capture_begin(&c);
	errf(-EPERM, "cannot do it");
	assert_int_equal(cmd_fail(-EPERM), EXIT_ENVIRONMENT);
	capture_end(&c, "fathom: cannot do it\n");
}

static void where_no_argument_is_to_blame_it_is_the_environment(void **state)
{
	struct captured c;

	(void)state;
	errf(-EEXIST, "cannot put it there");
	capture_begin(&c);
	assert_int_equal(cmd_fail_environment(), EXIT_ENVIRONMENT);
	capture_end(&c, "fathom: cannot put it there\n");
}

static void usage_errors_point_to_help(void **state)
{
	struct captured c;

	(void)state;
	capture_begin(&c);
	assert_int_equal(cmd_usage("report", "what is '%s'?", "a\033[2Jb"), EXIT_USAGE);
	capture_end(&c, "fathom: what is 'a?[2Jb'?\nTry 'fathom report --help'.\n");
	capture_begin(&c);
	assert_int_equal(cmd_usage("", "unknown command"), EXIT_USAGE);
	capture_end(&c, "fathom: unknown command\nTry 'fathom --help'.\n");
}

/* Runs getopt_long over one bad word and what cmd_bad_option says of it. */
static void assert_complaint(const char *word, const char *wanted)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "rate", required_argument, NULL, 'F' },
						 { 0 } };
	char name[] = "record", copy[64];
	char *argv[] = { name, copy, NULL };
	struct captured c;
	int opt;

	assert_true(strlen(word) < sizeof(copy));
	strcpy(copy, word);
	optind = 0;
	opterr = 0;
	opt = getopt_long(2, argv, ":F:q", options, NULL);
	capture_begin(&c);
	assert_int_equal(cmd_bad_option("record", 2, argv, opt), EXIT_USAGE);
	capture_end(&c, wanted);
}

static void bad_options_are_named(void **state)
{
	(void)state;
	assert_complaint("--nonsense",
			 "fathom: unknown option '--nonsense'\nTry 'fathom record --help'.\n");
	assert_complaint("-x", "fathom: unknown option '-x'\nTry 'fathom record --help'.\n");
	assert_complaint("--rate",
			 "fathom: option '--rate' needs a value\nTry 'fathom record --help'.\n");
	assert_complaint("-F", "fathom: option '-F' needs a value\nTry 'fathom record --help'.\n");
	assert_complaint("--json=1", "fathom: option '--json=1' takes no value\n"
				     "Try 'fathom record --help'.\n");
}

static void only_a_terminal_is_coloured(void **state)
{
	_cleanup_(fclosep) FILE *file = tmpfile(), *terminal = NULL;
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	(void)state;
	assert_non_null(file);
	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	terminal = fopen(ptsname(master), "r+");
	assert_non_null(terminal);
	unsetenv("NO_COLOR");
	assert_false(cmd_color(file, false));
	assert_true(cmd_color(terminal, false));
	assert_false(cmd_color(terminal, true));
	setenv("NO_COLOR", "", 1);
	assert_true(cmd_color(terminal, false));
	setenv("NO_COLOR", "1", 1);
	assert_false(cmd_color(terminal, false));
	unsetenv("NO_COLOR");
	close(master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers_are_read),
		cmocka_unit_test(what_is_no_whole_number_is_refused),
		cmocka_unit_test(whole_numbers_out_of_range_are_refused),
		cmocka_unit_test(fractions_are_read_and_nonsense_is_refused),
		cmocka_unit_test(the_exit_code_tells_usage_from_environment),
		cmocka_unit_test(where_no_argument_is_to_blame_it_is_the_environment),
		cmocka_unit_test(usage_errors_point_to_help),
		cmocka_unit_test(bad_options_are_named),
		cmocka_unit_test(only_a_terminal_is_coloured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
