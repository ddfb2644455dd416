/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/base/hash.h"
#include "user/base/keyset.h"

static void keys_are_numbered_in_the_order_of_arrival(void **state)
{
	_cleanup_(keyset_release) struct keyset set;
	uint64_t key;
	uint32_t i, number;

	(void)state;
	keyset_init(&set, sizeof(key));
	for (i = 0; i < 100000; i++) {
		key = (uint64_t)i * 4096;
		assert_int_equal(keyset_add(&set, &key, &number), 1);
		assert_int_equal(number, i);
	}
	assert_int_equal(set.n, 100000);
	for (i = 0; i < 100000; i++) {
		key = (uint64_t)i * 4096;
		assert_int_equal(keyset_add(&set, &key, &number), 0);
		assert_int_equal(number, i);
		assert_int_equal(keyset_find(&set, &key), i);
		assert_memory_equal(keyset_key(&set, i), &key, sizeof(key));
	}
	key = 1;
	assert_int_equal(keyset_find(&set, &key), KEYSET_NONE);
}

static void an_empty_set_finds_nothing(void **state)
{
	_cleanup_(keyset_release) struct keyset set;
	uint32_t key = 0;

	(void)state;
	keyset_init(&set, sizeof(key));
	assert_int_equal(keyset_find(&set, &key), KEYSET_NONE);
	keyset_clear(&set);
	assert_int_equal(keyset_find(&set, &key), KEYSET_NONE);
}

static void a_cleared_set_begins_again(void **state)
{
	_cleanup_(keyset_release) struct keyset set;
	uint32_t key, number;

	(void)state;
	keyset_init(&set, sizeof(key));
	for (key = 0; key < 1000; key++)
		assert_int_equal(keyset_add(&set, &key, &number), 1);
	keyset_clear(&set);
	assert_int_equal(set.n, 0);
	key = 7;
	assert_int_equal(keyset_find(&set, &key), KEYSET_NONE);
	assert_int_equal(keyset_add(&set, &key, &number), 1);
	assert_int_equal(number, 0);
}

static void keys_of_odd_sizes_are_told_apart_in_every_byte(void **state)
{
	_cleanup_(keyset_release) struct keyset set;
	unsigned char key[13] = { 0 };
	uint32_t number;
	size_t i;

	(void)state;
	keyset_init(&set, sizeof(key));
	assert_int_equal(keyset_add(&set, key, &number), 1);
	for (i = 0; i < sizeof(key); i++) {
		key[i] = 1;
		assert_int_equal(keyset_add(&set, key, &number), 1);
		assert_int_equal(number, i + 1);
		key[i] = 0;
	}
}

static void a_full_set_says_so(void **state)
{
	struct keyset set;
	uint32_t key = 0, number = 5;

	(void)state;
	keyset_init(&set, sizeof(key));
	set.n = KEYSET_NONE - 1;
	assert_int_equal(keyset_add(&set, &key, &number), -EOVERFLOW);
	assert_int_equal(number, 5);
}

/*
 * Two words whose differences cancel: with a hash of one fixed factor that shifts by 32 bits, all
 * these texts would share one value, whatever the seed.
 */
static void chosen_texts_do_not_collide(void **state)
{
	uint64_t words[2], hash, other;

	(void)state;
	words[0] = 0x4141414141414141;
	words[1] = 0x4242424242424242;
	hash = hash_bytes(words, sizeof(words));
	words[0] ^= 1ull << 63;
	words[1] ^= 1ull << 63 | 1ull << 31;
	other = hash_bytes(words, sizeof(words));
	assert_true(hash != other);
	assert_true(hash_bytes("a", 1) != hash_bytes("a\0", 2));
	assert_true(hash_bytes("", 0) == hash_bytes("x", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_numbered_in_the_order_of_arrival),
		cmocka_unit_test(an_empty_set_finds_nothing),
		cmocka_unit_test(a_cleared_set_begins_again),
		cmocka_unit_test(keys_of_odd_sizes_are_told_apart_in_every_byte),
		cmocka_unit_test(a_full_set_says_so),
		cmocka_unit_test(chosen_texts_do_not_collide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
