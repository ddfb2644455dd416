/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of memory are sampled by their bytes, without bias. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "tests/native/random.h"
#include "user/base/array.h"

static __u64 cfg_interval_bytes;

/* The loader sets cfg_* before the programs are loaded; here they are plain variables. */
#define const
#include "bpf/alloc_draw.bpf.h"
#undef const
#include "user/collect/alloc_weights.h"

static const uint64_t intervals[] = {
	2, 3, 100, 4096, 65536, 524288, 10000019, 1ull << 30, FT_ALLOC_MAX_INTERVAL_BYTES,
};

static __u32 random_word(void)
{
	return random_below(1u << 16) << 16 | random_below(1u << 16);
}

static void use_interval(uint64_t bytes)
{
	__u32 zero = 0;

	cfg_interval_bytes = bytes;
	alloc_weights_fill(bytes, (struct ft_alloc_draw *)&cfg_draw);
	*(__u64 *)bpf_map_lookup_elem(&countdowns, &zero) = 0;
}

static int set_up(void **state)
{
	(void)state;
	fake.random = random_word;
	FAKE_MAP(countdowns);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_maps_release();
	return 0;
}

static double p_of(double bytes)
{
	return -expm1(-bytes / (double)cfg_interval_bytes);
}

static double number_of(__u64 weight)
{
	return (double)weight / (double)FT_ALLOC_WEIGHT_ONE;
}

/* Relative to its size, or of a small one in parts of 1. */
static void logarithms_are_right_to_a_ten_thousandth(void **state)
{
	__u32 i;

	(void)state;
	use_interval(2);
	for (i = 0; i < 2000000; i++) {
		__u32 u = i < 70000 ? i + 1 : i < 140000 ? 0u - (i - 69999) : random_word() | 1;
		double want = -log((double)u / 4294967296.), got = draw_minus_ln(u);

		got /= 1u << FT_ALLOC_LOG_BITS;
		if (fabs(got - want) > 1e-4 * (want < 1 ? 1 : want))
			fail_msg("-ln of %u: %f instead of %f", u, got, want);
	}
}

/* A distance is the next number of whole bytes: half a byte more on average. */
static void distances_have_the_interval_as_their_mean(void **state)
{
	enum { DRAWS = 400000 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(intervals); i++) {
		double sum = 0, squares = 0, beyond = 0, mean, variance, r = (double)intervals[i];
		uint32_t n;

		use_interval(intervals[i]);
		for (n = 0; n < DRAWS; n++) {
			double d = (double)draw_distance();

			sum += d;
			squares += d * d;
			beyond += d > 3 * r;
		}
		/* Of the distances' ceilings, which are geometric. */
		mean = 1 / p_of(1);
		variance = (1 - p_of(1)) * mean * mean;
		assert_true(fabs(sum / DRAWS / mean - 1) < 0.01);
		assert_true(fabs((squares / DRAWS - mean * mean) / variance - 1) < 0.03);
		if (r >= 100)
			assert_true(fabs(beyond / DRAWS / exp(-3) - 1) < 0.05);
	}
}

/* Of sizes small and large, and those at the bounds of slots. */
static void weights_are_right_to_a_thousandth(void **state)
{
	size_t i;
	uint32_t n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(intervals); i++) {
		use_interval(intervals[i]);
		for (n = 0; n < 200000; n++) {
			uint64_t bytes = n < 100000 ? n + 1
						    : ((uint64_t)random_word() << 10 | 1) >>
							      random_below(42);
			double want, got;

			bytes = bytes ? bytes : 1;
			want = 1 / p_of((double)bytes);
			got = number_of(draw_weight(bytes));
			if (fabs(got / want - 1) > 1e-3 || got < 1)
				fail_msg("a block of %llu of %llu: %f instead of %f",
					 (unsigned long long)bytes,
					 (unsigned long long)intervals[i], got, want);
		}
	}
}

static void huge_blocks_stand_for_themselves(void **state)
{
	static const uint64_t sizes[] = { 16 * 65536, 1ull << 36, 1ull << 37, 1ull << 40, ~0ull };
	size_t i;

	(void)state;
	use_interval(65536);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		assert_int_equal(alloc_draw(sizes[i]), FT_ALLOC_WEIGHT_ONE);
}

static void an_interval_of_one_takes_every_block(void **state)
{
	__u32 zero = 0;

	(void)state;
	cfg_interval_bytes = 1;
	memset((void *)&cfg_draw, 0, sizeof(cfg_draw)); /* nobody needs to fill it */
	assert_int_equal(alloc_draw(1), FT_ALLOC_WEIGHT_ONE);
	assert_int_equal(alloc_draw(100000), FT_ALLOC_WEIGHT_ONE);
	assert_int_equal(*(__u64 *)bpf_map_lookup_elem(&countdowns, &zero), 0);
}

