/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/cleanup.h"

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void sort_values(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
}

double quantile_of_sorted(const double *v, size_t n, double q)
{
	double at, share;
	size_t i;

	if (!n)
		return NAN;
	at = q * (double)(n - 1);
	i = (size_t)at;
	if (i + 1 >= n)
		return v[n - 1];
	share = at - (double)i;
	/* Equal neighbours give themselves, without the rounding of a sum. */
	return v[i] == v[i + 1] ? v[i] : v[i] * (1 - share) + v[i + 1] * share;
}

double quantile_of(const double *v, size_t n, double q)
{
	_cleanup_(freep) double *sorted = n ? malloc(n * sizeof(*sorted)) : NULL;

	if (!sorted)
		return NAN;
	memcpy(sorted, v, n * sizeof(*sorted));
	sort_values(sorted, n);
	return quantile_of_sorted(sorted, n, q);
}

double median_of(const double *v, size_t n)
{
	return quantile_of(v, n, 0.5);
}
