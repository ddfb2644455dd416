/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/difference_report.h"

#include <math.h>

const char *const difference_scale_names[3] = { "share", "second", "absolute" };
const char *const difference_significance_names[3] = { "none", "samples", "gate" };

bool difference_exceeds(const struct difference_report *r, const struct difference_row *row)
{
	if (isnan(r->max_growth) || (r->d->is_judged && !row->is_significant))
		return false;
	return difference_weight(r->d, row) > r->max_growth;
}

bool difference_all_exceeds(const struct difference_report *r)
{
	return !isnan(r->max_growth) && difference_growth(r->d, r->d->all) > r->max_growth;
}

const char *difference_verdict(const struct difference_report *r)
{
	size_t i;

	if (isnan(r->max_growth))
		return NULL;
	if (!r->d->all[DIFFERENCE_BEFORE])
		return "inconclusive";
	if (difference_all_exceeds(r))
		return "exceeded";
	for (i = 0; i < r->d->n; i++) {
		if (difference_exceeds(r, &r->d->rows[i]))
			return "exceeded";
	}
	return "passed";
}
