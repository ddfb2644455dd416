/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include <linux/types.h>

#include "bpf/alloc_wire.h"
#include "shim/draw.h"

#define INTERVAL 524288.0
#define DRAWS	 1000000

_Static_assert(SHIM_WEIGHT_ONE == FT_ALLOC_WEIGHT_ONE, "both sides have one unit of weights");

static void assert_close(double have, double want, double relative)
{
	if (fabs(have - want) <= relative * fabs(want))
		return;
	print_error("%.17g is not %.17g (1e%.1f)\n", have, want, log10(fabs(have / want - 1)));
	fail();
}

static void logarithms_are_those_of_libm(void **state)
{
	uint64_t random = 1;
	double u;
	int i;

	(void)state;
	assert_true(draw_ln(1) == 0);
	for (u = 1; u > 0x1p-54; u /= 2)
		assert_close(draw_ln(u), log(u), 1e-15);
	for (i = 0; i < 200000; i++) {
		u = (double)((draw_random(&random) >> 11) + 1) * 0x1p-53;
		assert_close(draw_ln(u), log(u), 2e-15);
	}
	/* Just below 1 the logarithm is that small itself. */
	assert_close(draw_ln(1 - 0x1p-53), log1p(-0x1p-53), 1e-15);
	assert_close(draw_ln(0x1p-53), -53 * M_LN2, 1e-15);
}

static void shares_are_those_of_libm(void **state)
{
	double x;

	(void)state;
	for (x = 1e-13; x < 60; x *= 1.001)
		assert_close(draw_kept_share(x), -expm1(-x), 2e-15);
}

static void weights_are_reciprocal_to_the_share(void **state)
{
	uint64_t bytes;

	(void)state;
	for (bytes = 1; bytes < 1ull << 40; bytes = bytes * 5 / 3 + 1)
		assert_close(draw_weight(bytes, INTERVAL),
			     SHIM_WEIGHT_ONE / -expm1(-(double)bytes / INTERVAL), 5e-7);
	/* The largest there is: one byte of a block at the longest interval. */
	assert_close(draw_weight(1, 0x1p40), 0x1p60, 1e-10);
	assert_int_equal(draw_weight(1ull << 40, INTERVAL), SHIM_WEIGHT_ONE);
}

static void gaps_have_their_mean_and_deviation(void **state)
{
	double sum = 0, squares = 0, mean, deviation;
	uint64_t random = 2;
	int i;

	(void)state;
	for (i = 0; i < DRAWS; i++) {
		int64_t gap = draw_gap(&random, INTERVAL);

		assert_true(gap >= 0);
		sum += gap;
		squares += (double)gap * gap;
	}
	mean = sum / DRAWS;
	deviation = sqrt(squares / DRAWS - mean * mean);
	assert_close(mean, INTERVAL, 0.005); /* 5 times its own deviation */
	assert_close(deviation, INTERVAL, 0.01);
}

/* P(gap < s) = 1 - exp(-s / R) for whole s, small intervals above all: no half bytes. */
static void blocks_of_each_size_are_kept_by_their_share(void **state)
{
	static const struct {
		double interval;
		int64_t bytes;
	} cases[] = { { 2, 1 },	     { 2, 2 },	     { 3, 1 },	      { 16, 5 },
		      { 4096, 100 }, { 4096, 4096 }, { 4096, 20000 }, { 524288, 65536 } };
	uint64_t random = 3, kept;
	double p, deviation;
	size_t i;
	int k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (k = 0, kept = 0; k < DRAWS; k++)
			kept += draw_gap(&random, cases[i].interval) < cases[i].bytes;
		p = -expm1(-cases[i].bytes / cases[i].interval);
		deviation = sqrt(DRAWS * p * (1 - p));
		if (fabs(kept - DRAWS * p) < 4.5 * deviation + 1)
			continue;
		print_error("of %lld bytes at %g %llu are kept, not %.0f +- %.0f\n",
			    (long long)cases[i].bytes, cases[i].interval, (unsigned long long)kept,
			    DRAWS * p, deviation);
		fail();
	}
}

static void a_block_of_no_bytes_is_never_kept(void **state)
{
	uint64_t random = 4;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_true(draw_gap(&random, 1) >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logarithms_are_those_of_libm),
		cmocka_unit_test(shares_are_those_of_libm),
		cmocka_unit_test(weights_are_reciprocal_to_the_share),
		cmocka_unit_test(gaps_have_their_mean_and_deviation),
		cmocka_unit_test(blocks_of_each_size_are_kept_by_their_share),
		cmocka_unit_test(a_block_of_no_bytes_is_never_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
