/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/folded_line.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "user/base/array.h"
#include "user/model/profile.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

void folded_trim(const char **text, size_t *len)
{
	while (*len && is_space((*text)[*len - 1]))
		--*len;
	while (*len && is_space(**text)) {
		++*text;
		--*len;
	}
}

/* --- counts -------------------------------------------------------------------------------- */

struct number {
	int64_t whole;
	double fraction;
	bool has_fraction;
	bool rounds_up;
};

enum found { NUMBER, NO_NUMBER, TOO_LARGE };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Decimal digits, perhaps with a fraction. */
static enum found scan_number(const char *text, size_t len, struct number *ret)
{
	struct number n = { 0 };
	bool is_large = false;
	double place = 1;
	size_t i, point;

	for (i = 0; i < len && is_digit(text[i]); i++)
		is_large |= __builtin_mul_overflow(n.whole, 10, &n.whole) ||
			    __builtin_add_overflow(n.whole, text[i] - '0', &n.whole);
	point = i;
	if (i < len && text[i] == '.') {
		n.has_fraction = true;
		n.rounds_up = i + 1 < len && text[i + 1] >= '5';
		/* A double has no more than 17 digits; the rest is looked at, but counts nothing.
		 */
		for (i++; i < len && is_digit(text[i]); i++)
			n.fraction += place > 1e-17 ? (text[i] - '0') * (place /= 10) : 0;
	}
	if (i != len || i == 0 || (point == 0 && i == 1))
		return NO_NUMBER;
	*ret = n;
	return is_large ? TOO_LARGE : NUMBER;
}

static enum found parse_count(const char *text, size_t len, double factor, int64_t *ret,
			      bool *ret_fraction)
{
	struct number n;
	enum found found = scan_number(text, len, &n);
	double v;

	if (found != NUMBER)
		return found;
	*ret_fraction |= n.has_fraction;
	if (factor == 1)
		return __builtin_add_overflow(n.whole, n.rounds_up, ret) ? TOO_LARGE : NUMBER;
	v = round((n.whole + n.fraction) * factor);
	if (!(v >= 0 && v < 0x1p63))
		return TOO_LARGE;
	*ret = v;
	return NUMBER;
}

/* --- lines --------------------------------------------------------------------------------- */

/* Where the last field of a text without spaces at its end begins. */
static size_t last_field(const char *text, size_t len)
{
	while (len && !is_space(text[len - 1]))
		len--;
	return len;
}

/*
 * A count before the last one is there if a stack is left then. Stacks are long and seldom have
 * spaces: only what could be a number is looked at.
 */
static enum found parse_before(struct folded_line *line, double factor, bool *ret_fraction)
{
	size_t start = line->stack_len;
	enum found found;

	while (start && (is_digit(line->stack[start - 1]) || line->stack[start - 1] == '.'))
		start--;
	if (!start || !is_space(line->stack[start - 1]))
		return NO_NUMBER;
	found = parse_count(line->stack + start, line->stack_len - start, factor, &line->before,
			    ret_fraction);
	if (found == NUMBER) {
		line->has_before = true;
		line->stack_len = start;
		folded_trim(&line->stack, &line->stack_len);
	}
	return found;
}

static bool has_frame(const struct folded_line *line)
{
	size_t i;

	for (i = 0; i < line->stack_len; i++) {
		if (line->stack[i] != ';' && line->stack[i] != ' ')
			return true;
	}
	return false;
}

bool folded_line_parse(const char *text, size_t len, bool two_counts, double factor,
		       struct folded_line *ret, struct folded_repairs *repairs)
{
	struct folded_line line = { .stack = text };
	bool fraction = false;
	enum found found;

	if (len && text[len - 1] == '\r')
		len--;
	folded_trim(&line.stack, &len);
	if (!len || (line.stack[0] == '#' && (len == 1 || is_space(line.stack[1]))))
		return false;
	line.stack_len = last_field(line.stack, len);
	found = parse_count(line.stack + line.stack_len, len - line.stack_len, factor, &line.count,
			    &fraction);
	if (found == NUMBER) {
		folded_trim(&line.stack, &line.stack_len);
		if (two_counts && parse_before(&line, factor, &fraction) == TOO_LARGE)
			found = TOO_LARGE;
	}
	if (found != NUMBER) {
		if (line.stack_len || found == TOO_LARGE)
			repairs->bad_count++;
		else
			repairs->no_count++;
		return false;
	}
	repairs->fractional += fraction;
	if (!has_frame(&line)) {
		repairs->empty_stack++;
		return false;
	}
	*ret = line;
	return true;
}

uint32_t folded_take_kind(const char *name, size_t *len)
{
	static const struct {
		const char *suffix;
		uint32_t kind;
	} suffixes[] = {
		{ "_[k]", FRAME_KERNEL },
		{ "_[i]", FRAME_INLINED },
		{ "_[j]", FRAME_INTERPRETED },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(suffixes) && *len > 4; i++) {
		if (!memcmp(name + *len - 4, suffixes[i].suffix, 4)) {
			*len -= 4;
			return suffixes[i].kind;
		}
	}
	return FRAME_USER;
}

/* --- repairs ------------------------------------------------------------------------------- */

uint64_t folded_repairs_describe(const struct folded_repairs *r, char *text, size_t size)
{
	const struct {
		uint64_t n;
		const char *what;
	} kinds[] = {
		{ r->no_count, "without a count (left out)" },
		{ r->bad_count, "with a count that is no number (left out)" },
		{ r->empty_stack, "without a stack (left out)" },
		{ r->too_long, "too long (left out)" },
		{ r->text, "with bad UTF-8 or control characters (replaced)" },
		{ r->too_deep, "with too many frames (cut at the root)" },
		{ r->fractional, "with a fraction (rounded)" },
	};
	uint64_t total = 0;
	size_t i, len = 0;

	if (size)
		text[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].n && len < size)
			len += snprintf(text + len, size - len, "%s%" PRIu64 " %s",
					total ? ", " : "lines: ", kinds[i].n, kinds[i].what);
		total += kinds[i].n;
	}
	return total;
}

void folded_repairs_add(struct folded_repairs *into, const struct folded_repairs *from)
{
	into->no_count += from->no_count;
	into->bad_count += from->bad_count;
	into->empty_stack += from->empty_stack;
	into->text += from->text;
	into->too_deep += from->too_deep;
	into->too_long += from->too_long;
	into->fractional += from->fractional;
}
