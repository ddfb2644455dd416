/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>

#include "user/base/array.h"
#include "user/model/interval.h"

#define INTERVAL_BYTES 524288.0
#define SEEDS	       50

/* --- sites, sampled as the collector does ----------------------------------------------------- */

/* xorshift64* (Vigna, 2016), so that a seed is the same sample everywhere. */
static double uniform(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (double)((*state * 0x2545f4914f6cdd1dull) >> 11) * 0x1p-53;
}

/* What one site allocates. */
struct site {
	const char *name;
	struct {
		unsigned int n;
		double bytes;
	} blocks[3];
};

#define K 1024.0
static const struct site sites[] = {
	{ "16 B, 3 samples", { { 100000, 16 } } },
	{ "64 B, 30 samples", { { 250000, 64 } } },
	{ "4 KiB, 3 samples", { { 400, 4 * K } } },
	{ "4 KiB, 5 samples", { { 640, 4 * K } } },
	{ "4 KiB, 40 samples", { { 5000, 4 * K } } },
	{ "4 KiB, 1000 samples", { { 128000, 4 * K } } },
	{ "64 KiB, 4 samples", { { 30, 64 * K } } },
	{ "64 KiB, 6 samples", { { 50, 64 * K } } },
	{ "64 KiB, 235 samples", { { 2000, 64 * K } } },
	{ "512 KiB, 3 samples", { { 5, 512 * K } } },
	{ "512 KiB, 5 samples", { { 8, 512 * K } } },
	{ "512 KiB, 63 samples", { { 100, 512 * K } } },
	{ "1 MiB, 3 samples", { { 4, 1024 * K } } },
	{ "1 MiB, 17 samples", { { 20, 1024 * K } } },
	{ "1.5 MiB, 5 samples", { { 5, 1536 * K } } },
	{ "2 MiB, 3 samples", { { 3, 2048 * K } } },
	{ "2 MiB, 49 samples", { { 50, 2048 * K } } },
	{ "small ones and a large one", { { 2000, K }, { 1, 2048 * K } } },
	{ "small ones and two huge ones", { { 2500, K }, { 2, 8192 * K } } },
	{ "three sizes", { { 100000, 16 }, { 20, 64 * K }, { 2, 1024 * K } } },
	{ "about as large as the interval", { { 10, 256 * K }, { 3, 1024 * K } } },
	{ "middle and large ones", { { 1000, 4 * K }, { 3, 512 * K }, { 1, 2048 * K } } },
	{ "huge ones hide the small ones", { { 100, 64 * K }, { 10, 16384 * K } } },
	{ "many of two sizes", { { 20000, 4 * K }, { 200, 1024 * K } } },
};

struct sampled {
	uint64_t n;
	double estimate, variance;
};

/* How much a block counts: its bytes, or itself. */
static double size_of(double bytes, bool objects)
{
	return objects ? 1 : bytes;
}

static struct sampled take_sample(const struct site *site, bool objects, uint64_t seed)
{
	struct sampled s = { 0 };
	uint64_t state = (seed + 1) * 0x9e3779b97f4a7c15ull;
	unsigned int i, b;

	for (i = 0; i < ARRAY_SIZE(site->blocks); i++) {
		double p = 1 - exp(-site->blocks[i].bytes / INTERVAL_BYTES);
		double x = size_of(site->blocks[i].bytes, objects);

		for (b = 0; b < site->blocks[i].n; b++) {
			if (uniform(&state) >= p)
				continue;
			s.n++;
			s.estimate += x / p;
			s.variance += (1 - p) * (x / p) * (x / p);
		}
	}
	return s;
}

static double truth(const struct site *site, bool objects)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(site->blocks); i++)
		sum += site->blocks[i].n * size_of(site->blocks[i].bytes, objects);
	return sum;
}

/* Of the estimate, as it is and not as it is estimated. */
static double variance(const struct site *site, bool objects)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(site->blocks); i++) {
		double p = 1 - exp(-site->blocks[i].bytes / INTERVAL_BYTES);
		double x = size_of(site->blocks[i].bytes, objects);

		if (site->blocks[i].n)
			sum += site->blocks[i].n * (1 - p) / p * x * x;
	}
	return sum;
}

struct trial {
	double seen, held; /* samples with blocks in them; whose interval holds the truth */
	double estimate;   /* sum over all seeds */
};

static struct trial try_site(const struct site *site, bool objects)
{
	double all = truth(site, objects);
	struct trial t = { 0 };
	uint64_t seed;

