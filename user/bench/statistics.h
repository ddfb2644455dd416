/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * statistics: tests and estimates of the gate. docs/gate.md explains them. All arrays are the
 * caller's and not changed; numbers are finite.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Random numbers that are the same everywhere for the same seed: xoshiro256** of Blackman and Vigna
 * (2018), seeded by splitmix64.
 */
struct random {
	uint64_t s[4];
};
void random_init(struct random *r, uint64_t seed);
uint64_t random_u64(struct random *r);
double random_unit(struct random *r);			 /* [0, 1) */
uint64_t random_below(struct random *r, uint64_t limit); /* without bias; limit > 0 */
double random_normal(struct random *r);			 /* mean 0, variance 1 */

/*
 * Wilcoxon's signed-rank test, one-sided: the probability that the sum of positive ranks is as
 * large as that of 'd' or larger if each sign is a fair coin. Zeros are left out; ties get
 * mid-ranks, and the distribution is exact for them, too (n <= SIGNED_RANK_MAX; beyond that normal
 * with continuity correction). What differs by less than 1e-12 of the largest is tied. 1 if nothing
 * is left; NAN without memory.
 */
#define SIGNED_RANK_MAX 200
double signed_rank_p(const double *d, size_t n);

/*
 * For simulations, where the same n comes again and again: the sum of positive mid-ranks, and the
 * least such sum whose probability is at most 'alpha' if there are no ties nor zeros (INFINITY:
 * none, n is too small; NAN without memory).
 */
double signed_rank_sum(const double *d, size_t n);
double signed_rank_critical(size_t n, double alpha);

/* Hodges and Lehmann's estimate: the median of all means of two. NAN for n == 0 or without
 * memory. */
double hodges_lehmann(const double *d, size_t n);

/*
 * Its distribution-free interval by the exact signed-rank distribution: covers at least
 * 'confidence', with ties and zeros, too (Hollander and Wolfe 1999, 3.3; normal beyond
 * SIGNED_RANK_MAX); *ret_low = -INFINITY, *ret_high = INFINITY if n is too small for that. 0 or
 * -ENOMEM.
 */
int hodges_lehmann_interval(const double *d, size_t n, double confidence, double *ret_low,
			    double *ret_high);

/* Holm's step-down adjustment: ret[i] is the adjusted p of p[i]; both of n. -ENOMEM. */
int holm_adjust(const double *p, size_t n, double *ret);

/*
 * Two-sided exact tests of counts: twice the smaller tail, at most 1. binomial_p(): x of n are of
 * the kind that each is with probability 'share'. fisher_p(): x of n and y of m are of that kind,
 * as likely on either side (x <= n, y <= m). Beyond COUNT_TEST_EXACT of that kind normal, with
 * continuity correction.
 */
#define COUNT_TEST_EXACT 1e7
double binomial_p(uint64_t x, uint64_t n, double share);
double fisher_p(uint64_t x, uint64_t n, uint64_t y, uint64_t m);

/*
 * Paired sign-flip test with the maximum statistic over m series of n differences each
 * (d[series * n + pair]): ret_p[i] is the adjusted, two-sided p of series i, with the family-wise
 * error under control (step-down, Westfall and Young 1993, algorithm 4.1). Exact for n <=
 * SIGN_FLIP_EXACT, else by 'permutations' random flips of 'seed', (b + 1) / (B + 1). The statistic
 * is the mean over its standard error, with a floor to that error so that a series without noise
 * does not win by itself. -ENOMEM.
 */
#define SIGN_FLIP_EXACT	       12
#define SIGN_FLIP_PERMUTATIONS 10000
int sign_flip_max_t(const double *d, size_t m, size_t n, unsigned int permutations, uint64_t seed,
		    double *ret_p);

/*
 * The same with errors of the caller's: the statistic of a series is its sum over errors[i], and 0
 * if that is 0. They must not depend on the signs of the differences.
 */
int sign_flip_max(const double *d, const double *errors, size_t m, size_t n,
		  unsigned int permutations, uint64_t seed, double *ret_p);

/* Type 7 of Hyndman and Fan 1996. NAN for n == 0 or without memory. */
double median_of(const double *v, size_t n);
double quantile_of(const double *v, size_t n, double q);
double quantile_of_sorted(const double *v, size_t n, double q);
void sort_values(double *v, size_t n);
