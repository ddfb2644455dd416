/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdbool.h>

#include "user/bench/statistics.h"

/* A distribution of how many of 'n' are of one kind: binomial, or hypergeometric of white and
 * black ones, which are taken without putting them back. */
struct counts {
	double n;
	double share;	     /* binomial */
	double white, black; /* hypergeometric, if not 0 */
};

static double log_choose(double n, double k)
{
	return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

static bool is_hypergeometric(const struct counts *c)
{
	return c->white + c->black > 0;
}

static double probability(const struct counts *c, double k)
{
	if (is_hypergeometric(c))
		return exp(log_choose(c->white, k) + log_choose(c->black, c->n - k) -
			   log_choose(c->white + c->black, c->n));
	return exp(log_choose(c->n, k) + k * log(c->share) + (c->n - k) * log1p(-c->share));
}

/* probability(k + 1) / probability(k) */
static double ratio(const struct counts *c, double k)
{
	if (is_hypergeometric(c))
		return (c->white - k) * (c->n - k) / ((k + 1) * (c->black - c->n + k + 1));
	return (c->n - k) / (k + 1) * c->share / (1 - c->share);
}

static double mean(const struct counts *c)
{
	return c->n * (is_hypergeometric(c) ? c->white / (c->white + c->black) : c->share);
}

static double deviation(const struct counts *c)
{
	double all = c->white + c->black;

	if (is_hypergeometric(c))
		return sqrt(c->n * (c->white / all) * (c->black / all) * (all - c->n) / (all - 1));
	return sqrt(c->n * c->share * (1 - c->share));
}

/* The tail from k on, away from the mean, where each term is smaller than the one before. */
static double tail(const struct counts *c, double k)
{
	double least = is_hypergeometric(c) ? fmax(0, c->n - c->black) : 0;
	double most = is_hypergeometric(c) ? fmin(c->n, c->white) : c->n;
	bool is_upper = k > mean(c);
	double term = probability(c, k), sum = term;

	while (term > sum * 1e-17 && (is_upper ? k < most : k > least)) {
		term *= is_upper ? ratio(c, k) : 1 / ratio(c, k - 1);
		k += is_upper ? 1 : -1;
		sum += term;
	}
	return sum;
}

static double two_sided(const struct counts *c, double k)
{
	double away = fmax(0, fabs(k - mean(c)) - 0.5);

	if (c->n > COUNT_TEST_EXACT)
		return erfc(away / deviation(c) / M_SQRT2);
	return fmin(1, 2 * tail(c, k));
}

double binomial_p(uint64_t x, uint64_t n, double share)
{
	const struct counts c = { .n = (double)n, .share = share };

	if (!n || share <= 0 || share >= 1)
		return 1;
	return two_sided(&c, (double)x);
}

/* From here on logarithms of factorials have no digits left, and nobody notices what was taken. */
#define MANY 1e9

double fisher_p(uint64_t x, uint64_t n, uint64_t y, uint64_t m)
{
	const struct counts c = { .n = (double)x + (double)y,
				  .white = (double)n,
				  .black = (double)m };

	if (!n || !m || c.n == 0 || c.n == c.white + c.black)
		return 1;
	if (c.white + c.black > MANY && c.n < (c.white + c.black) / 1000)
		return binomial_p(x, x + y, c.white / (c.white + c.black));
	return two_sided(&c, (double)x);
}