static void blocks_of_no_bytes_are_passed_over(void **state)
{
	uint32_t i;

	(void)state;
	use_interval(2);
	for (i = 0; i < 10000; i++)
		assert_int_equal(alloc_draw(0), 0);
}

/* Blocks of one size after another: the share that is kept is p, within five deviations. */
static void the_share_that_is_kept_is_the_probability(void **state)
{
	static const struct {
		uint64_t interval, bytes;
	} cases[] = {
		{ 2, 1 },
		{ 3, 1 },
		{ 3, 2 },
		{ 7, 9 },
		{ 64, 8 },
		{ 65536, 1 },
		{ 65536, 8 },
		{ 65536, 100 },
		{ 65536, 4096 },
		{ 65536, 65536 },
		{ 65536, 200000 },
		{ 65536, 500000 },
		{ 1u << 30, 1u << 29 },
	};
	enum { BLOCKS = 1000000 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		double p, kept = 0;
		uint32_t n;

		use_interval(cases[i].interval);
		p = p_of((double)cases[i].bytes);
		for (n = 0; n < BLOCKS; n++)
			kept += alloc_draw(cases[i].bytes) != 0;
		assert_true(fabs(kept - p * BLOCKS) <= 5 * sqrt(p * (1 - p) * BLOCKS) + 1);
	}
}

struct mixed {
	double n[3], bytes[3]; /* what there was, by size */
	double n_seen[3], bytes_seen[3], variance[3];
};
static const uint64_t mixed_sizes[] = { 192, 4096, 131072 };

static void see(struct mixed *m, uint32_t which, __u64 weight)
{
	double bytes = (double)mixed_sizes[which], p = p_of(bytes);

	m->n[which]++;
	m->bytes[which] += bytes;
	m->n_seen[which] += number_of(weight);
	m->bytes_seen[which] += number_of(weight) * bytes;
	m->variance[which] += (1 - p) / p;
}

static void assert_unbiased(const struct mixed *m, double deviations)
{
	uint32_t i;

	for (i = 0; i < 3; i++) {
		double off = deviations * sqrt(m->variance[i]);

		assert_true(fabs(m->n_seen[i] - m->n[i]) <= off + 1e-3 * m->n[i]);
		assert_true(fabs(m->bytes_seen[i] - m->bytes[i]) <=
			    off * (double)mixed_sizes[i] + 1e-3 * m->bytes[i]);
	}
}

/* A large block that always comes after many small ones is no likelier to be kept for that. */
static void sums_are_unbiased_whatever_the_order(void **state)
{
	struct mixed m = { 0 };
	uint32_t i;

	(void)state;
	use_interval(65536);
	for (i = 0; i < 3000000; i++) {
		uint32_t which = i % 50 == 49 ? 2 : i % 50 > 40;

		see(&m, which, alloc_draw(mixed_sizes[which]));
	}
	assert_unbiased(&m, 5);
}

/*
 * One that comes between the reading and the writing of another's countdown: both read the same,
 * and what the inner one wrote is lost.
 */
static void interruptions_are_no_bias(void **state)
{
	struct mixed m = { 0 };
	__u32 zero = 0, i;
	__u64 *countdown = bpf_map_lookup_elem(&countdowns, &zero);

	(void)state;
	use_interval(65536);
	for (i = 0; i < 3000000; i++) {
		uint32_t outer = random_below(3), inner = random_below(3);
		__u64 before = *countdown;

		if (random_below(2)) {
			see(&m, inner, alloc_draw(mixed_sizes[inner]));
			*countdown = before;
		}
		see(&m, outer, alloc_draw(mixed_sizes[outer]));
	}
	/* Their decisions go together: twice the deviation at most. */
	assert_unbiased(&m, 10);
}

static void each_cpu_has_its_own_line(void **state)
{
	__u32 zero = 0;

	(void)state;
	use_interval(1ull << 30);
	alloc_draw(1);
	fake_cpu = 1;
	assert_int_equal(*(__u64 *)bpf_map_lookup_elem(&countdowns, &zero), 0);
	alloc_draw(1);
	assert_int_not_equal(*(__u64 *)bpf_map_lookup_elem(&countdowns, &zero), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(logarithms_are_right_to_a_ten_thousandth, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(distances_have_the_interval_as_their_mean, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(weights_are_right_to_a_thousandth, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(huge_blocks_stand_for_themselves, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_interval_of_one_takes_every_block, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(blocks_of_no_bytes_are_passed_over, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_share_that_is_kept_is_the_probability, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(sums_are_unbiased_whatever_the_order, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(interruptions_are_no_bias, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_cpu_has_its_own_line, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
