/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/base/strtab.h"

static void number_zero_is_the_empty_string(void **state)
{
	_cleanup_(strtab_release) struct strtab tab;
	uint32_t i;

	(void)state;
	assert_int_equal(strtab_init(&tab), 0);
	assert_string_equal(strtab_get(&tab, 0), "");
	assert_int_equal(strtab_find(&tab, ""), 0);
	assert_int_equal(strtab_add(&tab, "", &i), 0);
	assert_int_equal(i, 0);
	assert_int_equal(tab.n, 1);
}

static void each_string_is_kept_once_and_found_again(void **state)
{
	_cleanup_(strtab_release) struct strtab tab;
	char text[32];
	uint32_t i, number;
	int round;

	(void)state;
	assert_int_equal(strtab_init(&tab), 0);
	for (round = 0; round < 2; round++) {
		for (i = 1; i < 50000; i++) {
			snprintf(text, sizeof(text), "function_%u", i);
			assert_int_equal(strtab_add(&tab, text, &number), 0);
			assert_int_equal(number, i);
		}
	}
	assert_int_equal(tab.n, 50000);
	assert_string_equal(strtab_get(&tab, 1), "function_1");
	assert_string_equal(strtab_get(&tab, 49999), "function_49999");
	assert_int_equal(strtab_find(&tab, "function_123"), 123);
	assert_int_equal(strtab_find(&tab, "function_"), UINT32_MAX);
	assert_string_equal(strtab_get(&tab, 50000), "");
	assert_string_equal(strtab_get(&tab, UINT32_MAX), "");
}

static void a_prefix_is_another_string(void **state)
{
	_cleanup_(strtab_release) struct strtab tab;
	uint32_t whole, part, cut;

	(void)state;
	assert_int_equal(strtab_init(&tab), 0);
	assert_int_equal(strtab_add(&tab, "malloc_consolidate", &whole), 0);
	assert_int_equal(strtab_add_bytes(&tab, "malloc_consolidate", 6, &part), 0);
	assert_int_not_equal(whole, part);
	assert_string_equal(strtab_get(&tab, part), "malloc");
	assert_int_equal(strtab_add_bytes(&tab, "malloc\0rest", 11, &cut), 0);
	assert_int_equal(cut, part);
}

/* So many that some share a slot with a longer one that begins like them. */
static void all_prefixes_are_told_apart(void **state)
{
	_cleanup_(strtab_release) struct strtab tab;
	char text[1000];
	uint32_t number;
	size_t len;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(strtab_init(&tab), 0);
	for (len = sizeof(text); len; len--) {
		assert_int_equal(strtab_add_bytes(&tab, text, len, &number), 0);
		assert_int_equal(number, sizeof(text) - len + 1);
		assert_int_equal(strlen(strtab_get(&tab, number)), len);
	}
}

static void a_string_of_the_table_itself_can_be_added(void **state)
{
	_cleanup_(strtab_release) struct strtab tab;
	uint32_t first, again;

	(void)state;
	assert_int_equal(strtab_init(&tab), 0);
	assert_int_equal(strtab_add(&tab, "name", &first), 0);
	assert_int_equal(strtab_add(&tab, strtab_get(&tab, first), &again), 0);
	assert_int_equal(first, again);
}

static void an_unused_table_finds_nothing(void **state)
{
	struct strtab tab = { 0 };

	(void)state;
	assert_int_equal(strtab_find(&tab, ""), UINT32_MAX);
	assert_string_equal(strtab_get(&tab, 0), "");
	strtab_release(&tab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number_zero_is_the_empty_string),
		cmocka_unit_test(each_string_is_kept_once_and_found_again),
		cmocka_unit_test(a_prefix_is_another_string),
		cmocka_unit_test(all_prefixes_are_told_apart),
		cmocka_unit_test(a_string_of_the_table_itself_can_be_added),
		cmocka_unit_test(an_unused_table_finds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
