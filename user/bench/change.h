/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * change: how a metric's change is measured, pair by pair: positive is worse. ln(after / before),
 * or its negative where more is better; differences where a value <= 0 has no logarithm (see
 * compare.h) and for metrics in points.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/bench/compare.h"

struct change_scale {
	bool is_ratio;	/* logarithms, else differences over 'unit' */
	bool is_higher; /* more is better */
	double unit;
};

/*
 * The changes of those pairs of which both values are known, in their order, and the values
 * themselves: each has room for m->n. 0 or -ENOMEM.
 */
int changes_of(const struct metric_pairs *m, struct change_scale *ret_scale, double *ret_before,
	       double *ret_after, double *ret_changes, size_t *ret_n);

/* Between a share as in struct policy_limits and the scale: 3 % less is ln(1 / 0.97). */
double change_to_scale(const struct change_scale *s, double share);
double change_from_scale(const struct change_scale *s, double change);
