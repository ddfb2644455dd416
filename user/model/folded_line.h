/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * folded_line: one line of folded stacks: what is the stack, what its count, and what was wrong.
 * CRLF, "# comments" (with the space: Ruby has methods of "#<Class:X>") and blank lines are fine.
 * The count is the last field, so names may have spaces.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a folded file had that was not quite right, in lines: mended or left out, and counted. */
struct folded_repairs {
	uint64_t no_count;    /* lines without a count: left out */
	uint64_t bad_count;   /* not a number, negative, or beyond 2^63: left out */
	uint64_t empty_stack; /* left out */
	uint64_t text; /* lines with bad UTF-8, NUL or control characters: these were replaced */
	uint64_t too_deep;   /* more than PROFILE_MAX_DEPTH frames: the root's side was cut */
	uint64_t too_long;   /* lines over FOLDED_MAX_LINE: left out */
	uint64_t fractional; /* counts with a fraction: rounded */
};

#define FOLDED_MAX_LINE (4u << 20)

/* Total of all counters, and one sentence about them in 'text' ("" if all was well). */
uint64_t folded_repairs_describe(const struct folded_repairs *r, char *text, size_t size);
void folded_repairs_add(struct folded_repairs *into, const struct folded_repairs *from);

struct folded_line {
	const char *stack; /* in the line; a space or tab follows, which ended it */
	size_t stack_len;
	int64_t count, before; /* before: 0 unless asked for and there */
	bool has_before;
};

/*
 * Parses a line without its newline; what is wrong is counted. False if there is nothing to use:
 * blank, a comment, or left out; else a frame is there. 'two_counts': two numbers at the end are
 * before and after. 'factor' (1: none) multiplies counts before they are rounded.
 */
bool folded_line_parse(const char *text, size_t len, bool two_counts, double factor,
		       struct folded_line *ret, struct folded_repairs *repairs);

/* Cuts spaces and tabs off both ends; the text stays where it is. */
void folded_trim(const char **text, size_t *len);

/* Takes the suffix that tells the kind from a frame of *len bytes, unless nothing would be left. */
uint32_t folded_take_kind(const char *name, size_t *len);
