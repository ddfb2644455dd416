/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/interval.h"

#include <math.h>

#include "user/model/gamma_distribution.h"

struct interval interval_of_total(uint64_t n, double estimate, double variance)
{
	struct interval i = { estimate, estimate };
	double mean, spread, shape, scale;

	if (!n || !(estimate > 0) || !(variance > 0) || !isfinite(estimate) || !isfinite(variance))
		return i;
	/* One more block adds its (1 - p) x / p to what is missing, and to the variance as much as
	 * the others do on average. */
	mean = estimate + variance / estimate / 2;
	spread = variance + variance / (double)n / 2;
	shape = mean * mean / spread;
	scale = spread / mean;
	i.lower = scale * gamma_quantile(shape, 0.025);
	i.upper = scale * gamma_quantile(shape, 0.975);
	if (!(i.lower < estimate))
		i.lower = estimate;
	if (!(i.upper > estimate))
		i.upper = estimate;
	return i;
}
