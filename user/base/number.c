/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "user/base/err.h"

int parse_u32(const char *text, const char *what, unsigned int min, unsigned int max,
	      unsigned int *ret)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end)
		return errf(-EINVAL, "%s wants a whole number, not '%s'", what, text);
	if (errno || v < min || v > max)
		return errf(-ERANGE, "%s must be from %u to %u, not '%s'", what, min, max, text);
	*ret = v;
	return 0;
}

int parse_double(const char *text, const char *what, double min, double max, double *ret)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(text, &end);
	if (!*text || *end || !isfinite(v))
		return errf(-EINVAL, "%s wants a number, not '%s'", what, text);
	if (v < min || v > max)
		return errf(-ERANGE, "%s must be from %.12g to %.12g, not '%s'", what, min, max,
			    text);
	*ret = v;
	return 0;
}
