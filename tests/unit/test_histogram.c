/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "user/model/histogram.h"

static void slots_follow_each_other_without_a_gap(void **state)
{
	uint32_t slot;

	(void)state;
	assert_int_equal(ft_hist_lower_ns(0), 0);
	for (slot = 0; slot < FT_HIST_SLOTS; slot++) {
		assert_int_equal(ft_hist_slot(ft_hist_lower_ns(slot)), slot);
		assert_int_equal(ft_hist_slot(ft_hist_upper_ns(slot) - 1), slot);
		assert_true(ft_hist_upper_ns(slot) > ft_hist_lower_ns(slot));
	}
	assert_int_equal(ft_hist_lower_ns(FT_HIST_SLOTS), 1ull << 37);
}

static void a_slot_is_no_wider_than_a_32nd_of_its_duration(void **state)
{
	uint32_t slot;

	(void)state;
	for (slot = 0; slot < FT_HIST_SLOTS; slot++) {
		uint64_t lower = ft_hist_lower_ns(slot), width = ft_hist_upper_ns(slot) - lower;

		assert_true(slot < 64 ? width == 1 : width * 32 <= lower);
	}
}

static void the_last_slot_takes_all_that_is_longer(void **state)
{
	(void)state;
	assert_int_equal(ft_hist_slot((1ull << 37) - 1), FT_HIST_SLOTS - 1);
	assert_int_equal(ft_hist_slot(1ull << 37), FT_HIST_SLOTS - 1);
	assert_int_equal(ft_hist_slot(UINT64_MAX), FT_HIST_SLOTS - 1);
	assert_int_equal(ft_hist_slot((1ull << 36) - 1), FT_HIST_SLOTS - 33);
}

static void counts_sum_and_maximum_are_exact(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	assert_int_equal(histogram_add_ns(&h, 1000003), 0);
	assert_int_equal(histogram_add_ns(&h, 5), 0);
	assert_int_equal(histogram_add(&h, 7, 3), 0);
	histogram_add_sum(&h, 21, 7);
	assert_int_equal(h.n, 5);
	assert_int_equal(h.sum_ns, 1000029);
	assert_int_equal(h.max_ns, 1000003);
	assert_int_equal(histogram_count(&h, 5), 1);
	assert_int_equal(histogram_count(&h, 6), 0);
	assert_int_equal(histogram_count(&h, 7), 3);
	assert_int_equal(histogram_count(&h, ft_hist_slot(1000003)), 1);
	assert_int_equal(histogram_count(&h, 4), 0);
	assert_int_equal(histogram_count(&h, FT_HIST_SLOTS - 1), 0);
	assert_int_equal(histogram_count(&h, UINT32_MAX), 0);
	assert_int_equal(histogram_mean_ns(&h), 200006); /* 200005.8 */
	histogram_release(&h);
	assert_int_equal(histogram_mean_ns(&h), 0);
}

static void a_slot_out_of_range_is_the_last(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	assert_int_equal(histogram_add(&h, UINT32_MAX, 2), 0);
	assert_int_equal(histogram_add(&h, 3, 0), 0); /* none: not even room */
	assert_int_equal(histogram_count(&h, FT_HIST_SLOTS - 1), 2);
	assert_int_equal(h.width, 1);
	histogram_release(&h);
}

