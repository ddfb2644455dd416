/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/model/folded_line.h"
#include "user/model/profile.h"

/* A line in a block of its own size, so that a sanitizer sees what is read beside it. */
static bool parse_bytes(const char *text, size_t len, bool two_counts, double factor,
			char ret_stack[256], struct folded_line *ret,
			struct folded_repairs *repairs)
{
	_cleanup_(freep) char *block = malloc(len + !len);
	bool is_usable;

	assert_non_null(block);
	memcpy(block, text, len);
	*repairs = (struct folded_repairs){ 0 };
	is_usable = folded_line_parse(block, len, two_counts, factor, ret, repairs);
	if (is_usable) {
		assert_true(ret->stack >= block && ret->stack + ret->stack_len < block + len);
		assert_true(ret->stack[ret->stack_len] == ' ' ||
			    ret->stack[ret->stack_len] == '\t');
		assert_true(ret->stack_len < 256);
		memcpy(ret_stack, ret->stack, ret->stack_len);
		ret_stack[ret->stack_len] = '\0';
	}
	return is_usable;
}

static void assert_line(const char *text, const char *stack, int64_t count)
{
	struct folded_repairs repairs;
	struct folded_line line;
	char found[256];

	assert_true(parse_bytes(text, strlen(text), false, 1, found, &line, &repairs));
	assert_string_equal(found, stack);
	assert_true(line.count == count);
	assert_true(line.before == 0 && !line.has_before);
	assert_int_equal(folded_repairs_describe(&repairs, NULL, 0), 0);
}

static void the_last_field_is_the_count(void **state)
{
	(void)state;
	assert_line("a;b 1", "a;b", 1);
	assert_line("a;b 1\r", "a;b", 1);
	assert_line(" \ta;b \t 00012 \t\r", "a;b", 12);
	assert_line("f(int, long) const 12 34", "f(int, long) const 12", 34);
	assert_line("#<Class:0x1>#each 1", "#<Class:0x1>#each", 1);
	assert_line(";;a; 3", ";;a;", 3);
	assert_line("a 0", "a", 0);
	assert_line("a 9223372036854775807", "a", INT64_MAX);
}

/* The counters by name: which of them is 1 after that line, which is not usable. */
static void assert_left_out(const char *text, size_t len, size_t counter)
{
	struct folded_repairs repairs, expected = { 0 };
	struct folded_line line = { .count = 7 };
	char found[256];

	assert_false(parse_bytes(text, len, false, 1, found, &line, &repairs));
	assert_int_equal(line.count, 7);
	if (counter != SIZE_MAX)
		*(uint64_t *)((char *)&expected + counter) = 1;
	assert_memory_equal(&repairs, &expected, sizeof(expected));
}
#define ASSERT_LEFT_OUT(text, counter) \
	assert_left_out(text, sizeof(text) - 1, offsetof(struct folded_repairs, counter))

