/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tree.h"

#include <pthread.h>

#include "flamegraph/folded_source.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/model/folded_line.h"

static int set_up(void **state)
{
	(void)state;
	tree_make();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tree_remove("");
	return 0;
}

/* All blocks: each in brackets, '^' before one that begins a file. */
static void assert_blocks(char *const *paths, size_t n, size_t block_bytes, const char *expected)
{
	struct folded_block block = { 0 };
	struct folded_source source;
	struct str text = { 0 };
	int some;

	folded_source_init(&source, paths, n, block_bytes);
	assert_int_equal(folded_source_is_done(&source), !n);
	while ((some = folded_source_read(&source, &block)) > 0) {
		assert_true(block.len && block.data[block.len - 1] == '\n');
		assert_true(block.cap >= block.len + FOLDED_PADDING);
		assert_int_equal(str_add(&text, block.begins_file ? "^[" : "["), 0);
		assert_int_equal(str_add_bytes(&text, block.data, block.len), 0);
		assert_int_equal(str_add(&text, "]"), 0);
	}
	assert_int_equal(some, 0);
	assert_true(folded_source_is_done(&source));
	assert_int_equal(folded_source_read(&source, &block), 0);
	assert_string_equal(str_text(&text), expected);
	assert_int_equal(source.too_long, 0);
	str_release(&text);
	folded_block_release(&block);
	folded_source_release(&source);
}

static void blocks_are_of_whole_lines(void **state)
{
	char path[4096], *paths[] = { path };

	(void)state;
	tree_write("in", "one\ntwo\n\nthree and more\n4");
	strcpy(path, tree_path("in"));
	assert_blocks(paths, 1, 1000, "^[one\ntwo\n\nthree and more\n4\n]");
	assert_blocks(paths, 1, 9, "^[one\ntwo\n\n][three and more\n4\n]");
	assert_blocks(paths, 1, 6, "^[one\n][two\n\n][three and more\n][4\n]");
	assert_blocks(paths, 1, 1, "^[one\n][two\n][\n][three and more\n][4\n]");
}

static void files_follow_each_other(void **state)
{
	char names[3][4096], *paths[] = { names[0], names[1], names[2] };

	(void)state;
	tree_write("1", "a");
	tree_write("2", "");
	tree_write("3", "b\nc\n");
	strcpy(names[0], tree_path("1"));
	strcpy(names[1], tree_path("2"));
	strcpy(names[2], tree_path("3"));
	assert_blocks(paths, 3, 1000, "^[a\n]^[b\nc\n]");
	assert_blocks(paths, 3, 2, "^[a\n]^[b\n][c\n]");
	assert_blocks(paths, 2, 2, "^[a\n]");
	assert_blocks(paths, 0, 2, "");
}

static void a_line_too_long_is_skipped_and_counted(void **state)
{
	_cleanup_(freep) char *line = malloc(FOLDED_MAX_LINE + 4096);
	char path[4096], *paths[] = { path };
	struct folded_block block = { 0 };
	struct folded_source source;

	(void)state;
	assert_non_null(line);
	memset(line, 'x', FOLDED_MAX_LINE + 4096);
	strcpy(line + FOLDED_MAX_LINE + 4000, "\nlast\n");
	tree_write("in", line);
	strcpy(path, tree_path("in"));
	folded_source_init(&source, paths, 1, 1024);
	assert_int_equal(folded_source_read(&source, &block), 1);
	assert_int_equal(block.len, 5);
	assert_memory_equal(block.data, "last\n", 5);
	/* What looks like a byte order mark would be none. */
	assert_false(block.begins_file);
	assert_int_equal(source.too_long, 1);
	assert_int_equal(folded_source_read(&source, &block), 0);
	folded_block_release(&block);
	folded_source_release(&source);
}

static void nobody_gets_more_after_it_was_stopped(void **state)
{
	char path[4096], *paths[] = { path, path };
	struct folded_block block = { 0 };
	struct folded_source source;

	(void)state;
	tree_write("in", "a\nb\n");
	strcpy(path, tree_path("in"));
	folded_source_init(&source, paths, 2, 2);
	assert_int_equal(folded_source_read(&source, &block), 1);
	assert_false(folded_source_is_done(&source));
	folded_source_stop(&source);
	assert_true(folded_source_is_done(&source));
	assert_int_equal(folded_source_read(&source, &block), 0);
	folded_block_release(&block);
	folded_source_release(&source);
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
	char path[4096], *paths[] = { path };
	struct folded_block block = { 0 };
	struct folded_source source;

	(void)state;
	strcpy(path, tree_path("missing"));
	folded_source_init(&source, paths, 1, 2);
	assert_int_equal(folded_source_read(&source, &block), -ENOENT);
	assert_non_null(strstr(err_text(), "missing"));
	folded_block_release(&block);
	folded_source_release(&source);
}

/* --- many at the same time ----------------------------------------------------------------- */

struct reader {
	struct folded_source *source;
	pthread_t thread;
	uint64_t lines, sum;
};

static void *read_numbers(void *arg)
{
	struct reader *r = arg;
	struct folded_block block = { 0 };
	char *at;

	while (folded_source_read(r->source, &block) > 0) {
		for (at = block.data; at < block.data + block.len; at = strchr(at, '\n') + 1) {
			r->lines++;
			r->sum += strtoul(at, NULL, 10);
		}
	}
	folded_block_release(&block);
	return NULL;
}

static void each_line_goes_to_one_of_many_readers(void **state)
{
	char path[4096], *paths[] = { path };
	struct folded_source source;
	struct reader readers[4] = { 0 };
	uint64_t lines = 0, sum = 0, i;
	FILE *f;

	(void)state;
	strcpy(path, tree_path("in"));
	f = fopen(path, "we");
	assert_non_null(f);
	for (i = 1; i <= 20000; i++)
		assert_true(fprintf(f, "%u\n", (unsigned int)i) > 0);
	assert_int_equal(fclose(f), 0);
	folded_source_init(&source, paths, 1, 50);
	for (i = 0; i < 4; i++) {
		readers[i].source = &source;
		assert_int_equal(
			pthread_create(&readers[i].thread, NULL, read_numbers, &readers[i]), 0);
	}
	for (i = 0; i < 4; i++) {
		pthread_join(readers[i].thread, NULL);
		lines += readers[i].lines;
		sum += readers[i].sum;
	}
	folded_source_release(&source);
	assert_int_equal(lines, 20000);
	assert_int_equal(sum, 20000ull * 20001 / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_of_whole_lines),
		cmocka_unit_test(files_follow_each_other),
		cmocka_unit_test(a_line_too_long_is_skipped_and_counted),
		cmocka_unit_test(nobody_gets_more_after_it_was_stopped),
		cmocka_unit_test(a_file_that_is_not_there_is_an_error),
		cmocka_unit_test(each_line_goes_to_one_of_many_readers),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
