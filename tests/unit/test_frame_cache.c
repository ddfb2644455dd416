/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/frame_cache.h"
#include "user/base/cleanup.h"

static struct flame_tree *tree;
static struct frame_cache *cache;

static void make(const char *encoding)
{
	frame_cache_free(cache);
	flame_tree_free(tree);
	cache = NULL;
	tree = NULL;
	assert_int_equal(flame_tree_new(false, &tree), 0);
	assert_int_equal(frame_cache_new(tree, NULL, encoding, &cache), 0);
}

static int set_up(void **state)
{
	(void)state;
	make(NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	frame_cache_free(cache);
	flame_tree_free(tree);
	cache = NULL;
	tree = NULL;
	return 0;
}

/* In a block that ends where the padding does, so that a sanitizer sees what is read behind it. */
static struct cached_frame find(const char *bytes, size_t len)
{
	_cleanup_(freep) char *block = malloc(len + FRAME_CACHE_PADDING);
	const struct cached_frame *found = NULL;
	struct frame_key key;

	assert_non_null(block);
	memcpy(block, bytes, len);
	memset(block + len, ';', FRAME_CACHE_PADDING);
	frame_cache_key(cache, block, &key);
	assert_int_equal(key.len, len);
	frame_cache_ask(cache, &key);
	assert_int_equal(frame_cache_find(cache, &key, &found), 0);
	assert_int_equal(found->len, len);
	return *found;
}

static void assert_frame(const char *bytes, const char *name, const char *module, uint32_t kind,
			 bool is_mended)
{
	struct cached_frame first = find(bytes, strlen(bytes)), again = find(bytes, strlen(bytes));
	const struct flame_frame *frame = &tree->frames[first.frame];

	assert_int_equal(first.frame, again.frame);
	assert_string_equal(strtab_get(&tree->names, frame->name), name);
	assert_string_equal(strtab_get(&tree->names, frame->module), module);
	assert_int_equal(frame->kind, kind);
	assert_int_equal(first.is_mended, is_mended);
	assert_int_equal(again.is_mended, is_mended);
}

static void bytes_become_frames(void **state)
{
	(void)state;
	assert_frame("main", "main", "", FRAME_USER, false);
	assert_frame("a function of more than 8 bytes", "a function of more than 8 bytes", "",
		     FRAME_USER, false);
	assert_frame("read_[k]", "read", "[kernel]", FRAME_KERNEL, false);
	assert_frame("copy_[i]", "copy", "", FRAME_INLINED, false);
	assert_frame("_[k]", "_[k]", "", FRAME_USER, false);
	assert_frame("caf\xc3\xa9", "caf\xc3\xa9", "", FRAME_USER, false);
	assert_frame("caf\xe9", "caf\xef\xbf\xbd", "", FRAME_USER, true);
	assert_frame("a\tb", "a?b", "", FRAME_USER, true);
}

static void bytes_that_mean_the_same_are_one_frame(void **state)
{
	(void)state;
	assert_int_equal(find("main", 4).frame, find("  main ", 7).frame);
	assert_int_equal(find("a\x01", 2).frame, find("a?", 2).frame);
	assert_int_not_equal(find("main", 4).frame, find("main_[k]", 8).frame);
	assert_int_not_equal(find("main", 4).frame, find("mai", 3).frame);
	assert_int_equal(cache->n, 6);
}

static void what_follows_the_end_makes_no_difference(void **state)
{
	const char texts[2][24] = { "main;zzzzzzzzzzzzzz", "main;another;frame 1" };
	const struct cached_frame *found;
	struct frame_key key;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		frame_cache_key(cache, texts[i], &key);
		assert_int_equal(frame_cache_find(cache, &key, &found), 0);
		assert_int_equal(found->len, 4);
	}
	assert_int_equal(cache->n, 1);
}

static void space_is_no_frame(void **state)
{
	(void)state;
	assert_int_equal(find(" ", 1).frame, FRAME_CACHE_BLANK);
	assert_int_equal(find("          ", 10).frame, FRAME_CACHE_BLANK);
	assert_int_equal(tree->n_frames, 1);
}

static void nul_bytes_count(void **state)
{
	(void)state;
	assert_int_not_equal(find("a", 1).text, find("a\0", 2).text);
	assert_int_not_equal(find("a\0", 2).text, find("a\0\0", 3).text);
	assert_int_equal(find("\0\0\0\0\0\0\0\0", 8).is_mended, 1);
	assert_int_not_equal(find("\0\0\0\0\0\0\0\0", 8).text, find("\0", 1).text);
}

static void thousands_of_names_are_told_apart(void **state)
{
	uint32_t frames[5000], i;
	char name[64];
	int round;

	(void)state;
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 5000; i++) {
			int len = snprintf(name, sizeof(name), "%0*u", (int)(i % 37 + 4), i);
			uint32_t frame = find(name, len).frame;

			if (round)
				assert_int_equal(frame, frames[i]);
			frames[i] = frame;
			assert_string_equal(strtab_get(&tree->names, tree->frames[frame].name),
					    name);
		}
	}
	assert_int_equal(tree->n_frames, 5001);
}

static void text_is_converted(void **state)
{
	char longer[600];

	(void)state;
	make("ISO-8859-1");
	assert_frame("caf\xe9_[k]", "caf\xc3\xa9", "[kernel]", FRAME_KERNEL, false);
	/* A control character there. */
	assert_frame("a\x85", "a?", "", FRAME_USER, true);
	memset(longer, 0xe9, sizeof(longer));
	assert_int_equal(
		strlen(strtab_get(&tree->names, tree->frames[find(longer, 600).frame].name)), 1200);
	make("SHIFT_JIS");
	assert_frame("\x83\x65", "\xe3\x83\x86", "", FRAME_USER, false);
	/* The first half of a character. */
	assert_frame("a\x83", "a\xef\xbf\xbd", "", FRAME_USER, true);
	assert_frame("\x83\x65", "\xe3\x83\x86", "", FRAME_USER, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_become_frames, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bytes_that_mean_the_same_are_one_frame, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_follows_the_end_makes_no_difference, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(space_is_no_frame, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nul_bytes_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(thousands_of_names_are_told_apart, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(text_is_converted, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
