/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/alloc_weights.h"

#include <math.h>
#include <string.h>

static uint64_t weight_of(uint64_t bytes, uint64_t interval_bytes)
{
	/* A block of no bytes is never sampled. */
	double p = -expm1(-(double)(bytes ? bytes : 1) / (double)interval_bytes);

	return (uint64_t)llround((double)FT_ALLOC_WEIGHT_ONE / p);
}

void alloc_weights_fill(uint64_t interval_bytes, struct ft_alloc_draw *ret)
{
	uint32_t i;

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i <= FT_HIST_SLOTS; i++)
		ret->weights[i] = weight_of(ft_hist_lower_ns(i), interval_bytes);
	for (i = 0; i <= FT_ALLOC_LOG_STEPS; i++)
		ret->logs[i] = (uint32_t)lround(log1p((double)i / FT_ALLOC_LOG_STEPS) *
						(1u << FT_ALLOC_LOG_BITS));
}
