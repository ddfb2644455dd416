/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include "user/cmd/profile_provenance.h"

static struct profile *commented(const char *a, const char *b, const char *c)
{
	struct profile *p = stacks_new("samples", "count");

	if (a)
		assert_int_equal(profile_add_comment(p, a), 0);
	if (b)
		assert_int_equal(profile_add_comment(p, b), 0);
	if (c)
		assert_int_equal(profile_add_comment(p, c), 0);
	return p;
}

static void comments_become_keys_and_texts(void **state)
{
	_cleanup_(profile_freep) struct profile *p =
		commented("whole machine, 1.0 s", "host: Linux 6.1", "built: yesterday");
	_cleanup_(provenance_release) struct provenance all = { 0 }, others = { 0 };
	_cleanup_(str_release) struct str origin = { 0 };

	(void)state;
	assert_int_equal(profile_origin(p, &origin), 0);
	assert_string_equal(origin.data, "whole machine, 1.0 s");
	assert_int_equal(profile_provenance(p, true, &all), 0);
	assert_int_equal(all.n, 3);
	assert_string_equal(all.pairs[0][0], "recorded");
	assert_string_equal(all.pairs[0][1], "whole machine, 1.0 s");
	assert_string_equal(all.pairs[1][0], "host");
	assert_string_equal(all.pairs[1][1], "Linux 6.1");
	/* What others write is no key of ours. */
	assert_string_equal(all.pairs[2][0], "comment");
	assert_string_equal(all.pairs[2][1], "built: yesterday");
	assert_int_equal(profile_provenance(p, false, &others), 0);
	assert_int_equal(others.n, 2);
	assert_string_equal(others.pairs[0][0], "host");
}

static void a_profile_without_comments_says_nothing(void **state)
{
	_cleanup_(profile_freep) struct profile *p = commented(NULL, NULL, NULL);
	_cleanup_(provenance_release) struct provenance all = { 0 };
	_cleanup_(str_release) struct str origin = { 0 };

	(void)state;
	assert_int_equal(profile_provenance(p, true, &all), 0);
	assert_int_equal(all.n, 0);
	assert_int_equal(profile_origin(p, &origin), 0);
	assert_int_equal(origin.len, 0);
}

static void what_both_sides_say_is_said_once(void **state)
{
	_cleanup_(profile_freep) struct profile *a = commented("1.0 s", "host: Linux 6.1", "x");
	_cleanup_(profile_freep) struct profile *b = commented("2.0 s", "host: Linux 6.1", "x");
	_cleanup_(provenance_release) struct provenance before = { 0 }, after = { 0 }, all = { 0 };

	(void)state;
	assert_int_equal(profile_provenance(a, true, &before), 0);
	assert_int_equal(profile_provenance(b, true, &after), 0);
	assert_int_equal(provenance_add_side(&all, "before", "old", &before, &after), 0);
	assert_int_equal(provenance_add_side(&all, "after", "new", &after, &before), 0);
	assert_int_equal(provenance_add_shared(&all, &before, &after), 0);
	assert_int_equal(all.n, 4);
	assert_string_equal(all.pairs[0][1], "old; recorded: 1.0 s");
	assert_string_equal(all.pairs[1][1], "new; recorded: 2.0 s");
	assert_string_equal(all.pairs[2][0], "host");
	assert_string_equal(all.pairs[3][1], "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_become_keys_and_texts),
		cmocka_unit_test(a_profile_without_comments_says_nothing),
		cmocka_unit_test(what_both_sides_say_is_said_once),
	};

	return cmocka_run_group_tests_name("profile_provenance", tests, NULL, NULL);
}
