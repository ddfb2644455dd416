/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "user/base/cleanup.h"
#include "user/sym/line_scan.h"
#include "user/sym/name_arena.h"

static int file_of(const char *text, size_t len)
{
	int fd = memfd_create("lines", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void expect(struct line_scan *scan, const char *want)
{
	const char *line;
	size_t len;

	assert_int_equal(line_scan_next(scan, &line, &len), 1);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(line, want, len);
}

static void only_whole_lines_are_lines(void **state)
{
	_cleanup_(closep) int fd = file_of("one\n\nthree\nfou", 14);
	struct line_scan scan;
	const char *line;
	size_t len;

	(void)state;
	assert_int_equal(line_scan_init(&scan, fd, "text"), 0);
	expect(&scan, "one");
	expect(&scan, "");
	expect(&scan, "three");
	assert_int_equal(line_scan_next(&scan, &line, &len), 0);
	assert_int_equal(scan.done_bytes, 11);
	line_scan_release(&scan);
}

static void an_endless_line_is_cut_and_the_next_one_is_found(void **state)
{
	size_t size = (size_t)10 * LINE_SCAN_MAX;
	_cleanup_(freep) char *text = malloc(size);
	_cleanup_(closep) int fd = -1;
	struct line_scan scan;
	const char *line;
	size_t len;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size);
	text[2] = '\n';
	memcpy(text + size - 5, "\nend\n", 5);
	fd = file_of(text, size);
	assert_int_equal(line_scan_init(&scan, fd, "text"), 0);
	expect(&scan, "xx");
	assert_int_equal(line_scan_next(&scan, &line, &len), 1);
	assert_int_equal(len, LINE_SCAN_MAX);
	expect(&scan, "end");
	assert_int_equal(line_scan_next(&scan, &line, &len), 0);
	assert_int_equal(scan.done_bytes, size);
	line_scan_release(&scan);
}

static bool hex(const char *text, uint64_t *ret, size_t *ret_used)
{
	const char *at = text;
	bool ok = line_scan_hex(&at, text + strlen(text), ret);

	*ret_used = at - text;
	return ok;
}

static void numbers_are_read_up_to_64_bits(void **state)
{
	uint64_t n = 0;
	size_t used;

	(void)state;
	assert_true(hex("ffffffffffffffff z", &n, &used) && n == UINT64_MAX && used == 16);
	assert_true(hex("0x1A", &n, &used) && n == 0x1a && used == 4);
	assert_true(hex("0", &n, &used) && n == 0 && used == 1);
	assert_true(hex("00000000000000000000012", &n, &used) && n == 0x12);
	assert_false(hex("10000000000000000", &n, &used));
	assert_false(hex("", &n, &used));
	assert_false(hex("-1", &n, &used));
	assert_false(hex("0x", &n, &used) && used == 2);
	assert_false(hex("xyz", &n, &used));
}

static void names_stay_where_they_are_and_are_cut(void **state)
{
	struct name_arena arena = { 0 };
	const char *first = name_arena_add(&arena, "first", 5), *long_one;
	char text[NAME_MAX_BYTES + 10];
	int i;

	(void)state;
	memset(text, 'n', sizeof(text));
	long_one = name_arena_add(&arena, text, sizeof(text));
	assert_int_equal(strlen(long_one), NAME_MAX_BYTES);
	for (i = 0; i < 1000; i++)
		assert_string_equal(name_arena_add(&arena, "abcdef", 3), "abc");
	assert_string_equal(name_arena_add(&arena, "a\0b", 3), "a");
	assert_string_equal(first, "first");
	name_arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_whole_lines_are_lines),
		cmocka_unit_test(an_endless_line_is_cut_and_the_next_one_is_found),
		cmocka_unit_test(numbers_are_read_up_to_64_bits),
		cmocka_unit_test(names_stay_where_they_are_and_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
