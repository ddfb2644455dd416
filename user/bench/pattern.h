/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern: POSIX extended regular expressions of a scenario, which may be hostile: "a{255}" nested
 * a few times takes all memory when it is compiled, and back-references take all time when they
 * are matched.
 */
#pragma once

#include <regex.h>
#include <stddef.h>

#define PATTERN_MAX_BYTES 1024

/*
 * Compiles with REG_EXTENDED | REG_NEWLINE; the caller calls regfree(). -EINVAL with a sentence
 * ("'[a': Unmatched [ ...") if it is none, needs too much, or has fewer than 'groups' groups.
 */
int pattern_compile(const char *pattern, size_t groups, regex_t *ret);

/* The same, without keeping it. */
int pattern_check(const char *pattern, size_t groups);
