/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/aggregate.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Type 7 of Hyndman and Fan 1996; the values are sorted. */
static double quantile(const double *v, size_t n, double q)
{
	double at = (n - 1) * q;
	size_t low = at;

	return low + 1 < n ? v[low] + (at - low) * (v[low + 1] - v[low]) : v[n - 1];
}

double aggregate(double *values, size_t n, enum metric_aggregate how)
{
	double sum = 0, last = values[n - 1];
	size_t i;

	for (i = 0; i < n; i++)
		sum += values[i];
	qsort(values, n, sizeof(*values), by_value);
	switch (how) {
	case AGGREGATE_MEDIAN:
		return quantile(values, n, 0.5);
	case AGGREGATE_MEAN:
		return sum / n;
	case AGGREGATE_SUM:
		return sum;
	case AGGREGATE_MIN:
		return values[0];
	case AGGREGATE_MAX:
		return values[n - 1];
	case AGGREGATE_P95:
		return quantile(values, n, 0.95);
	case AGGREGATE_P99:
		return quantile(values, n, 0.99);
	case AGGREGATE_LAST:
		return last;
	}
	return NAN;
}
