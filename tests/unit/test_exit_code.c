/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "user/base/exit_code.h"

static void what_another_argument_mends_is_usage(void **state)
{
	(void)state;
	assert_int_equal(exit_code_of(-EINVAL), EXIT_USAGE);
	assert_int_equal(exit_code_of(-ENOENT), EXIT_USAGE);
	assert_int_equal(exit_code_of(-EISDIR), EXIT_USAGE);
	assert_int_equal(exit_code_of(-EFBIG), EXIT_USAGE);
}

static void all_else_is_the_environment_but_too_much_cost(void **state)
{
	(void)state;
	assert_int_equal(exit_code_of(-ENOMEM), EXIT_ENVIRONMENT);
	assert_int_equal(exit_code_of(-EACCES), EXIT_ENVIRONMENT);
	assert_int_equal(exit_code_of(-EIO), EXIT_ENVIRONMENT);
	assert_int_equal(exit_code_of(-ECANCELED), EXIT_DATA_QUALITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_another_argument_mends_is_usage),
		cmocka_unit_test(all_else_is_the_environment_but_too_much_cost),
	};

	return cmocka_run_group_tests_name("exit_code", tests, NULL, NULL);
}
