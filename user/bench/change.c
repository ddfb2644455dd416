/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/change.h"

#include <errno.h>
#include <math.h>

#include "user/base/err.h"
#include "user/bench/statistics.h"

double change_to_scale(const struct change_scale *s, double share)
{
	if (!s->is_ratio)
		return share;
	/* Less than nothing cannot be left. */
	return s->is_higher ? -log1p(-fmin(share, 1 - 1e-9)) : log1p(share);
}

double change_from_scale(const struct change_scale *s, double change)
{
	if (!s->is_ratio || !isfinite(change))
		return change;
	return s->is_higher ? -expm1(-change) : expm1(change);
}

/* Where a value has no logarithm, differences over the value before; and where that is usually
 * nothing, over the mean of all. */
static double difference_unit(const double *before, const double *after, size_t n)
{
	double unit = fabs(median_of(before, n)), sum = 0;
	size_t i;

	if (unit > 0)
		return unit;
	for (i = 0; i < n; i++)
		sum += fabs(before[i]) / (double)n + fabs(after[i]) / (double)n;
	return sum > 0 ? sum / 2 : 1;
}

static struct change_scale choose_scale(const struct metric_pairs *m, const double *before,
					const double *after, size_t n)
{
	struct change_scale s = { true, m->better == BETTER_HIGHER, 1 };
	size_t i;

	for (i = 0; i < n; i++) {
		if (before[i] <= 0 || after[i] <= 0)
			s.is_ratio = false;
	}
	if (m->limits.is_points)
		s.is_ratio = false;
	else if (!s.is_ratio)
		s.unit = difference_unit(before, after, n);
	return s;
}

static double pair_change(const struct change_scale *s, double before, double after)
{
	double d;

	if (before == after)
		return 0;
	d = s->is_ratio ? log(after) - log(before) : after / s->unit - before / s->unit;
	return s->is_higher ? -d : d;
}

int changes_of(const struct metric_pairs *m, struct change_scale *ret_scale, double *ret_before,
	       double *ret_after, double *ret_changes, size_t *ret_n)
{
	struct change_scale s;
	size_t n = 0, i;

	for (i = 0; i < m->n; i++) {
		if (isfinite(m->before[i]) && isfinite(m->after[i])) {
			ret_before[n] = m->before[i];
			ret_after[n++] = m->after[i];
		}
	}
	s = choose_scale(m, ret_before, ret_after, n);
	if (n && isnan(s.unit))
		return errf(-ENOMEM, "cannot compare %zu pairs of '%s'", n, m->name);
	for (i = 0; i < n; i++)
		ret_changes[i] = pair_change(&s, ret_before[i], ret_after[i]);
	*ret_scale = s;
	*ret_n = n;
	return 0;
}