	for (seed = 0; seed < SEEDS; seed++) {
		/* Seeds of one site must not be those of another. */
		struct sampled s =
			take_sample(site, objects, seed + 1000 * (uint64_t)(site - sites));
		struct interval i = interval_of_total(s.n, s.estimate, s.variance);

		t.estimate += s.estimate;
		t.seen += s.n > 0;
		t.held += s.n && i.lower <= all && all <= i.upper;
	}
	return t;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void check_coverage(bool objects)
{
	double seen = 0, held = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sites); i++) {
		struct trial t = try_site(&sites[i], objects);

		/* 50 seeds: 80 % is four deviations off. */
		if (t.held < 0.8 * t.seen)
			fail_msg("%s: %g of %g", sites[i].name, t.held, t.seen);
		seen += t.seen;
		held += t.held;
	}
	if (held < 0.92 * seen || held > 0.98 * seen)
		fail_msg("%g of %g intervals hold the total", held, seen);
}

static void the_interval_holds_the_bytes_in_19_of_20_cases(void **state)
{
	(void)state;
	check_coverage(false);
}

static void the_interval_holds_the_objects_in_19_of_20_cases(void **state)
{
	(void)state;
	check_coverage(true);
}

static void estimates_have_no_bias(void **state)
{
	double sum = 0, all = 0;
	size_t i;
	int objects;

	(void)state;
	for (objects = 0; objects < 2; objects++) {
		for (i = 0; i < ARRAY_SIZE(sites); i++) {
			struct trial t = try_site(&sites[i], objects);
			double mean = truth(&sites[i], objects);
			double deviation = sqrt(variance(&sites[i], objects) / SEEDS);

			if (fabs(t.estimate / SEEDS - mean) > 4 * deviation)
				fail_msg("%s: %g instead of %g", sites[i].name, t.estimate / SEEDS,
					 mean);
			if (objects)
				continue;
			sum += t.estimate / SEEDS;
			all += mean;
		}
	}
	assert_true(fabs(sum / all - 1) < 0.01);
}

static void without_chance_it_is_the_estimate(void **state)
{
	struct interval i = interval_of_total(12, 4096, 0);

	(void)state;
	assert_true(i.lower == 4096 && i.upper == 4096);
	i = interval_of_total(0, 0, 0);
	assert_true(i.lower == 0 && i.upper == 0);
}

/* n blocks of one weight are a Poisson count: Jeffreys's interval of 4 (Brown, Cai & DasGupta). */
static void few_small_blocks_are_a_poisson_count(void **state)
{
	struct interval i = interval_of_total(4, 4 * 1000.0, 4 * 1000.0 * 1000.0);

	(void)state;
	assert_true(fabs(i.lower / 1000 - 1.350) < 0.001); /* chi-square(9) / 2 at 2.5 % */
	assert_true(fabs(i.upper / 1000 - 9.511) < 0.001); /* and 97.5 % */
}

static void many_blocks_are_nearly_normal(void **state)
{
	struct interval i = interval_of_total(1000000, 1e12, 1e18);

	(void)state;
	assert_true(fabs(i.lower / (1e12 - 1.96e9) - 1) < 1e-5);
	assert_true(fabs(i.upper / (1e12 + 1.96e9) - 1) < 1e-5);
}

/* Numbers that do not belong together, as a file may have them. */
static void nonsense_still_is_an_interval_around_the_estimate(void **state)
{
	static const double values[] = { -1, 0, 1e-300, 1, 1e300, INFINITY, NAN };
	static const uint64_t ns[] = { 0, 1, UINT64_MAX };
	size_t a, b, c;

	(void)state;
	for (a = 0; a < ARRAY_SIZE(values); a++) {
		for (b = 0; b < ARRAY_SIZE(values); b++) {
			for (c = 0; c < ARRAY_SIZE(ns); c++) {
				struct interval i = interval_of_total(ns[c], values[a], values[b]);

				assert_true(isnan(values[a]) ||
					    (i.lower <= values[a] && values[a] <= i.upper));
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_interval_holds_the_bytes_in_19_of_20_cases),
		cmocka_unit_test(the_interval_holds_the_objects_in_19_of_20_cases),
		cmocka_unit_test(estimates_have_no_bias),
		cmocka_unit_test(without_chance_it_is_the_estimate),
		cmocka_unit_test(few_small_blocks_are_a_poisson_count),
		cmocka_unit_test(many_blocks_are_nearly_normal),
		cmocka_unit_test(nonsense_still_is_an_interval_around_the_estimate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
