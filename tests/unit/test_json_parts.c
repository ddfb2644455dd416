/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/json_at.h"

#include <math.h>

#include "user/base/array.h"

static void assert_number(double v, const char *expected)
{
	_cleanup_(decrefp) json_t *o = json_part_number(v);
	_cleanup_(freep) char *text = json_dumps(o, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));

	assert_string_equal(text, expected);
}

static void whole_numbers_are_integers_and_what_is_none_is_null(void **state)
{
	(void)state;
	assert_number(0, "0");
	assert_number(-3, "-3");
	assert_number(0x1p53, "9007199254740992");
	assert_number(0.5, "0.5");
	assert_number(-0.0, "-0.0");
	assert_number(1e300, "1.0000000000000001e300");
	assert_number(NAN, "null");
	assert_number(INFINITY, "null");
	assert_number(-INFINITY, "null");
}

static void times_are_read_as_they_are_written(void **state)
{
	static const uint64_t some[] = { 0, 1, 999999999, 1700000000123456789,
					 16725225599999999999ull };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(some); i++) {
		_cleanup_(decrefp) json_t *o = json_part_time(some[i]);

		assert_int_equal(json_time_ns(o), some[i]);
	}
}

static void what_is_no_time_is_not_known(void **state)
{
	static const char *const bad[] = {
		"",
		"2023-11-14T22:13:20Z",
		"2023-11-14T22:13:20.123456789",
		"2023-11-14T22:13:20.12345678xZ",
		"2023-11-14 22:13:20.123456789Z",
		"2023-11-14T22:13:20.123456789Zx",
		"1969-12-31T23:59:59.000000000Z",
		"9999-11-14T22:13:20.123456789Z",
	};
	_cleanup_(decrefp) json_t *number = json_integer(7);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(decrefp) json_t *o = json_string(bad[i]);

		assert_int_equal(json_time_ns(o), 0);
	}
	assert_int_equal(json_time_ns(number), 0);
	assert_int_equal(json_time_ns(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers_are_integers_and_what_is_none_is_null),
		cmocka_unit_test(times_are_read_as_they_are_written),
		cmocka_unit_test(what_is_no_time_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
