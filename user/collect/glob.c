/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/glob.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "user/base/err.h"

/* The bytes that one position of a pattern accepts. */
struct bytes {
	bool has[256];
};

/* Parses a bracket expression behind its '['; returns what follows it, or NULL if it never ends. */
static const unsigned char *parse_bracket(const unsigned char *p, struct bytes *ret)
{
	bool negate = *p == '!' || *p == '^';
	unsigned int c, from, to;
	bool first = true;

	if (negate)
		p++;
	for (; *p && (*p != ']' || first); first = false) {
		if (*p == '\\' && p[1])
			p++;
		from = to = *p++;
		if (*p == '-' && p[1] && p[1] != ']') {
			p++;
			if (*p == '\\' && p[1])
				p++;
			to = *p++;
		}
		for (c = from; c <= to; c++)
			ret->has[c] = true;
	}
	if (*p != ']')
		return NULL;
	for (c = 0; negate && c < 256; c++)
		ret->has[c] = !ret->has[c];
	return p + 1;
}

static int compile_one(const char *pattern, struct ft_glob *glob, unsigned int *state)
{
	const unsigned char *p = (const unsigned char *)pattern;

	glob->start |= 1ULL << *state;
	while (*p) {
		struct bytes bytes = { 0 };
		unsigned int c;

		if (*p == '*') {
			glob->loops |= 1ULL << *state;
			p++;
			continue;
		}
		if (*p == '?') {
			memset(bytes.has, 1, sizeof(bytes.has));
			p++;
		} else if (*p == '[') {
			p = parse_bracket(p + 1, &bytes);
			if (!p)
				return errf(-EINVAL, "the pattern '%s' has a '[' without its ']'",
					    pattern);
		} else {
			if (*p == '\\' && !*++p)
				return errf(-EINVAL, "the pattern '%s' ends in a backslash",
					    pattern);
			bytes.has[*p++] = true;
		}
		if (*state + 2 >= FT_GLOB_BITS)
			return errf(-E2BIG, "the patterns are too long together");
		for (c = 1; c < 256; c++) {
			if (bytes.has[c])
				glob->accept[c] |= 1ULL << *state;
		}
		++*state;
	}
	glob->final |= 1ULL << *state;
	++*state; /* the next pattern's start; no byte leads from one to the other */
	return 0;
}

int glob_compile(const char *const *patterns, size_t n, struct ft_glob *ret)
{
	struct ft_glob glob = { 0 };
	unsigned int state = 0;
	size_t i;
	int err;

	for (i = 0; i < n; i++) {
		if (state >= FT_GLOB_BITS - 1)
			return errf(-E2BIG, "the patterns are too long together");
		err = compile_one(patterns[i], &glob, &state);
		if (err)
			return err;
	}
	*ret = glob;
	return 0;
}
