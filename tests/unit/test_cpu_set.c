/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/collect/perf.h"

static void lists_and_ranges_are_read(void **state)
{
	struct cpu_set set;

	(void)state;
	assert_int_equal(cpu_set_parse("0-3,7", "--cpus", &set), 0);
	assert_int_equal(set.n, 5);
	assert_true(cpu_set_has(&set, 0));
	assert_true(cpu_set_has(&set, 3));
	assert_false(cpu_set_has(&set, 4));
	assert_false(cpu_set_has(&set, 6));
	assert_true(cpu_set_has(&set, 7));
	assert_false(cpu_set_has(&set, 8));
	assert_int_equal(cpu_set_parse("5", "--cpus", &set), 0);
	assert_int_equal(set.n, 1);
	assert_false(cpu_set_has(&set, 0));
}

static void a_cpu_named_twice_counts_once(void **state)
{
	struct cpu_set set;

	(void)state;
	assert_int_equal(cpu_set_parse("1,1,0-2,2-2", "--cpus", &set), 0);
	assert_int_equal(set.n, 3);
}

static void the_last_possible_cpu_is_in_and_the_next_is_not(void **state)
{
	struct cpu_set set;

	(void)state;
	assert_int_equal(cpu_set_parse("0-8191", "--cpus", &set), 0);
	assert_int_equal(set.n, PERF_MAX_CPUS);
	assert_true(cpu_set_has(&set, PERF_MAX_CPUS - 1));
	assert_false(cpu_set_has(&set, PERF_MAX_CPUS));
	assert_false(cpu_set_has(&set, UINT32_MAX));
	assert_int_equal(cpu_set_parse("8192", "--cpus", &set), -EINVAL);
	memset(&set, 0, sizeof(set));
	cpu_set_add(&set, PERF_MAX_CPUS);
	cpu_set_add(&set, UINT32_MAX);
	assert_int_equal(set.n, 0);
}

static void what_is_no_list_is_refused(void **state)
{
	static const char *const bad[] = {
		"",	 ",",	 "0,",
		",0",	 "-1",	 "0-",
		"3-1",	 "a",	 "0x1",
		"1 2",	 "0--2", " 0",
		"0-1-2", "0,,1", "99999999999999999999999",
		"0\n",	 "+1",	 "1-99999999999999999999999",
	};
	struct cpu_set set, before;
	size_t i;

	(void)state;
	memset(&set, 0x5a, sizeof(set));
	before = set;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (cpu_set_parse(bad[i], "--cpus", &set) != -EINVAL)
			fail_msg("'%s' was taken for a list", bad[i]);
		assert_non_null(strstr(err_text(), "--cpus"));
		assert_memory_equal(&set, &before, sizeof(set));
	}
}

static void the_cpus_online_are_those_that_the_c_library_counts(void **state)
{
	struct cpu_set set;

	(void)state;
	assert_int_equal(cpu_set_online(&set), 0);
	assert_int_equal(set.n, sysconf(_SC_NPROCESSORS_ONLN));
}

static void events_have_the_names_that_perf_uses(void **state)
{
	(void)state;
	assert_string_equal(sample_event_name(SAMPLE_CYCLES), "cycles");
	assert_string_equal(sample_event_name(SAMPLE_CPU_CLOCK), "cpu-clock");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_and_ranges_are_read),
		cmocka_unit_test(a_cpu_named_twice_counts_once),
		cmocka_unit_test(the_last_possible_cpu_is_in_and_the_next_is_not),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(the_cpus_online_are_those_that_the_c_library_counts),
		cmocka_unit_test(events_have_the_names_that_perf_uses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
