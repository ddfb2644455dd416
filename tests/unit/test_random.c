/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "user/bench/statistics.h"

/* What the authors' program prints for the state 1, 2, 3, 4. */
static void the_published_sequence_comes(void **state)
{
	static const uint64_t published[] = {
		11520ull,
		0ull,
		1509978240ull,
		1215971899390074240ull,
		1216172134540287360ull,
		607988272756665600ull,
		16172922978634559625ull,
		8476171486693032832ull,
		10595114339597558777ull,
		2904607092377533576ull,
	};
	struct random r = { { 1, 2, 3, 4 } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(published) / sizeof(published[0]); i++)
		assert_true(random_u64(&r) == published[i]);
}

/* The first numbers of splitmix64 for the seed 1234567 become the state. */
static void the_seed_is_spread_by_splitmix64(void **state)
{
	static const uint64_t published[4] = {
		6457827717110365317ull,
		3203168211198807973ull,
		9817491932198370423ull,
		4593380528125082431ull,
	};
	struct random r;

	(void)state;
	random_init(&r, 1234567);
	assert_memory_equal(r.s, published, sizeof(published));
}

static void numbers_below_a_limit_are_all_as_frequent(void **state)
{
	unsigned int count[7] = { 0 }, i;
	struct random r;
	uint64_t n;

	(void)state;
	random_init(&r, 1);
	for (i = 0; i < 70000; i++) {
		n = random_below(&r, 7);
		assert_true(n < 7);
		count[n]++;
	}
	for (i = 0; i < 7; i++)
		assert_in_range(count[i], 9500, 10500); /* 5 standard deviations */
	assert_int_equal(random_below(&r, 1), 0);
}

/* With half as many results again as there are numbers, taking the rest would give the lower half
 * of them twice as often. */
static void a_large_limit_has_no_bias(void **state)
{
	const uint64_t limit = (1ull << 63) + (1ull << 62);
	unsigned int i, low = 0;
	struct random r;

	(void)state;
	random_init(&r, 2);
	for (i = 0; i < 30000; i++)
		low += random_below(&r, limit) < limit / 3;
	assert_in_range(low, 9600, 10400);
}

static void units_and_normals_have_their_moments(void **state)
{
	double sum = 0, sum_n = 0, squares = 0, x;
	struct random r;
	int i;

	(void)state;
	random_init(&r, 3);
	for (i = 0; i < 100000; i++) {
		x = random_unit(&r);
		assert_true(x >= 0 && x < 1);
		sum += x;
		x = random_normal(&r);
		assert_true(isfinite(x));
		sum_n += x;
		squares += x * x;
	}
	assert_true(fabs(sum / 100000 - 0.5) < 0.005);
	assert_true(fabs(sum_n / 100000) < 0.016);
	assert_true(fabs(squares / 100000 - 1) < 0.025);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_sequence_comes),
		cmocka_unit_test(the_seed_is_spread_by_splitmix64),
		cmocka_unit_test(numbers_below_a_limit_are_all_as_frequent),
		cmocka_unit_test(a_large_limit_has_no_bias),
		cmocka_unit_test(units_and_normals_have_their_moments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
