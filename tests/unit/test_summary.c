/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "user/model/summary.h"

static void this_host_is_described(void **state)
{
	struct run_summary s = { 0 };
	struct utsname names;

	(void)state;
	assert_int_equal(uname(&names), 0);
	assert_int_equal(host_info_read(&s.host), 0);
	assert_string_equal(s.host.kernel, names.release);
	assert_string_equal(s.host.architecture, names.machine);
	assert_string_equal(s.host.fathom_version, FATHOM_VERSION);
	assert_int_equal(s.host.cpus_online, sysconf(_SC_NPROCESSORS_ONLN));
	assert_true(s.host.memory_bytes > 16 << 20);
	assert_non_null(s.host.virtualization);
	assert_true(*s.host.virtualization);
	/* x86-64 and arm64 both tell their model, in their own ways. */
	assert_non_null(s.host.cpu_model);
	assert_null(strchr(s.host.cpu_model, '\n'));
	assert_null(strchr(s.host.cpu_model, ':'));
	run_summary_release(&s);
}

static void releasing_takes_all_that_is_owned(void **state)
{
	struct run_summary s = { .n_collectors = 2 };

	(void)state;
	s.command = calloc(3, sizeof(*s.command));
	s.command[0] = strdup("make");
	s.command[1] = strdup("-j2");
	s.target = strdup("whole machine");
	s.collectors[1].event = strdup("cycles");
	run_summary_release(&s); /* LeakSanitizer sees what is left */
	assert_null(s.command);
	assert_null(s.target);
	assert_int_equal(s.n_collectors, 0);
	run_summary_release(&s);
}

static void every_end_of_a_stack_has_a_name(void **state)
{
	int i, k;

	(void)state;
	for (i = 0; i < STACK_ENDS; i++) {
		assert_non_null(stack_end_names[i]);
		for (k = 0; k < i; k++)
			assert_string_not_equal(stack_end_names[i], stack_end_names[k]);
	}
	assert_string_equal(stack_end_names[STACK_END_ROOT], "root_reached");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_host_is_described),
		cmocka_unit_test(releasing_takes_all_that_is_owned),
		cmocka_unit_test(every_end_of_a_stack_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