static void nothing_wraps_around(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	assert_int_equal(histogram_add(&h, 3, UINT64_MAX), 0);
	assert_int_equal(histogram_add(&h, 4, UINT64_MAX), 0);
	histogram_add_sum(&h, UINT64_MAX, 4);
	histogram_add_sum(&h, UINT64_MAX, 4);
	assert_true(h.n == UINT64_MAX && h.sum_ns == UINT64_MAX);
	assert_int_equal(histogram_quantile_ns(&h, 500), 3);
	histogram_release(&h);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* xorshift64: the same numbers on every host. */
static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

#define N 20000

static void quantiles_are_within_their_error_of_the_exact_ones(void **state)
{
	static const unsigned int permilles[] = { 1, 10, 250, 500, 900, 950, 990, 999, 1000 };
	static uint64_t values[N];
	uint64_t x = 88172645463325252ull;
	unsigned int round, i;

	(void)state;
	for (round = 0; round < 20; round++) {
		struct histogram h = { 0 };

		for (i = 0; i < N; i++) {
			/* Spread over octaves, as latencies are. */
			values[i] = next(&x) >> (28 + next(&x) % (12 + round));
			assert_int_equal(histogram_add_ns(&h, values[i]), 0);
		}
		qsort(values, N, sizeof(values[0]), by_value);
		assert_int_equal(h.max_ns, values[N - 1]);
		for (i = 0; i < sizeof(permilles) / sizeof(permilles[0]); i++) {
			uint64_t exact = values[(N * permilles[i] + 999) / 1000 - 1];
			uint64_t got = histogram_quantile_ns(&h, permilles[i]);
			uint64_t off = got > exact ? got - exact : exact - got;

			assert_true(off * 32 <= exact);
			assert_true(got <= h.max_ns);
			if (exact < 64)
				assert_int_equal(got, exact);
		}
		histogram_release(&h);
	}
}

static void quantiles_are_of_nearest_rank(void **state)
{
	struct histogram h = { 0 };
	uint64_t ns;

	(void)state;
	assert_int_equal(histogram_quantile_ns(&h, 500), 0);
	for (ns = 1; ns <= 20; ns++)
		assert_int_equal(histogram_add_ns(&h, ns), 0);
	assert_int_equal(histogram_quantile_ns(&h, 0), 1);
	assert_int_equal(histogram_quantile_ns(&h, 500), 10);
	assert_int_equal(histogram_quantile_ns(&h, 501), 11);
	assert_int_equal(histogram_quantile_ns(&h, 950), 19);
	assert_int_equal(histogram_quantile_ns(&h, 999), 20);
	histogram_release(&h);
}

static void observations_are_spread_evenly_in_their_slot(void **state)
{
	uint32_t slot = ft_hist_slot(1 << 20);
	struct histogram h = { 0 };

	(void)state;
	assert_int_equal(histogram_add(&h, slot, 4), 0);
	histogram_add_sum(&h, 0, ft_hist_upper_ns(slot) - 1);
	assert_int_equal(histogram_quantile_ns(&h, 250), (1 << 20) + 4096); /* slots of 32,768 */
	assert_int_equal(histogram_quantile_ns(&h, 1000), (1 << 20) + 32767);
	h.max_ns = (1 << 20) + 10;
	assert_int_equal(histogram_quantile_ns(&h, 990), (1 << 20) + 10); /* never above */
	h.max_ns = 0;
	assert_int_equal(histogram_quantile_ns(&h, 1000), (1 << 20) + 28672); /* not known */
	histogram_release(&h);
}

static void beyond_the_last_slot_it_ends_at_the_maximum(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	assert_int_equal(histogram_add_ns(&h, 1ull << 50), 0);
	assert_true(histogram_quantile_ns(&h, 500) > 1ull << 37);
	assert_true(histogram_quantile_ns(&h, 500) < 1ull << 50);
	assert_true(histogram_quantile_ns(&h, 1000) == 1ull << 50);
	histogram_release(&h);
}

static void a_merged_histogram_is_that_of_all(void **state)
{
	struct histogram a = { 0 }, b = { 0 }, all = { 0 };
	uint64_t x = 42, ns;
	uint32_t slot;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		ns = next(&x) >> (24 + next(&x) % 32);
		assert_int_equal(histogram_add_ns(i % 3 ? &a : &b, ns), 0);
		assert_int_equal(histogram_add_ns(&all, ns), 0);
	}
	assert_int_equal(histogram_merge(&a, &b), 0);
	assert_int_equal(a.n, all.n);
	assert_true(a.sum_ns == all.sum_ns);
	assert_true(a.max_ns == all.max_ns);
	for (slot = 0; slot < FT_HIST_SLOTS; slot++)
		assert_int_equal(histogram_count(&a, slot), histogram_count(&all, slot));
	histogram_release(&b);
	assert_int_equal(histogram_merge(&a, &b), 0); /* of nothing */
	assert_int_equal(a.n, all.n);
	assert_int_equal(histogram_merge(&b, &a), 0); /* into nothing */
	assert_int_equal(histogram_quantile_ns(&b, 990), histogram_quantile_ns(&all, 990));
	histogram_release(&a);
	histogram_release(&b);
	histogram_release(&all);
}

static void a_quantile_needs_an_observation_beyond_it(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	assert_false(histogram_has_quantile(&h, 500));
	assert_false(histogram_has_quantile(&h, 1000));
	assert_int_equal(histogram_add(&h, 9, 1), 0);
	assert_false(histogram_has_quantile(&h, 500));
	assert_true(histogram_has_quantile(&h, 1000));
	assert_int_equal(histogram_add(&h, 9, 1), 0);
	assert_true(histogram_has_quantile(&h, 500));
	assert_int_equal(histogram_add(&h, 9, 97), 0);
	assert_false(histogram_has_quantile(&h, 990)); /* 99 */
	assert_int_equal(histogram_add(&h, 9, 1), 0);
	assert_true(histogram_has_quantile(&h, 990));
	assert_false(histogram_has_quantile(&h, 999));
	assert_int_equal(histogram_add(&h, 9, 900), 0);
	assert_true(histogram_has_quantile(&h, 999));
	histogram_release(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_follow_each_other_without_a_gap),
		cmocka_unit_test(a_slot_is_no_wider_than_a_32nd_of_its_duration),
		cmocka_unit_test(the_last_slot_takes_all_that_is_longer),
		cmocka_unit_test(counts_sum_and_maximum_are_exact),
		cmocka_unit_test(a_slot_out_of_range_is_the_last),
		cmocka_unit_test(nothing_wraps_around),
		cmocka_unit_test(quantiles_are_within_their_error_of_the_exact_ones),
		cmocka_unit_test(quantiles_are_of_nearest_rank),
		cmocka_unit_test(observations_are_spread_evenly_in_their_slot),
		cmocka_unit_test(beyond_the_last_slot_it_ends_at_the_maximum),
		cmocka_unit_test(a_merged_histogram_is_that_of_all),
		cmocka_unit_test(a_quantile_needs_an_observation_beyond_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
