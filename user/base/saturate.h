/* SPDX-License-Identifier: BSD-2-Clause */
/* saturate: sums of counts from anywhere, which stop at the ends of their type. */
#pragma once

#include <stdint.h>

static inline void add_saturating(int64_t *sum, int64_t v)
{
	if (__builtin_add_overflow(*sum, v, sum))
		*sum = v < 0 ? INT64_MIN : INT64_MAX;
}
