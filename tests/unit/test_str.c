/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "user/base/str.h"

static void assert_cleaned(const char *text, size_t len, char avoid, const char *expected)
{
	_cleanup_(str_release) struct str s = { 0 };

	assert_int_equal(str_add(&s, "<"), 0);
	assert_int_equal(str_add_clean(&s, text, len, avoid), 0);
	assert_string_equal(s.data + 1, expected);
	assert_int_equal(s.len, strlen(expected) + 1);
	assert_true(text_is_clean(s.data, s.len, avoid));
	assert_int_equal(text_is_clean(text, len, avoid),
			 len == strlen(expected) && !memcmp(text, expected, len));
}

static void an_unused_string_is_empty_text(void **state)
{
	struct str s = { 0 };

	(void)state;
	assert_string_equal(str_text(&s), "");
	str_clear(&s);
	str_release(&s);
	assert_null(s.data);
}

static void appending_keeps_the_text_and_its_end(void **state)
{
	_cleanup_(str_release) struct str s = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_int_equal(str_addf(&s, "%d,", i % 10), 0);
	assert_int_equal(s.len, 2000);
	assert_int_equal(strlen(s.data), 2000);
	assert_memory_equal(s.data + 1996, "8,9,", 5);
	assert_int_equal(str_add_bytes(&s, "a\0b", 3), 0);
	assert_int_equal(s.len, 2003);
	assert_memory_equal(s.data + 2000, "a\0b", 4);
	assert_int_equal(str_add_bytes(&s, NULL, 0), 0);
	assert_int_equal(s.len, 2003);
}

static void clearing_keeps_the_storage(void **state)
{
	_cleanup_(str_release) struct str s = { 0 };
	char *data;

	(void)state;
	assert_int_equal(str_add(&s, "something"), 0);
	data = s.data;
	str_clear(&s);
	assert_string_equal(str_text(&s), "");
	assert_int_equal(str_add(&s, "else"), 0);
	assert_ptr_equal(s.data, data);
}

static void an_impossible_size_leaves_the_string_as_it_was(void **state)
{
	_cleanup_(str_release) struct str s = { 0 };

	(void)state;
	assert_int_equal(str_add(&s, "kept"), 0);
	assert_int_equal(str_add_bytes(&s, "x", SIZE_MAX - 2), -ENOMEM);
	assert_string_equal(s.data, "kept");
	assert_int_equal(s.len, 4);
}

static void clean_text_is_not_changed(void **state)
{
	(void)state;
	assert_cleaned("", 0, ';', "");
	assert_cleaned("operator<< (a, b)", 17, ';', "operator<< (a, b)");
	assert_cleaned("na\xc3\xafve \xe2\x82\xac \xf0\x9f\x94\xa5", 15, ';',
		       "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x94\xa5");
}

static void the_avoided_character_becomes_a_colon(void **state)
{
	(void)state;
	assert_cleaned("a;b;;c", 6, ';', "a:b::c");
	assert_cleaned("a;b", 3, 0, "a;b");
}

static void control_characters_become_question_marks(void **state)
{
	(void)state;
	assert_cleaned("a\nb\rc\td\x1b[31m\x7f", 13, ';', "a?b?c?d?[31m?");
	assert_cleaned("a\0b", 3, ';', "a?b");
	assert_cleaned("\xc2\x80\xc2\x9b[m\xc2\x9f", 8, ';', "??[m?"); /* C1 */
	assert_cleaned("\xe2\x80\xa8|\xe2\x80\xa9", 7, ';', "?|?");    /* U+2028, U+2029 */
	assert_cleaned("\xc2\xa0", 2, ';', "\xc2\xa0");		       /* the first that is none */
}

static void what_is_not_utf8_becomes_replacement_characters(void **state)
{
	(void)state;
	assert_cleaned("\x80", 1, 0, "\xef\xbf\xbd");
	assert_cleaned("a\xff\xfe", 3, 0, "a\xef\xbf\xbd\xef\xbf\xbd");
	assert_cleaned("\xc0\xaf", 2, 0, "\xef\xbf\xbd\xef\xbf\xbd"); /* overlong '/' */
	assert_cleaned("\xe0\x80\xaf", 3, 0, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_cleaned("\xed\xa0\x80", 3, 0, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* D800 */
	assert_cleaned("\xf4\x90\x80\x80", 4, 0,
		       "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* 110000 */
	assert_cleaned("\xf5", 1, 0, "\xef\xbf\xbd");
}

static void a_sequence_cut_short_does_not_swallow_what_follows(void **state)
{
	(void)state;
	assert_cleaned("\xe2\x82", 2, 0, "\xef\xbf\xbd\xef\xbf\xbd");
	assert_cleaned("\xe2\x82;x", 4, ';', "\xef\xbf\xbd\xef\xbf\xbd:x");
	assert_cleaned("\xf0\x9f\nx", 4, 0, "\xef\xbf\xbd\xef\xbf\xbd?x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unused_string_is_empty_text),
		cmocka_unit_test(appending_keeps_the_text_and_its_end),
		cmocka_unit_test(clearing_keeps_the_storage),
		cmocka_unit_test(an_impossible_size_leaves_the_string_as_it_was),
		cmocka_unit_test(clean_text_is_not_changed),
		cmocka_unit_test(the_avoided_character_becomes_a_colon),
		cmocka_unit_test(control_characters_become_question_marks),
		cmocka_unit_test(what_is_not_utf8_becomes_replacement_characters),
		cmocka_unit_test(a_sequence_cut_short_does_not_swallow_what_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
