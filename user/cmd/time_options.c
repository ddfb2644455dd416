/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/time_options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

/* A number with its unit at the start of *text, which moves behind it. */
static bool take_duration(const char **text, double *ret_ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 } };
	size_t digits = strspn(*text, "0123456789."), i;
	char *end;
	double v = strtod(*text, &end);

	if (!digits || end != *text + digits)
		return false;
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(end, units[i].name, len) != 0)
			continue;
		*ret_ns = v * units[i].ns;
		*text = end + len;
		return true;
	}
	return false;
}

int parse_duration(const char *text, const char *what, uint64_t min_ns, uint64_t max_ns,
		   uint64_t *ret_ns)
{
	const char *rest = text;
	double ns;

	if (!take_duration(&rest, &ns) || *rest)
		return errf(-EINVAL, "%s wants a time with its unit, as 20ms, not '%s'", what,
			    text);
	if (ns < (double)min_ns || ns > (double)max_ns)
		return errf(-ERANGE, "%s must be from %.12gms to %.12gms, not '%s'", what,
			    min_ns / 1e6, max_ns / 1e6, text);
	*ret_ns = (uint64_t)(ns + 0.5);
	return 0;
}

#define RANGE_MAX_NS 1e18 /* 31 years: the end, whatever it is */

int parse_time_range(const char *text, const char *what, struct time_range *ret)
{
	const char *rest = text;
	double from = 0, to = RANGE_MAX_NS;
	bool is_good = *rest == '-' || take_duration(&rest, &from);

	is_good = is_good && *rest++ == '-' && (!*rest || take_duration(&rest, &to));
	if (!is_good || *rest)
		return errf(-EINVAL,
			    "%s wants a range of time, as 2s-5s, 500ms- or -1.5s, not '%s'", what,
			    text);
	if (from >= to || from >= RANGE_MAX_NS)
		return errf(-ERANGE, "%s ends where it begins, or before: '%s'", what, text);
	ret->from_ns = (uint64_t)(from + 0.5);
	ret->to_ns = to < RANGE_MAX_NS ? (uint64_t)(to + 0.5) : UINT64_MAX;
	return 0;
}
