/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/collect/capture.h"
#include "user/collect/stack_book.h"

static struct stack_book book;

static int set_up(void **state)
{
	(void)state;
	stack_book_init(&book);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stack_book_release(&book);
	return 0;
}

static void number_0_is_the_stack_without_frames(void **state)
{
	(void)state;
	assert_non_null(stack_book_find(&book, 0));
	assert_int_equal(stack_book_find(&book, 0)->node, CAPTURE_NO_STACK);
	assert_int_equal(stack_book_find(&book, 0)->end, FT_END_NONE);
}

static void what_was_never_told_of_is_not_known(void **state)
{
	(void)state;
	assert_null(stack_book_find(&book, 7));
	assert_int_equal(stack_book_add(&book, 8, (struct stack_entry){ 1, 2 }), 0);
	assert_null(stack_book_find(&book, 7));
}

static void all_are_found_again_and_the_last_word_counts(void **state)
{
	uint64_t n = 5000, i;

	(void)state;
	for (i = 1; i <= n; i++)
		assert_int_equal(stack_book_add(&book, i * i, (struct stack_entry){ i, i % 9 }), 0);
	assert_int_equal(stack_book_add(&book, 49, (struct stack_entry){ 70, FT_END_ROOT }), 0);
	for (i = 1; i <= n; i++) {
		const struct stack_entry *entry = stack_book_find(&book, i * i);

		assert_non_null(entry);
		assert_int_equal(entry->node, i == 7 ? 70 : i);
	}
	assert_int_equal(book.numbers.n, n);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(number_0_is_the_stack_without_frames),
		TEST(what_was_never_told_of_is_not_known),
		TEST(all_are_found_again_and_the_last_word_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
