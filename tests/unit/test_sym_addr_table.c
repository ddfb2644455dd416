/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/sym/addr_table.h"

#define NOBODY UINT32_MAX

static uint32_t who(const struct addr_table *table, uint64_t address)
{
	uint32_t value;
	uint64_t offset;

	return addr_table_find(table, address, &value, &offset) ? value : NOBODY;
}

static void an_empty_table_has_nothing(void **state)
{
	struct addr_table table = { 0 };

	(void)state;
	assert_int_equal(addr_table_init(&table, NULL, 0), 0);
	assert_int_equal(who(&table, 0), NOBODY);
	assert_int_equal(who(&table, UINT64_MAX), NOBODY);
	addr_table_release(&table);
}

static void ranges_end_where_they_end(void **state)
{
	struct addr_range ranges[] = { { 0x100, 0x110, 0, 7 }, { 0x120, 0x130, 1, 8 } };
	struct addr_table table;

	(void)state;
	assert_int_equal(addr_table_init(&table, ranges, ARRAY_SIZE(ranges)), 0);
	assert_int_equal(who(&table, 0xff), NOBODY);
	assert_int_equal(who(&table, 0x100), 7);
	assert_int_equal(who(&table, 0x10f), 7);
	assert_int_equal(who(&table, 0x110), NOBODY);
	assert_int_equal(who(&table, 0x11f), NOBODY);
	assert_int_equal(who(&table, 0x12f), 8);
	assert_int_equal(who(&table, 0x130), NOBODY);
	addr_table_release(&table);
}

static void an_inner_range_leaves_both_sides_of_the_outer_one(void **state)
{
	struct addr_range ranges[] = { { 0x120, 0x130, 1, 8 }, { 0x100, 0x200, 0, 7 } };
	struct addr_table table;
	uint64_t offset;
	uint32_t value;

	(void)state;
	assert_int_equal(addr_table_init(&table, ranges, ARRAY_SIZE(ranges)), 0);
	assert_int_equal(who(&table, 0x11f), 7);
	assert_int_equal(who(&table, 0x120), 8);
	assert_true(addr_table_find(&table, 0x140, &value, &offset));
	assert_int_equal(value, 7);
	assert_int_equal(offset, 0x40); /* from the outer one's start */
	addr_table_release(&table);
}

static void a_range_that_loses_does_not_cut(void **state)
{
	struct addr_range ranges[] = { { 0x100, 0x200, 5, 7 }, { 0x120, 0x130, 1, 8 } };
	struct addr_table table;

	(void)state;
	assert_int_equal(addr_table_init(&table, ranges, ARRAY_SIZE(ranges)), 0);
	assert_int_equal(who(&table, 0x120), 7);
	assert_int_equal(table.n, 1);
	addr_table_release(&table);
}

static void impossible_ranges_do_no_harm(void **state)
{
	struct addr_range ranges[] = {
		{ 0x100, 0x100, 0, 1 },
		{ 0x200, 0x100, 1, 2 },
		{ 0, UINT64_MAX, 2, 3 },
		{ UINT64_MAX - 1, UINT64_MAX, 3, 4 },
	};
	struct addr_table table;

	(void)state;
	assert_int_equal(addr_table_init(&table, ranges, ARRAY_SIZE(ranges)), 0);
	assert_int_equal(who(&table, 0x100), 3);
	assert_int_equal(who(&table, UINT32_MAX - 1), 3);
	assert_int_equal(who(&table, UINT32_MAX), NOBODY); /* cut at 4 GiB */
	assert_int_equal(who(&table, UINT64_MAX - 1), 4);
	addr_table_release(&table);
}

static uint32_t slow_who(const struct addr_range *ranges, size_t n, uint64_t address,
			 uint64_t *ret_offset)
{
	const struct addr_range *best = NULL;
	size_t i;

	for (i = 0; i < n; i++) {
		if (address >= ranges[i].start && address < ranges[i].end &&
		    (!best || ranges[i].order > best->order))
			best = &ranges[i];
	}
	*ret_offset = best ? address - best->start : 0;
	return best ? best->value : NOBODY;
}

static void any_ranges_are_found_as_a_slow_search_finds_them(void **state)
{
	struct addr_range ranges[300], copy[300];
	size_t round, i;

	(void)state;
	srandom(1);
	for (round = 0; round < 100; round++) {
		size_t n = random() % ARRAY_SIZE(ranges);
		struct addr_table table;

		for (i = 0; i < n; i++) {
			uint64_t start = random() % 2000;

			ranges[i] =
				(struct addr_range){ start, start + random() % 60, i, 1000 + i };
		}
		memcpy(copy, ranges, sizeof(copy));
		assert_int_equal(addr_table_init(&table, ranges, n), 0);
		for (i = 0; i < 2100; i++) {
			uint64_t want_offset, offset = 0;
			uint32_t want = slow_who(copy, n, i, &want_offset), got = NOBODY;

			addr_table_find(&table, i, &got, &offset);
			assert_int_equal(got, want);
			assert_int_equal(offset, want_offset);
		}
		addr_table_release(&table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_table_has_nothing),
		cmocka_unit_test(ranges_end_where_they_end),
		cmocka_unit_test(an_inner_range_leaves_both_sides_of_the_outer_one),
		cmocka_unit_test(a_range_that_loses_does_not_cut),
		cmocka_unit_test(impossible_ranges_do_no_harm),
		cmocka_unit_test(any_ranges_are_found_as_a_slow_search_finds_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
