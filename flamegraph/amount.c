/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/amount.h"

#include <math.h>
#include <string.h>

#include "user/model/view.h"

/* "samples" is "sample" if it is one. */
static int add_noun(struct str *out, const char *unit, const char *value, bool is_one)
{
	const char *noun = !strcmp(unit, "count") ? value : unit;
	size_t len;
	int err;

	if (!noun || !*noun || !strcmp(unit, "nanoseconds") || !strcmp(unit, "bytes"))
		return 0;
	len = strlen(noun);
	if (is_one && len > 1 && noun[len - 1] == 's')
		len--;
	err = str_add(out, " ");
	return err ? err : str_add_clean(out, noun, len, 0);
}

int amount_add(struct str *out, const char *unit, const char *value, int64_t v)
{
	int err;

	unit = unit ? unit : "count";
	err = view_amount(v, unit, out);
	return err ? err : add_noun(out, unit, value, v == 1);
}

int amount_add_real(struct str *out, const char *unit, const char *value, double v)
{
	int err;

	if (fabs(v) >= 1e18 || isnan(v))
		return str_add(out, "?");
	if (fabs(v) >= 100 || v == 0)
		return amount_add(out, unit, value, llround(v));
	unit = unit ? unit : "count";
	err = str_addf(out, "%.3g", v);
	if (!err && !strcmp(unit, "nanoseconds"))
		return str_add(out, " ns");
	if (!err && !strcmp(unit, "bytes"))
		return str_add(out, " bytes");
	return err ? err : add_noun(out, unit, value, v == 1);
}

int amount_add_share(struct str *out, int64_t part, int64_t whole)
{
	unsigned int share =
		whole ? ((__int128)part * 10000 * 2 + whole) / ((__int128)whole * 2) : 0;

	if (!share && part)
		return str_add(out, "< 0.01%");
	return str_addf(out, "%u.%02u%%", share / 100, share % 100);
}
