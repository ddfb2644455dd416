/* SPDX-License-Identifier: BSD-2-Clause */
/* What is no pattern; what patterns match is tested in tests/native/test_glob.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "user/base/err.h"
#include "user/collect/glob.h"

static int compile(const char *pattern)
{
	struct ft_glob glob;

	return glob_compile(&pattern, 1, &glob);
}

static void a_bracket_must_be_closed(void **state)
{
	(void)state;
	assert_int_equal(compile("a[bc"), -EINVAL);
	assert_string_equal(err_text(), "the pattern 'a[bc' has a '[' without its ']'");
	assert_int_equal(compile("["), -EINVAL);
	assert_int_equal(compile("[]"), -EINVAL); /* a first ']' is a member */
	assert_int_equal(compile("[!]"), -EINVAL);
	assert_int_equal(compile("[a-"), -EINVAL);
	assert_int_equal(compile("[\\]"), -EINVAL);
	assert_int_equal(compile("[\\"), -EINVAL);
	assert_int_equal(compile("[a-\\"), -EINVAL);
	assert_int_equal(compile("[]]"), 0);
	assert_int_equal(compile("[a]]"), 0);
}

static void a_backslash_must_have_something_behind_it(void **state)
{
	(void)state;
	assert_int_equal(compile("abc\\"), -EINVAL);
	assert_string_equal(err_text(), "the pattern 'abc\\' ends in a backslash");
	assert_int_equal(compile("\\"), -EINVAL);
	assert_int_equal(compile("\\\\"), 0);
}

static void what_is_too_long_together_is_refused(void **state)
{
	char text[FT_GLOB_BITS + 1];
	const char *patterns[FT_GLOB_BITS];
	struct ft_glob glob;
	size_t i;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[FT_GLOB_BITS - 2] = '\0'; /* 62 bytes and the place behind them */
	assert_int_equal(compile(text), 0);
	text[FT_GLOB_BITS - 2] = 'a';
	text[FT_GLOB_BITS - 1] = '\0';
	assert_int_equal(compile(text), -E2BIG);

	for (i = 0; i < FT_GLOB_BITS; i++)
		patterns[i] = "";
	assert_int_equal(glob_compile(patterns, FT_GLOB_BITS - 1, &glob), 0);
	assert_int_equal(glob_compile(patterns, FT_GLOB_BITS, &glob), -E2BIG);
	for (i = 0; i < 5; i++)
		patterns[i] = "0123456789abcd"; /* 15 positions each */
	assert_int_equal(glob_compile(patterns, 4, &glob), 0);
	assert_int_equal(glob_compile(patterns, 5, &glob), -E2BIG);
}

static void stars_take_no_place(void **state)
{
	char text[200];

	(void)state;
	memset(text, '*', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(compile(text), 0);
}

static void the_result_is_untouched_on_failure(void **state)
{
	static const char *const patterns[] = { "fine", "[broken" };
	struct ft_glob glob, before;

	(void)state;
	memset(&glob, 0x5a, sizeof(glob));
	before = glob;
	assert_int_equal(glob_compile(patterns, 2, &glob), -EINVAL);
	assert_memory_equal(&glob, &before, sizeof(glob));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bracket_must_be_closed),
		cmocka_unit_test(a_backslash_must_have_something_behind_it),
		cmocka_unit_test(what_is_too_long_together_is_refused),
		cmocka_unit_test(stars_take_no_place),
		cmocka_unit_test(the_result_is_untouched_on_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
