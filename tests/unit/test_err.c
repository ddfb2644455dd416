/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "user/base/err.h"

static void the_error_is_passed_on_and_its_sentence_kept(void **state)
{
	(void)state;
	assert_int_equal(errf(-ENOENT, "no build ID in '%s'", "x"), -ENOENT);
	assert_string_equal(err_text(), "no build ID in 'x'");
	errno = EACCES;
	assert_int_equal(errf(-EACCES, "cannot open: %m"), -EACCES);
	assert_string_equal(err_text(), "cannot open: Permission denied");
}

static void a_prefix_stands_before_the_last_sentence(void **state)
{
	(void)state;
	errf(-EIO, "disk on fire");
	assert_int_equal(err_prefix(-EIO, "collector '%s'", "cpu"), -EIO);
	assert_string_equal(err_text(), "collector 'cpu': disk on fire");
}

static void a_sentence_may_quote_the_one_before(void **state)
{
	(void)state;
	errf(-EIO, "inner");
	errf(-EIO, "outer: %s", err_text());
	assert_string_equal(err_text(), "outer: inner");
}

static void hostile_names_cannot_steer_the_terminal(void **state)
{
	(void)state;
	errf(-EINVAL, "bad '%s'",
	     "a\n\x1b[2J\x7f\xc2\x9b"
	     "31m\xc3\xa9");
	assert_string_equal(err_text(), "bad 'a??[2J???31m\xc3\xa9'");
	err_prefix(-EINVAL, "in '%s'", "\r");
	assert_null(strchr(err_text(), '\r'));
}

static void long_sentences_are_cut(void **state)
{
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	errf(-EINVAL, "%s", text);
	assert_int_equal(strlen(err_text()), 1023);
	err_prefix(-EINVAL, "before");
	assert_int_equal(strlen(err_text()), 1023);
	assert_memory_equal(err_text(), "before: xxx", 11);
	err_prefix(-EINVAL, "%s", text);
	assert_int_equal(strlen(err_text()), 1023);
}

static void *fail_elsewhere(void *arg)
{
	errf(-EIO, "another thread");
	return arg;
}

static void threads_have_their_own_sentences(void **state)
{
	pthread_t thread;

	(void)state;
	errf(-EIO, "this thread");
	assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_string_equal(err_text(), "this thread");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_error_is_passed_on_and_its_sentence_kept),
		cmocka_unit_test(a_prefix_stands_before_the_last_sentence),
		cmocka_unit_test(a_sentence_may_quote_the_one_before),
		cmocka_unit_test(hostile_names_cannot_steer_the_terminal),
		cmocka_unit_test(long_sentences_are_cut),
		cmocka_unit_test(threads_have_their_own_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
