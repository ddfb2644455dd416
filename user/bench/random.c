/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "user/bench/statistics.h"

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void random_init(struct random *r, uint64_t seed)
{
	int i;

	for (i = 0; i < 4; i++)
		r->s[i] = splitmix64(&seed);
}

static uint64_t rotated(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

uint64_t random_u64(struct random *r)
{
	uint64_t *s = r->s, result = rotated(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotated(s[3], 45);
	return result;
}

double random_unit(struct random *r)
{
	return (random_u64(r) >> 11) * 0x1p-53;
}

/*
 * The high half of a product, where products that would favour some results are thrown away:
 * Lemire, "Fast random integer generation in an interval" (2019).
 */
uint64_t random_below(struct random *r, uint64_t limit)
{
	unsigned __int128 product = (unsigned __int128)random_u64(r) * limit;
	uint64_t least;

	if ((uint64_t)product < limit) {
		least = -limit % limit; /* 2^64 mod limit */
		while ((uint64_t)product < least)
			product = (unsigned __int128)random_u64(r) * limit;
	}
	return product >> 64;
}

/* Box and Muller's, whose second number is not kept: then the state is in 's' alone. */
double random_normal(struct random *r)
{
	double u = 1 - random_unit(r); /* (0, 1] has a logarithm */

	return sqrt(-2 * log(u)) * cos(2 * M_PI * random_unit(r));
}
