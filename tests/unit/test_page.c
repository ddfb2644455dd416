/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/bench/page.h"

static void assert_quantity(double value, const char *unit, const char *expected)
{
	_cleanup_(page_release) struct page p = { 0 };

	page_quantity(&p, value, unit);
	assert_string_equal(str_text(&p.text), expected);
}

static void quantities_have_four_digits_and_a_unit_that_suits(void **state)
{
	(void)state;
	assert_quantity(0, "ns", "0 ns");
	assert_quantity(999, "ns", "999 ns");
	assert_quantity(1234, "ns", "1.234 us");
	assert_quantity(12345678, "ns", "12.35 ms");
	assert_quantity(-12345678, "nanoseconds", "-12.35 ms");
	assert_quantity(5e12, "ns", "5000 s");
	assert_quantity(1536, "bytes", "1.5 KiB");
	assert_quantity(0x1p31, "bytes", "2 GiB");
	assert_quantity(1234567, "count", "1234567");
	assert_quantity(0.12345, "points", "0.1235 points");
	assert_quantity(7, NULL, "7");
	assert_quantity(7, "", "7");
	assert_quantity(7, "a\nb", "7 a?b");
	assert_quantity(1e20, "x", "1e+20 x");
	assert_quantity(NAN, "ns", "-");
	assert_quantity(INFINITY, "ns", "-");
}

static void changes_have_a_sign(void **state)
{
	_cleanup_(page_release) struct page p = { 0 };

	(void)state;
	page_change(&p, 0.0314, false);
	page_put(&p, ";");
	page_change(&p, -0.05, true);
	page_put(&p, ";");
	page_change(&p, NAN, true);
	assert_string_equal(str_text(&p.text), "+3.1 %;-5.0 points;-");
}

static void columns_are_cut_and_filled_by_characters(void **state)
{
	_cleanup_(page_release) struct page p = { 0 };

	(void)state;
	page_column(&p, "ab", 4);
	page_put(&p, "|");
	page_column(&p, "\xc3\xa4\xc3\xb6\xc3\xbc", 2);
	page_put(&p, "|");
	page_column(&p, "a\tb", 3);
	page_put(&p, "|");
	assert_string_equal(str_text(&p.text), "ab  |\xc3\xa4\xc3\xb6|a?b|");
}

/* Each way in: what it makes of the same hostile name. */
static void names_stay_in_their_place(void **state)
{
	static const char name[] = "\\`*_[]<>#|&~@\"%:,\n'";
	static const struct {
		void (*put)(struct page *p, const char *text);
		const char *expected;
	} ways[] = {
		{ page_clean, "\\`*_[]<>#|&~@\"%:,?'" },
		{ page_xml, "\\`*_[]&lt;&gt;#|&amp;~@&quot;%:,?&#39;" },
		{ page_code, "`\\'*_[]<>#\\|&~@\"%:,?'`" },
		{ page_words, "\\\\\\`\\*\\_\\[\\]&lt;&gt;\\#\\|&amp;\\~\\@\"%:,?'" },
		{ page_label, "\\\\`*_[]<>#|&~@\\\"%:,?'" },
		{ page_message, "\\`*_[]<>#|&~@\"%25:,?'" },
		{ page_property, "\\`*_[]<>#|&~@\"%25%3A%2C?'" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		_cleanup_(page_release) struct page p = { 0 };

		ways[i].put(&p, name);
		assert_string_equal(str_text(&p.text), ways[i].expected);
		ways[i].put(&p, NULL); /* is nothing */
		assert_int_equal(p.err, 0);
	}
}

static void a_full_disk_is_told_of(void **state)
{
	_cleanup_(page_release) struct page p = { 0 };
	_cleanup_(fclosep) FILE *full = fopen("/dev/full", "we");

	(void)state;
	page_put(&p, "something");
	assert_int_equal(page_write(&p, "the report", full), -EIO);
	assert_non_null(strstr(err_text(), "the report"));
	p.err = -ENOMEM;
	assert_int_equal(page_write(&p, "the report", full), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantities_have_four_digits_and_a_unit_that_suits),
		cmocka_unit_test(changes_have_a_sign),
		cmocka_unit_test(columns_are_cut_and_filled_by_characters),
		cmocka_unit_test(names_stay_in_their_place),
		cmocka_unit_test(a_full_disk_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
