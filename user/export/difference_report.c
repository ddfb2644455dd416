/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/difference_report.h"

#include <math.h>
#include <string.h>

#include "user/model/view.h"

const char *const difference_scale_names[3] = { "share", "second", "absolute" };
const char *const difference_scale_texts[3] = { "shares of all on each side", "per second",
						"amounts as they are" };
const char *const difference_significance_names[3] = { "none", "samples", "gate" };

static bool has_grown(const struct difference_report *r, const struct difference_row *row)
{
	return !isnan(r->max_growth) && difference_weight(r->d, row) > r->max_growth;
}

static bool is_noise(const struct difference_report *r, const struct difference_row *row)
{
	return r->d->is_judged && !row->is_significant;
}

bool difference_exceeds(const struct difference_report *r, const struct difference_row *row)
{
	return has_grown(r, row) && !is_noise(r, row);
}

size_t difference_grown_noise(const struct difference_report *r)
{
	size_t i, n = 0;

	for (i = 0; i < r->d->n; i++)
		n += has_grown(r, &r->d->rows[i]) && is_noise(r, &r->d->rows[i]);
	return n;
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

/* How long it took, if that is known. */
static int add_duration(uint64_t duration_ns, struct str *out)
{
	int err;

	if (!duration_ns)
		return 0;
	err = str_add(out, " in ");
	return err ? err
		   : view_amount((int64_t)fmin((double)duration_ns, 0x1p62), "nanoseconds", out);
}

int difference_describe_side(const struct difference_report *r, enum difference_side side,
			     struct str *out)
{
	const char *origin = r->origins[side];
	int err = str_add_clean(out, r->sources[side], strlen(r->sources[side]), 0);

	if (!err)
		err = str_add(out, ", ");
	if (!err)
		err = view_amount(r->d->all[side], r->unit, out);
	if (!err)
		err = str_add(out, strcmp(r->unit, "count") ? " of " : " ");
	if (!err)
		err = str_add_clean(out, r->value, strlen(r->value), 0);
	if (!err)
		err = add_duration(r->d->duration_ns[side], out);
	if (!err && *origin)
		err = str_add(out, "; ");
	return err ? err : str_add_clean(out, origin, strlen(origin), 0);
}
