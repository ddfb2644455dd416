/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gamma_distribution: the law of a sum of waiting times, with a shape > 0 and the scale 1. The
 * chi-square one with k degrees of freedom is twice that of shape k / 2.
 */
#pragma once

/*
 * Probability of at most x: the lower regularized incomplete gamma function, by its series below
 * shape + 1 and by its continued fraction (Lentz) above; Abramowitz & Stegun 6.5.29, 6.5.31.
 * Better than 1e-10 up to a shape of 10^6.
 */
double gamma_cdf(double shape, double x);

/*
 * The x with gamma_cdf(shape, x) = p, 0 < p < 1; to 1e-9 of itself or better (1e-6 beyond a shape
 * of 10^4, where Wilson and Hilferty's cube does).
 */
double gamma_quantile(double shape, double p);
