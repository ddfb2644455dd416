/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"

/* Compiled patterns are about as large as what is written out, and in the worst case its square. */
#define PATTERN_MAX_WRITTEN_OUT 8192

/* All counts of repetition, multiplied as if they were nested; more than enough is enough. */
static unsigned long repetitions(const char *pattern)
{
	unsigned long all = 1, n, most;
	const char *p;
	char *end;

	for (p = strchr(pattern, '{'); p && all <= PATTERN_MAX_WRITTEN_OUT; p = strchr(p, '{')) {
		most = 1;
		for (p++; (*p >= '0' && *p <= '9') || *p == ','; p++) {
			if (*p == ',')
				continue;
			n = strtoul(p, &end, 10);
			most = n > most ? n : most;
			p = end - 1;
		}
		if (most > PATTERN_MAX_WRITTEN_OUT)
			most = PATTERN_MAX_WRITTEN_OUT;
		all *= most;
	}
	return all;
}

static const char *back_reference(const char *pattern)
{
	for (; *pattern; pattern++) {
		if (*pattern != '\\')
			continue;
		if (pattern[1] >= '1' && pattern[1] <= '9')
			return pattern;
		if (!*++pattern)
			break;
	}
	return NULL;
}

int pattern_compile(const char *pattern, size_t groups, regex_t *ret)
{
	char why[256];
	int status;

	if (strlen(pattern) > PATTERN_MAX_BYTES)
		return errf(-EINVAL, "a regular expression has at most %d bytes",
			    PATTERN_MAX_BYTES);
	if (strlen(pattern) * repetitions(pattern) > PATTERN_MAX_WRITTEN_OUT)
		return errf(-EINVAL, "the regular expression '%.200s' repeats too much", pattern);
	if (back_reference(pattern))
		return errf(-EINVAL, "the regular expression '%.200s' refers back to a group",
			    pattern);
	status = regcomp(ret, pattern, REG_EXTENDED | REG_NEWLINE);
	if (status) {
		regerror(status, ret, why, sizeof(why));
		return errf(-EINVAL, "'%.200s' is no regular expression: %s", pattern, why);
	}
	if (ret->re_nsub < groups) {
		regfree(ret);
		return errf(-EINVAL,
			    "the regular expression '%.200s' needs a group, '(...)', around the "
			    "value",
			    pattern);
	}
	return 0;
}

int pattern_check(const char *pattern, size_t groups)
{
	regex_t regex;
	int err = pattern_compile(pattern, groups, &regex);

	if (!err)
		regfree(&regex);
	return err;
}
