/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static bool trusts(uid_t uid, mode_t mode)
{
	struct stat st = { .st_uid = uid, .st_mode = S_IFREG | mode };

	return owner_is_trusted(&st);
}

static void only_root_and_ourselves_are_trusted(void **state)
{
	(void)state;
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	assert_true(trusts(0, 0644));
	assert_true(trusts(geteuid(), 0664));
	assert_false(trusts(geteuid() + 1000, 0644));
	assert_false(trusts(geteuid(), 0646));
	assert_false(trusts(0, 0666));
}

/* Whoever is not root has not been called by sudo, whatever the environment says. */
static void who_called_us_by_sudo_is_trusted_by_root(void **state)
{
	(void)state;
	setenv("SUDO_UID", "54321", 1);
	setenv("SUDO_GID", "54321", 1);
	assert_int_equal(trusts(54321, 0644), geteuid() == 0);
	assert_false(trusts(54322, 0644));
	setenv("SUDO_UID", "-1", 1);
	assert_false(trusts((uid_t)-1, 0644));
	setenv("SUDO_UID", "x", 1);
	assert_false(trusts(54321, 0644));
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_root_and_ourselves_are_trusted),
		cmocka_unit_test(who_called_us_by_sudo_is_trusted_by_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
