/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/mean_interval.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "user/base/cleanup.h"
#include "user/bench/statistics.h"

#define SUBSETS 4000 /* where they are drawn */

/* The mean of those members of d that the bits choose. */
static double chosen_subset(const double *d, size_t n, uint64_t subset)
{
	double sum = 0;
	size_t i, members = 0;

	for (i = 0; i < n; i++) {
		if (subset >> i & 1) {
			sum += d[i];
			members++;
		}
	}
	return sum / members;
}

static double random_subset(const double *d, size_t n, struct random *random)
{
	double sum = 0;
	size_t i, members = 0;
	uint64_t bits = 0;

	do {
		for (i = 0; i < n; i++) {
			if (i % 64 == 0)
				bits = random_u64(random);
			if (bits >> i % 64 & 1) {
				sum += d[i];
				members++;
			}
		}
	} while (!members);
	return sum / members;
}

int mean_interval(const double *d, size_t n, uint64_t seed, double *ret_low, double *ret_high)
{
	size_t n_means = n <= SIGN_FLIP_EXACT ? ((size_t)1 << n) - 1 : SUBSETS - 1, i, cut;
	_cleanup_(freep) double *means = calloc(n_means + 1, sizeof(*means));
	struct random random;

	if (!means)
		return -ENOMEM;
	random_init(&random, seed);
	for (i = 0; i < n_means; i++)
		means[i] = n <= SIGN_FLIP_EXACT ? chosen_subset(d, n, i + 1)
						: random_subset(d, n, &random);
	sort_values(means, n_means);
	/* n_means values leave n_means + 1 places for the true one, all of them equally likely. */
	cut = (n_means + 1) * 25 / 1000;
	*ret_low = cut ? means[cut - 1] : -INFINITY;
	*ret_high = cut ? means[n_means - cut] : INFINITY;
	return 0;
}
