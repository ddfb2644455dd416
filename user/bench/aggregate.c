/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/aggregate.h"

#include <math.h>

#include "user/bench/statistics.h"

double aggregate(double *values, size_t n, enum metric_aggregate how)
{
	double sum = 0, last = values[n - 1];
	size_t i;

	for (i = 0; i < n; i++)
		sum += values[i];
	sort_values(values, n);
	switch (how) {
	case AGGREGATE_MEDIAN:
		return quantile_of_sorted(values, n, 0.5);
	case AGGREGATE_MEAN:
		return sum / n;
	case AGGREGATE_SUM:
		return sum;
	case AGGREGATE_MIN:
		return values[0];
	case AGGREGATE_MAX:
		return values[n - 1];
	case AGGREGATE_P95:
		return quantile_of_sorted(values, n, 0.95);
	case AGGREGATE_P99:
		return quantile_of_sorted(values, n, 0.99);
	case AGGREGATE_LAST:
		return last;
	}
	return NAN;
}
