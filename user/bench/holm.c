/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"

struct numbered {
	double p;
	size_t i;
};

static int by_p(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	if (x->p != y->p)
		return x->p > y->p ? 1 : -1;
	return (x->i > y->i) - (x->i < y->i);
}

int holm_adjust(const double *p, size_t n, double *ret)
{
	_cleanup_(freep) struct numbered *order = calloc(n + 1, sizeof(*order));
	double least = 0;
	size_t k;

	if (!order)
		return errf(-ENOMEM, "cannot adjust %zu probabilities", n);
	for (k = 0; k < n; k++)
		order[k] = (struct numbered){ p[k], k };
	qsort(order, n, sizeof(*order), by_p);
	for (k = 0; k < n; k++) {
		least = fmax(least, fmin(1, order[k].p * (double)(n - k)));
		ret[order[k].i] = least;
	}
	return 0;
}
