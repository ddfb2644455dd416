/* SPDX-License-Identifier: BSD-2-Clause */
/* The in-kernel matcher against fnmatch(3), on patterns and comms from a fixed seed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fnmatch.h>
#include <linux/types.h>
#include <string.h>

#include "bpf/glob.bpf.h"
#include "tests/native/random.h"
#include "user/base/array.h"
#include "user/base/str.h"
#include "user/collect/glob.h"

/* Few, so that patterns and comms often meet; all that are special, and one that is not ASCII. */
static char random_byte(void)
{
	static const char bytes[] = "aaabbbcd-]![^*?\\/.\xc3";

	return bytes[random_below(sizeof(bytes) - 1)];
}

static void add_escaped(struct str *s, char c)
{
	if (strchr("*?[]\\!^-", c) || !random_below(8))
		assert_int_equal(str_add(s, "\\"), 0);
	assert_int_equal(str_add_bytes(s, &c, 1), 0);
}

/* Members of all kinds: plain, ranges (also backwards), a first ']', a '-' at either end. */
static void add_bracket(struct str *s)
{
	uint32_t n = 1 + random_below(3);

	assert_int_equal(str_add(s, "["), 0);
	if (!random_below(3))
		assert_int_equal(str_add(s, random_below(2) ? "!" : "^"), 0);
	if (!random_below(4))
		assert_int_equal(str_add(s, random_below(2) ? "]" : "-"), 0);
	while (n--) {
		add_escaped(s, random_byte());
		if (!random_below(3)) {
			assert_int_equal(str_add(s, "-"), 0);
			add_escaped(s, random_byte());
		}
	}
	if (!random_below(6))
		assert_int_equal(str_add(s, "-"), 0);
	assert_int_equal(str_add(s, "]"), 0);
}

static void make_pattern(struct str *s)
{
	uint32_t n = random_below(6);

	str_clear(s);
	while (n--) {
		switch (random_below(6)) {
		case 0:
			assert_int_equal(str_add(s, "*"), 0);
			break;
		case 1:
			assert_int_equal(str_add(s, "?"), 0);
			break;
		case 2:
			add_bracket(s);
			break;
		default:
			add_escaped(s, random_byte());
		}
	}
}

static void make_comm(char comm[FT_COMM_LEN])
{
	uint32_t n = random_below(4) ? random_below(6) : random_below(FT_COMM_LEN), i;

	memset(comm, 0, FT_COMM_LEN);
	for (i = 0; i < n; i++)
		comm[i] = random_byte();
}

static void patterns_match_as_fnmatch_says(void **state)
{
	uint32_t round, try, n, i, matches = 0;
	struct str texts[3] = { { 0 } };

	(void)state;
	for (round = 0; round < 20000; round++) {
		const char *patterns[3];
		struct ft_glob glob;

		n = 1 + random_below(3);
		for (i = 0; i < n; i++) {
			make_pattern(&texts[i]);
			patterns[i] = str_text(&texts[i]);
		}
		assert_int_equal(glob_compile(patterns, n, &glob), 0);
		for (try = 0; try < 10; try++) {
			char comm[FT_COMM_LEN];
			int wanted = 0;

			make_comm(comm);
			for (i = 0; i < n; i++)
				wanted |= fnmatch(patterns[i], comm, 0) == 0;
			if (glob_match(&glob, comm) != wanted)
				fail_msg("'%s' (one of %u, round %u) and '%s': fnmatch says %d",
					 patterns[0], n, round, comm, wanted);
			matches += wanted;
		}
	}
	/* Of 200,000: neither nearly none nor nearly all. */
	assert_in_range(matches, 10000, 190000);
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		str_release(&texts[i]);
}

static int match(const char *pattern, const char *comm)
{
	char padded[FT_COMM_LEN] = "";
	struct ft_glob glob;

	assert_int_equal(glob_compile(&pattern, 1, &glob), 0);
	memcpy(padded, comm, strnlen(comm, sizeof(padded)));
	return glob_match(&glob, padded);
}

static void whole_comms_match_and_parts_do_not(void **state)
{
	(void)state;
	assert_true(match("bash", "bash"));
	assert_false(match("bash", "bas"));
	assert_false(match("bash", "bashful"));
	assert_true(match("kworker/*", "kworker/u8:2"));
	assert_true(match("*", ""));
	assert_true(match("", ""));
	assert_false(match("", "a"));
	assert_false(match("?", ""));
	assert_true(match("***a***", "a"));
}

static void all_sixteen_bytes_count_without_a_nul(void **state)
{
	(void)state;
	assert_true(match("????????????????", "0123456789abcdef"));
	assert_false(match("???????????????", "0123456789abcdef"));
	assert_true(match("*f", "0123456789abcdef"));
}

static void bytes_behind_the_nul_do_not_count(void **state)
{
	static const char comm[FT_COMM_LEN] = "a\0bcd";
	const char *pattern = "a";
	struct ft_glob glob;

	(void)state;
	assert_int_equal(glob_compile(&pattern, 1, &glob), 0);
	assert_true(glob_match(&glob, comm));
}

static void stars_between_all_bytes_match(void **state)
{
	static const char pattern[] = "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a";

	(void)state;
	assert_true(match(pattern, "aaaaaaaaaaaaaaa"));
	assert_false(match(pattern, "aaaaaaaaaaaaaa"));
}

static void the_last_of_many_patterns_matches_alone(void **state)
{
	static const char *const patterns[] = { "aaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbb",
						"ccccccccccccccc", "dddddddddddddd" };
	char comm[FT_COMM_LEN] = "dddddddddddddd";
	struct ft_glob glob;

	(void)state;
	assert_int_equal(glob_compile(patterns, 4, &glob), 0);
	assert_true(glob_match(&glob, comm));
	comm[13] = '\0';
	assert_false(glob_match(&glob, comm));
	/* Nothing leads from the end of one pattern into the next. */
	memcpy(comm, "aaaaaaaaaaaaaaab", sizeof(comm));
	assert_false(glob_match(&glob, comm));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_as_fnmatch_says),
		cmocka_unit_test(whole_comms_match_and_parts_do_not),
		cmocka_unit_test(all_sixteen_bytes_count_without_a_nul),
		cmocka_unit_test(bytes_behind_the_nul_do_not_count),
		cmocka_unit_test(stars_between_all_bytes_match),
		cmocka_unit_test(the_last_of_many_patterns_matches_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
