/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "user/unwind/rules.h"

static struct ft_unwind_rule storage[FT_UNWIND_MAX_RULES];

static struct unwind_rules *new_rules(uint32_t max)
{
	struct unwind_rules *rules = NULL;

	assert_int_equal(unwind_rules_new(storage, max, &rules), 0);
	return rules;
}

static struct ft_unwind_rule rule(int offset)
{
	return (struct ft_unwind_rule){ .cfa = FT_CFA_REG, .cfa_reg = 7, .cfa_offset = offset };
}

static uint16_t add(struct unwind_rules *rules, int offset)
{
	struct ft_unwind_rule r = rule(offset);
	uint16_t number = 0;

	assert_int_equal(unwind_rules_add(rules, &r, &number), 0);
	return number;
}

static void two_rules_have_fixed_numbers(void **state)
{
	struct unwind_rules *rules = new_rules(8);

	(void)state;
	assert_int_equal(unwind_rules_count(rules), 2);
	assert_int_equal(storage[FT_RULE_NO_CFI].cfa, FT_CFA_NONE);
	assert_int_equal(storage[FT_RULE_ROOT].ra, FT_SAVED_UNDEFINED);
	assert_int_not_equal(storage[FT_RULE_ROOT].cfa, FT_CFA_NONE);
	unwind_rules_free(rules);
}

static void a_rule_is_kept_once(void **state)
{
	struct unwind_rules *rules = new_rules(8);
	struct ft_unwind_rule r = rule(16);
	uint16_t found = 0;

	(void)state;
	assert_false(unwind_rules_find(rules, &r, &found));
	assert_int_equal(add(rules, 16), 2);
	assert_int_equal(add(rules, 24), 3);
	assert_int_equal(add(rules, 16), 2);
	assert_int_equal(unwind_rules_count(rules), 4);
	assert_memory_equal(&storage[2], &r, sizeof(r));
	assert_true(unwind_rules_find(rules, &r, &found));
	assert_int_equal(found, 2);
	unwind_rules_free(rules);
}

static void numbers_stay_when_the_set_grows(void **state)
{
	struct unwind_rules *rules = new_rules(FT_UNWIND_MAX_RULES);
	struct ft_unwind_rule r = rule(-1);
	uint16_t number = 7;
	int i;

	(void)state;
	for (i = 0; i < FT_UNWIND_MAX_RULES - 2; i++)
		assert_int_equal(add(rules, i), i + 2);
	for (i = 0; i < FT_UNWIND_MAX_RULES - 2; i++)
		assert_int_equal(add(rules, i), i + 2);
	assert_int_equal(unwind_rules_add(rules, &r, &number), -ENOSPC);
	assert_int_equal(number, 7);
	assert_int_equal(unwind_rules_count(rules), FT_UNWIND_MAX_RULES);
	unwind_rules_free(rules);
}

static void storage_without_room_for_the_fixed_rules_is_refused(void **state)
{
	struct unwind_rules *rules = NULL;

	(void)state;
	assert_int_equal(unwind_rules_new(storage, 1, &rules), -ENOMEM);
	assert_null(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_rules_have_fixed_numbers),
		cmocka_unit_test(a_rule_is_kept_once),
		cmocka_unit_test(numbers_stay_when_the_set_grows),
		cmocka_unit_test(storage_without_room_for_the_fixed_rules_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