static void blank_lines_and_comments_are_fine(void **state)
{
	static const char *const texts[] = { "", " ", "\t \r", "\r", "#", "# a 1", " #\ta 1" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_left_out(texts[i], strlen(texts[i]), SIZE_MAX);
}

static void what_cannot_be_used_is_counted_by_kind(void **state)
{
	(void)state;
	ASSERT_LEFT_OUT("no;count", no_count);
	ASSERT_LEFT_OUT("\0", no_count);
	ASSERT_LEFT_OUT("a x", bad_count);
	ASSERT_LEFT_OUT("a -5", bad_count);
	ASSERT_LEFT_OUT("a +1", bad_count);
	ASSERT_LEFT_OUT("a 0x10", bad_count);
	ASSERT_LEFT_OUT("a 1e5", bad_count);
	ASSERT_LEFT_OUT("a nan", bad_count);
	ASSERT_LEFT_OUT("a .", bad_count);
	ASSERT_LEFT_OUT("a 1.2.3", bad_count);
	ASSERT_LEFT_OUT("a 2\0", bad_count);
	ASSERT_LEFT_OUT("a 9223372036854775808", bad_count);
	ASSERT_LEFT_OUT("a 9223372036854775807.5", bad_count);
	ASSERT_LEFT_OUT("a 99999999999999999999999999999999999999", bad_count);
	ASSERT_LEFT_OUT("5", empty_stack);
	ASSERT_LEFT_OUT(" 5", empty_stack);
	ASSERT_LEFT_OUT("; ; 7", empty_stack);
}

static void assert_rounded(const char *text, double factor, int64_t count, int fractional)
{
	struct folded_repairs repairs;
	struct folded_line line;
	char found[256];

	assert_true(parse_bytes(text, strlen(text), false, factor, found, &line, &repairs));
	assert_true(line.count == count);
	assert_int_equal(repairs.fractional, fractional);
	assert_int_equal(folded_repairs_describe(&repairs, NULL, 0), fractional);
}

static void counts_with_a_fraction_are_rounded_exactly(void **state)
{
	(void)state;
	assert_rounded("a 2.5", 1, 3, 1);
	assert_rounded("a 2.4999999999999999999999", 1, 2, 1);
	assert_rounded("a .5", 1, 1, 1);
	assert_rounded("a 5.", 1, 5, 1);
	assert_rounded("a 0.4", 1, 0, 1);
	assert_rounded("a 9223372036854775807.4", 1, INT64_MAX, 1);
	assert_rounded("a 4503599627370497.5", 1, 4503599627370498, 1);
}

static void a_factor_is_applied_before_rounding(void **state)
{
	struct folded_repairs repairs;
	struct folded_line line;
	char found[256];

	(void)state;
	assert_rounded("a 10", 0.25, 3, 0);
	assert_rounded("a 2.25", 100, 225, 1);
	assert_rounded("a 0.000000000000000000000000001", 1e9, 0, 1);
	assert_rounded("a 1000000000", 1e9, 1000000000000000000, 0);
	assert_false(parse_bytes("a 100", 5, false, 1e18, found, &line, &repairs));
	assert_int_equal(repairs.bad_count, 1);
}

static void of_two_counts_the_first_is_before(void **state)
{
	static const struct {
		const char *text, *stack;
		int64_t before, count;
		bool has_before;
	} lines[] = {
		{ "a;b 3 4", "a;b", 3, 4, true },    { "a;b\t 3 \t4 \r", "a;b", 3, 4, true },
		{ "a;b 0 4", "a;b", 0, 4, true },    { "a;b 4", "a;b", 0, 4, false },
		{ "a;b x 4", "a;b x", 0, 4, false }, { "5 6", "5", 0, 6, false },
		{ "a 1 2 3", "a 1", 2, 3, true },
	};
	struct folded_repairs repairs;
	struct folded_line line;
	char found[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_true(parse_bytes(lines[i].text, strlen(lines[i].text), true, 1, found, &line,
					&repairs));
		assert_string_equal(found, lines[i].stack);
		assert_true(line.before == lines[i].before && line.count == lines[i].count);
		assert_int_equal(line.has_before, lines[i].has_before);
	}
	/* Both are scaled; a line is counted once. */
	assert_true(parse_bytes("a 1.5 2.5", 9, true, 2, found, &line, &repairs));
	assert_true(line.before == 3 && line.count == 5);
	assert_int_equal(repairs.fractional, 1);
	assert_false(parse_bytes("a 9999999999999999999 5", 23, true, 1, found, &line, &repairs));
	assert_int_equal(repairs.bad_count, 1);
}

static void a_suffix_is_taken_unless_nothing_would_be_left(void **state)
{
	static const struct {
		const char *name;
		uint32_t kind;
		size_t len;
	} names[] = {
		{ "a_[k]", FRAME_KERNEL, 1 },
		{ "ab_[i]", FRAME_INLINED, 2 },
		{ "a_[j]", FRAME_INTERPRETED, 1 },
		{ "a_[w]", FRAME_USER, 5 },
		{ "_[k]", FRAME_USER, 4 },
		{ "k]", FRAME_USER, 2 },
		{ "", FRAME_USER, 0 },
		{ "a_[k]_[i]", FRAME_INLINED, 5 },
	};
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		len = strlen(names[i].name);
		assert_int_equal(folded_take_kind(names[i].name, &len), names[i].kind);
		assert_int_equal(len, names[i].len);
	}
}

static void repairs_are_described_and_added(void **state)
{
	struct folded_repairs all = { .no_count = 1,
				      .bad_count = 2,
				      .empty_stack = 3,
				      .text = 4,
				      .too_deep = 5,
				      .too_long = 6,
				      .fractional = 7 };
	const struct folded_repairs same = all;
	char text[1024];

	(void)state;
	folded_repairs_add(&all, &same);
	assert_int_equal(folded_repairs_describe(&all, text, sizeof(text)), 56);
	assert_string_equal(
		text, "lines: 2 without a count (left out), 4 with a count that is no number "
		      "(left out), 6 without a stack (left out), 12 too long (left out), 8 with "
		      "bad UTF-8 or control characters (replaced), 10 with too many frames (cut "
		      "at the root), 14 with a fraction (rounded)");
	all = (struct folded_repairs){ 0 };
	assert_int_equal(folded_repairs_describe(&all, text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_field_is_the_count),
		cmocka_unit_test(blank_lines_and_comments_are_fine),
		cmocka_unit_test(what_cannot_be_used_is_counted_by_kind),
		cmocka_unit_test(counts_with_a_fraction_are_rounded_exactly),
		cmocka_unit_test(a_factor_is_applied_before_rounding),
		cmocka_unit_test(of_two_counts_the_first_is_before),
		cmocka_unit_test(a_suffix_is_taken_unless_nothing_would_be_left),
		cmocka_unit_test(repairs_are_described_and_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
