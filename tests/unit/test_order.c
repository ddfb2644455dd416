/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "user/bench/order.h"

static struct scenario_case list[6] = {
	{ .cell = (char *)"small", .variant = (char *)"a" },
	{ .cell = (char *)"small", .variant = (char *)"b" },
	{ .cell = (char *)"large", .variant = (char *)"a" },
	{ .cell = (char *)"large", .variant = (char *)"b" },
	{ .cell = (char *)"three", .variant = (char *)"a" },
};
static struct scenario_cases cases = { list, 4 };

/* "0123" for the cases in turn. */
static void order_of(unsigned int warmup, unsigned int repeat, uint64_t seed, char *ret)
{
	struct order_step *steps;
	size_t n, i;

	assert_int_equal(order_new(&cases, warmup, repeat, seed, &steps, &n), 0);
	assert_int_equal(n, (warmup + repeat) * cases.n);
	for (i = 0; i < n; i++) {
		ret[i] = '0' + steps[i].case_number;
		assert_int_equal(steps[i].number, i / cases.n);
		assert_int_equal(steps[i].is_warmup, i < warmup * cases.n);
		assert_int_equal(steps[i].cell, i % cases.n / 2);
		assert_int_equal(steps[i].starts_round, i % 2 == 0);
		assert_int_equal(steps[i].ends_round, i % 2 == 1);
	}
	ret[n] = '\0';
	free(steps);
}

static void warm_ups_come_first_in_the_order_of_the_cases(void **state)
{
	char order[64];

	(void)state;
	order_of(2, 2, 1, order);
	assert_true(!strncmp(order, "01230123", 8));
}

static void variants_go_forth_and_back(void **state)
{
	unsigned int swapped = 0, seed;
	char order[256];
	size_t i;

	(void)state;
	for (seed = 0; seed < 200; seed++) {
		order_of(0, 10, seed, order);
		for (i = 0; i < 40; i += 8) {
			assert_true(!strncmp(order + i, "01", 2) || !strncmp(order + i, "10", 2));
			assert_true(order[i] == order[i + 5] && order[i + 1] == order[i + 4]);
			assert_true(order[i + 2] == order[i + 7] && order[i + 3] == order[i + 6]);
			swapped += order[i] == '1';
		}
	}
	/* 1,000 coins: 6 standard deviations. */
	assert_in_range(swapped, 400, 600);
}

static void the_seed_says_all(void **state)
{
	char first[256], second[256];

	(void)state;
	order_of(1, 20, 42, first);
	order_of(1, 20, 42, second);
	assert_string_equal(first, second);
	order_of(1, 20, 43, second);
	assert_string_not_equal(first, second);
}

/* Three variants have six orders, and each round has all of them. */
static void more_variants_are_shuffled(void **state)
{
	unsigned int count[27] = { 0 }, orders = 0, i, k;
	struct order_step *steps;
	size_t n;

	(void)state;
	cases.n = 3;
	list[2].cell = list[0].cell;
	assert_int_equal(order_new(&cases, 0, 1200, 7, &steps, &n), 0);
	list[2].cell = (char *)"large";
	cases.n = 4;
	for (i = 0; i < n; i += 6) {
		count[steps[i].case_number * 9 + steps[i + 1].case_number * 3 +
		      steps[i + 2].case_number]++;
		for (k = 0; k < 3; k++)
			assert_int_equal(steps[i + k].case_number, steps[i + 5 - k].case_number);
		assert_true(steps[i].case_number != steps[i + 1].case_number);
		assert_true(steps[i].case_number + steps[i + 1].case_number +
				    steps[i + 2].case_number ==
			    3);
	}
	for (i = 0; i < 27; i++) {
		orders += count[i] > 0;
		assert_true(!count[i] || (count[i] > 60 && count[i] < 140));
	}
	assert_int_equal(orders, 6);
	free(steps);
}

static void a_case_alone_is_a_round(void **state)
{
	struct scenario_cases one = { list + 4, 1 };
	struct order_step *steps;
	size_t n;

	(void)state;
	assert_int_equal(order_new(&one, 0, 3, 7, &steps, &n), 0);
	assert_int_equal(n, 3);
	assert_true(steps[2].starts_round && steps[2].ends_round && steps[2].number == 2);
	free(steps);
	assert_int_equal(order_new(&one, 0, 0, 7, &steps, &n), 0);
	assert_int_equal(n, 0);
	free(steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(warm_ups_come_first_in_the_order_of_the_cases),
		cmocka_unit_test(variants_go_forth_and_back),
		cmocka_unit_test(the_seed_says_all),
		cmocka_unit_test(more_variants_are_shuffled),
		cmocka_unit_test(a_case_alone_is_a_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
