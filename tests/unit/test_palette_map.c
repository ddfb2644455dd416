/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "flamegraph/palette_map.h"
#include "user/base/err.h"

static struct palette_map *read_map(const char *text, size_t bad)
{
	struct palette_map *map = NULL;
	size_t n = 77;

	assert_int_equal(palette_map_read(text, strlen(text), &map, &n), 0);
	assert_int_equal(n, bad);
	return map;
}

static void is_written(const struct palette_map *map, const char *text)
{
	struct str out = { 0 };

	assert_int_equal(palette_map_write(map, &out), 0);
	assert_string_equal(str_text(&out), text);
	str_release(&out);
}

static void lines_are_read_and_written_in_the_order_of_names(void **state)
{
	struct palette_map *map = read_map("read->rgb(1,22,255)\nmain->rgb(0,0,0)\n"
					   "operator->->rgb(7,8,9)\n",
					   0);
	uint32_t color = 1;

	(void)state;
	assert_true(palette_map_find(map, "read", &color));
	assert_int_equal(color, 0x0116ff);
	assert_true(palette_map_find(map, "main", &color));
	assert_int_equal(color, 0);
	assert_true(palette_map_find(map, "operator->", &color));
	assert_int_equal(color, 0x070809);
	assert_false(palette_map_find(map, "operator", &color));
	assert_false(palette_map_find(map, "", &color));
	assert_int_equal(palette_map_add(map, "a;b", 0xff010203), 0);
	assert_int_equal(palette_map_add(map, "main", 0x040506), 0);
	is_written(map, "a;b->rgb(1,2,3)\nmain->rgb(4,5,6)\noperator->->rgb(7,8,9)\n"
			"read->rgb(1,22,255)\n");
	palette_map_free(map);
}

static void what_was_written_reads_back(void **state)
{
	struct palette_map *map = read_map("", 0), *again;
	struct str out = { 0 };

	(void)state;
	is_written(map, "");
	assert_int_equal(palette_map_add(map, "x->rgb(1,2,3)", 0xa0b0c0), 0);
	assert_int_equal(palette_map_add(map, "y z", 0xffffff), 0);
	assert_int_equal(palette_map_write(map, &out), 0);
	again = read_map(str_text(&out), 0);
	is_written(again, str_text(&out));
	str_release(&out);
	palette_map_free(map);
	palette_map_free(again);
}

static void bad_lines_are_counted_and_the_rest_is_used(void **state)
{
	static const char text[] = "good->rgb(1,2,3)\r\n\n"
				   "no colour\n"
				   "->rgb(1,2,3)\n"
				   "large->rgb(256,0,0)\n"
				   "few->rgb(1,2)\n"
				   "many->rgb(1,2,3,4)\n"
				   "long->rgb(0001,2,3)\n"
				   "minus->rgb(-1,2,3)\n"
				   "space->rgb(1, 2,3)\n"
				   "after->rgb(1,2,3) x\n"
				   "open->rgb(1,2,3\n"
				   "rgb(1,2,3)\n"
				   "last->rgb(4,5,6)";
	struct palette_map *map = read_map(text, 11);

	(void)state;
	is_written(map, "good->rgb(1,2,3)\nlast->rgb(4,5,6)\n");
	palette_map_free(map);
}

static void a_name_with_a_nul_is_no_name(void **state)
{
	static const char text[] = "a\0b->rgb(1,2,3)\nc->rgb(1,2,3)\n";
	struct palette_map *map = NULL;
	size_t bad;

	(void)state;
	assert_int_equal(palette_map_read(text, sizeof(text) - 1, &map, &bad), 0);
	assert_int_equal(bad, 1);
	is_written(map, "c->rgb(1,2,3)\n");
	palette_map_free(map);
}

static void a_file_that_is_too_large_is_refused(void **state)
{
	struct palette_map *map = NULL;
	size_t bad = 5;

	(void)state;
	assert_int_equal(palette_map_read("", PALETTE_MAP_MAX + (1u << 20), &map, &bad), -EFBIG);
	assert_string_equal(err_text(), "a palette of 65 MB is too large: at most 64 MB");
	assert_null(map);
	assert_int_equal(bad, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read_and_written_in_the_order_of_names),
		cmocka_unit_test(what_was_written_reads_back),
		cmocka_unit_test(bad_lines_are_counted_and_the_rest_is_used),
		cmocka_unit_test(a_name_with_a_nul_is_no_name),
		cmocka_unit_test(a_file_that_is_too_large_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
