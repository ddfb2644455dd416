/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "tests/native/random.h"
#include "user/collect/layout.h"

#define ADDRESSES 64

static struct layout layout;

static int tear_down(void **state)
{
	(void)state;
	layout_release(&layout);
	return 0;
}

static void add(uint64_t start, uint64_t end, uint32_t mapping)
{
	assert_int_equal(layout_add(&layout, start, end, 7, mapping), 0);
}

static void assert_part(size_t i, uint64_t start, uint64_t end, uint32_t mapping)
{
	assert_true(i < layout.n);
	assert_int_equal(layout.parts[i].start, start);
	assert_int_equal(layout.parts[i].end, end);
	assert_int_equal(layout.parts[i].image, 7);
	assert_int_equal(layout.parts[i].mapping, mapping);
}

static void parts_are_in_the_order_of_addresses(void **state)
{
	(void)state;
	add(30, 40, 1);
	add(10, 20, 2);
	add(22, 25, 3);
	assert_int_equal(layout.n, 3);
	assert_part(0, 10, 20, 2);
	assert_part(1, 22, 25, 3);
	assert_part(2, 30, 40, 1);
}

static void a_mapping_within_another_splits_it(void **state)
{
	(void)state;
	add(10, 40, 1);
	add(20, 30, 2);
	assert_int_equal(layout.n, 3);
	assert_part(0, 10, 20, 1);
	assert_part(1, 20, 30, 2);
	assert_part(2, 30, 40, 1);
}

static void a_mapping_over_others_takes_their_place(void **state)
{
	(void)state;
	add(10, 20, 1);
	add(20, 30, 2);
	add(35, 40, 3);
	add(15, 37, 4);
	assert_int_equal(layout.n, 3);
	assert_part(0, 10, 15, 1);
	assert_part(1, 15, 37, 4);
	assert_part(2, 37, 40, 3);
	add(0, 100, 5);
	assert_int_equal(layout.n, 1);
	assert_part(0, 0, 100, 5);
	add(0, 100, 6);
	assert_int_equal(layout.n, 1);
	assert_part(0, 0, 100, 6);
}

static void mappings_that_touch_leave_each_other_whole(void **state)
{
	(void)state;
	add(20, 30, 1);
	add(10, 20, 2);
	add(30, 40, 3);
	assert_int_equal(layout.n, 3);
	assert_part(0, 10, 20, 2);
	assert_part(1, 20, 30, 1);
	assert_part(2, 30, 40, 3);
}

static void empty_ranges_change_nothing(void **state)
{
	(void)state;
	add(20, 20, 1);
	add(30, 10, 2);
	assert_int_equal(layout.n, 0);
	add(10, 40, 3);
	add(20, 20, 1);
	add(30, 20, 2);
	assert_int_equal(layout.n, 1);
	assert_part(0, 10, 40, 3);
}

static void the_whole_address_space_can_be_had(void **state)
{
	(void)state;
	add(0, UINT64_MAX, 1);
	add(UINT64_MAX - 1, UINT64_MAX, 2);
	add(0, 1, 3);
	assert_int_equal(layout.n, 3);
	assert_part(0, 0, 1, 3);
	assert_part(1, 1, UINT64_MAX - 1, 1);
	assert_part(2, UINT64_MAX - 1, UINT64_MAX, 2);
}

static void a_cleared_layout_is_empty(void **state)
{
	(void)state;
	add(10, 20, 1);
	layout_clear(&layout);
	assert_int_equal(layout.n, 0);
	add(12, 15, 2);
	assert_int_equal(layout.n, 1);
	assert_part(0, 12, 15, 2);
}

/* Address by address; 0 where there is nothing. */
static void assert_is(const uint32_t *want)
{
	uint32_t have[ADDRESSES] = { 0 };
	uint64_t last = 0, at;
	size_t i;

	for (i = 0; i < layout.n; i++) {
		const struct layout_part *p = &layout.parts[i];

		assert_true(p->start >= last);
		assert_true(p->start < p->end && p->end <= ADDRESSES);
		for (at = p->start; at < p->end; at++)
			have[at] = p->mapping;
		last = p->end;
	}
	assert_memory_equal(have, want, sizeof(have));
}

static void random_layouts_are_what_was_written_last(void **state)
{
	uint32_t round, n, at, want[ADDRESSES];

	(void)state;
	for (round = 0; round < 2000; round++) {
		layout_clear(&layout);
		memset(want, 0, sizeof(want));
		for (n = 1; n <= 1 + round % 40; n++) {
			uint32_t start = random_below(ADDRESSES), end;

			end = start + random_below(1 + (ADDRESSES - start) / (1 + n % 5));
			add(start, end, n);
			for (at = start; at < end; at++)
				want[at] = n;
			assert_is(want);
		}
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(parts_are_in_the_order_of_addresses),
		TEST(a_mapping_within_another_splits_it),
		TEST(a_mapping_over_others_takes_their_place),
		TEST(mappings_that_touch_leave_each_other_whole),
		TEST(empty_ranges_change_nothing),
		TEST(the_whole_address_space_can_be_had),
		TEST(a_cleared_layout_is_empty),
		TEST(random_layouts_are_what_was_written_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
