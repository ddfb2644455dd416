/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "flamegraph/label.h"
#include "user/base/array.h"

static void labels_are_cut_to_their_room(void **state)
{
	static const char *const names[] = {
		"do_syscall_64",
		"std::vector<int>::push_back(int&&)",
		"iii",
		"WWWWWWWW",
		"caf\xc3\xa9_cr\xc3\xa8me",
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe5\x90\x8d",
		"x",
	};
	size_t i;
	long room;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		for (room = -100; room < 30000; room += 37) {
			struct str label = { 0 };

			assert_int_equal(label_fit(names[i], 12, room, &label), 0);
			assert_true(!label.len || label_width(label.data, 12) <= room);
			assert_true(text_is_clean(str_text(&label), label.len, 0));
			if (room >= label_width(names[i], 12))
				assert_string_equal(label.data, names[i]);
			str_release(&label);
		}
	}
}

static void a_cut_label_keeps_at_least_three_characters(void **state)
{
	struct str label = { 0 };

	(void)state;
	assert_int_equal(label_fit("iiiiiiii", 10, 278 * 3 + 1000, &label), 0);
	assert_string_equal(str_text(&label), "iii\xe2\x80\xa6");
	str_clear(&label);
	assert_int_equal(label_fit("iiiiiiii", 10, 278 * 3 + 999, &label), 0);
	assert_string_equal(str_text(&label), "");
	str_release(&label);
}

static void letters_grow_with_their_size(void **state)
{
	(void)state;
	assert_int_equal(label_width("iii", 10), 3 * 278);
	assert_int_equal(label_width("iii", 20), 3 * 556);
	assert_int_equal(label_width("a", 12.5), 767); /* 613 * 1.25, up */
}

static void in_a_font_that_is_not_known_letters_may_all_be_wide(void **state)
{
	struct str label = { 0 };

	(void)state;
	assert_int_equal(label_least_width(NULL), 0);
	assert_int_equal(label_least_width(LABEL_FONT), 0);
	assert_true(label_least_width("monospace") > 602); /* of DejaVu Sans Mono */
	assert_int_equal(label_width_font("iiW", 10, 602), 2 * 602 + 989);
	assert_int_equal(label_fit_font("iiiiiiii", 10, 602, 8 * 602, &label), 0);
	assert_string_equal(str_text(&label), "iiiiiiii");
	str_clear(&label);
	assert_int_equal(label_fit_font("iiiiiiii", 10, 602, 8 * 602 - 1, &label), 0);
	assert_string_equal(str_text(&label), "iiiiii\xe2\x80\xa6");
	str_release(&label);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_cut_to_their_room),
		cmocka_unit_test(a_cut_label_keeps_at_least_three_characters),
		cmocka_unit_test(letters_grow_with_their_size),
		cmocka_unit_test(in_a_font_that_is_not_known_letters_may_all_be_wide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
