/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/model/ledger.h"

static void a_ledger_is_closed_when_its_causes_explain_the_difference(void **state)
{
	struct ledger ledger = { .fired = 100, .kept = 60 };

	(void)state;
	assert_false(ledger_is_closed(&ledger));
	ledger_add(&ledger, "filtered_idle", 30);
	assert_false(ledger_is_closed(&ledger));
	ledger_add(&ledger, "stack_table_full", 10);
	assert_true(ledger_is_closed(&ledger));
	ledger_add(&ledger, "stack_table_full", 1);
	assert_false(ledger_is_closed(&ledger));
}

static void filters_are_told_from_losses_by_name(void **state)
{
	struct ledger ledger = { .fired = 100, .kept = 60 };

	(void)state;
	ledger_add(&ledger, "filtered_idle", 20);
	ledger_add(&ledger, "filtered_self", 10);
	ledger_add(&ledger, "throttled", 7);
	ledger_add(&ledger, "unfiltered_", 3);
	assert_int_equal(ledger_filtered(&ledger), 30);
	assert_int_equal(ledger_lost(&ledger), 10);
	assert_true(ledger_is_closed(&ledger));
	assert_true(ledger_loss_share(&ledger) == 10.0 / 70);
}

static void causes_stand_once_in_the_order_of_their_first_mention(void **state)
{
	struct ledger ledger = { 0 };

	(void)state;
	ledger_add(&ledger, "b", 0);
	ledger_add(&ledger, "a", 5);
	ledger_add(&ledger, "b", 2);
	assert_int_equal(ledger.n_causes, 2);
	assert_string_equal(ledger.causes[0].name, "b");
	assert_int_equal(ledger.causes[0].n, 2);
	assert_int_equal(ledger.causes[1].n, 5);
}

static void nothing_wanted_is_nothing_lost(void **state)
{
	struct ledger ledger = { 0 };

	(void)state;
	assert_true(ledger_is_closed(&ledger));
	assert_true(ledger_loss_share(&ledger) == 0);
	ledger.fired = 5;
	ledger_add(&ledger, "filtered_target", 5);
	assert_true(ledger_loss_share(&ledger) == 0);
}

static void a_ledger_that_does_not_close_has_no_share_beyond_one(void **state)
{
	struct ledger ledger = { .fired = 1 };

	(void)state;
	ledger_add(&ledger, "filtered_target", 5);
	assert_true(ledger_loss_share(&ledger) == 0);
	ledger_add(&ledger, "throttled", 5);
	assert_true(ledger_loss_share(&ledger) == 1);
	ledger.fired = 7; /* two wanted, five lost */
	assert_true(ledger_loss_share(&ledger) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ledger_is_closed_when_its_causes_explain_the_difference),
		cmocka_unit_test(filters_are_told_from_losses_by_name),
		cmocka_unit_test(causes_stand_once_in_the_order_of_their_first_mention),
		cmocka_unit_test(nothing_wanted_is_nothing_lost),
		cmocka_unit_test(a_ledger_that_does_not_close_has_no_share_beyond_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
