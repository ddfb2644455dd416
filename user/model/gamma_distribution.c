/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/gamma_distribution.h"

#include <float.h>
#include <math.h>

#define TERMS_MAX   100000 /* some 10 times the root of the largest shape */
#define CUBE_SHAPE  1e4	   /* from there on Wilson and Hilferty's approximation is taken as it is */
#define NEWTON_MAX  100
#define NORMAL_STEP 1e-12

/* x^shape e^-x / Gamma(shape) */
static double density_x(double shape, double x)
{
	return exp(shape * log(x) - x - lgamma(shape));
}

static double by_series(double shape, double x)
{
	double term = 1 / shape, sum = term;
	int i;

	for (i = 1; i < TERMS_MAX && term > sum * DBL_EPSILON; i++) {
		term *= x / (shape + i);
		sum += term;
	}
	return sum * density_x(shape, x);
}

/* Of the other tail. */
static double by_fraction(double shape, double x)
{
	double b = x + 1 - shape, c = 1 / DBL_MIN, d = 1 / b, h = d, step = 0;
	int i;

	for (i = 1; i < TERMS_MAX && fabs(step - 1) > DBL_EPSILON; i++) {
		double a = -i * (i - shape);

		b += 2;
		d = a * d + b;
		c = b + a / c;
		d = 1 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
		c = fabs(c) < DBL_MIN ? DBL_MIN : c;
		step = d * c;
		h *= step;
	}
	return h * density_x(shape, x);
}

double gamma_cdf(double shape, double x)
{
	if (!(x > 0))
		return 0;
	return x < shape + 1 ? by_series(shape, x) : 1 - by_fraction(shape, x);
}

/* Quantile of the normal distribution, by bisection: it is asked for a few times in all. */
static double normal_quantile(double p)
{
	double low = -10, high = 10;

	while (high - low > NORMAL_STEP) {
		double z = (low + high) / 2;

		if (erfc(-z / M_SQRT2) / 2 < p)
			low = z;
		else
			high = z;
	}
	return (low + high) / 2;
}

/* Wilson & Hilferty (1931): the cube root is nearly normal. */
static double by_cube(double shape, double p)
{
	double root = 1 - 1 / (9 * shape) + normal_quantile(p) / (3 * sqrt(shape));

	return shape * root * root * root;
}

/* Newton's steps, halving where they leave the bracket. */
double gamma_quantile(double shape, double p)
{
	double x = by_cube(shape, p), low = 0, high = shape + 40 * sqrt(shape) + 100;
	int i;

	if (shape > CUBE_SHAPE)
		return x;
	/* Far from normal: the first term of the series. */
	if (shape < 1 || !(x > 0))
		x = exp((log(p) + lgamma(shape + 1)) / shape);
	for (i = 0; i < NEWTON_MAX; i++) {
		double step, error;

		if (!(x > low && x < high))
			x = (low + high) / 2;
		error = gamma_cdf(shape, x) - p;
		if (error < 0)
			low = x;
		else
			high = x;
		step = error * x / density_x(shape, x);
		x -= step;
		if (fabs(step) <= 1e-13 * x)
			break;
	}
	return x;
}
