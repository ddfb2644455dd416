/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * draw: which blocks are kept, by points that are strewn over the bytes that a thread allocates:
 * a block is kept if a point is in it. Gaps between points are exponential with the mean
 * 'interval', so a block of s bytes is kept with p = 1 - exp(-s / interval), whatever was before
 * it.
 *
 * ln() and exp() are our own: the library is linked with nothing but libc.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include "shim/probes.h"

#define DRAW_LN2 0.693147180559945309417

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static inline uint64_t draw_mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static inline uint64_t draw_random(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15ull;
	return draw_mix(*state);
}

/* Of a normal number in (0, 1]; the error is some units in the last place. */
static inline double draw_ln(double x)
{
	double s, s2, sum = 0;
	uint64_t bits;
	int exponent, k;

	memcpy(&bits, &x, sizeof(bits));
	exponent = (int)(bits >> 52) - 1023;
	bits = (bits & ((1ull << 52) - 1)) | 1023ull << 52;
	memcpy(&x, &bits, sizeof(x));
	if (x > 1.41421356237309504880) {
		x /= 2;
		exponent++;
	}
	/* ln x = 2 artanh((x - 1) / (x + 1)), whose argument is below 0.1716 here. */
	s = (x - 1) / (x + 1);
	s2 = s * s;
	for (k = 23; k >= 3; k -= 2)
		sum = (sum + 1.0 / k) * s2;
	return exponent * DRAW_LN2 + 2 * s * (1 + sum);
}

/* 1 - exp(-x) of x >= 0, exact to some units in the last place for small x as well. */
static inline double draw_kept_share(double x)
{
	double r, sum = 1, power = 1;
	int k, halvings;

	if (x > 40)
		return 1;
	halvings = (int)(x / DRAW_LN2 + 0.5);
	r = x - halvings * DRAW_LN2;
	/* (1 - exp(-r)) / r, |r| <= ln 2 / 2 */
	for (k = 17; k >= 2; k--)
		sum = 1 - sum * r / k;
	sum *= r;
	for (k = 0; k < halvings; k++)
		power /= 2;
	return 1 - power + power * sum;
}

/*
 * How many bytes there are before the next byte that is a point: a block of s bytes from here is
 * kept if s is more than that. ceil(E) - 1 of an exponential E, so that P(gap < s) is
 * P(E <= s) = 1 - exp(-s / interval) for whole s exactly.
 */
static inline int64_t draw_gap(uint64_t *random, double interval)
{
	double u = (double)((draw_random(random) >> 11) + 1) * 0x1p-53; /* (0, 1] */
	double e = -draw_ln(u) * interval;
	int64_t whole = (int64_t)e;

	return whole == e && whole > 0 ? whole - 1 : whole;
}

/* What one kept block of that size (> 0) stands for, in units of 1 / SHIM_WEIGHT_ONE. */
static inline uint64_t draw_weight(uint64_t bytes, double interval)
{
	return (uint64_t)(SHIM_WEIGHT_ONE / draw_kept_share(bytes / interval) + 0.5);
}
