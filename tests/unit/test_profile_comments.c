/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include "user/cmd/profile_comments.h"
#include "user/cmd/profile_provenance.h"

static void what_is_written_is_read_as_keys_and_texts(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(provenance_release) struct provenance all = { 0 };
	struct host_info host = { .kernel = "6.1", .architecture = "arm64", .cpus_online = 8 };
	struct ledger ledger = { .fired = 12, .kept = 9 };
	char *command[] = { "sh", "-c", "a\nb", NULL };

	(void)state;
	ledger.n_causes = 2;
	ledger.causes[0].name = "no_room";
	ledger.causes[0].n = 3;
	ledger.causes[1].name = "none_of_these";
	assert_int_equal(profile_add_comment(p, "one second"), 0);
	assert_int_equal(profile_comment_host(p, &host), 0);
	assert_int_equal(profile_comment_ledger(p, &ledger), 0);
	assert_int_equal(profile_comment_command(p, command), 0);
	assert_int_equal(profile_comment_command(p, NULL), 0);
	assert_int_equal(profile_provenance(p, false, &all), 0);
	assert_int_equal(all.n, 3);
	assert_string_equal(all.pairs[0][0], "host");
	assert_string_equal(all.pairs[0][1], "Linux 6.1 arm64, 8 CPUs, ?");
	assert_string_equal(all.pairs[1][0], "ledger");
	assert_string_equal(all.pairs[1][1], "fired 12, kept 9, no_room 3");
	assert_string_equal(all.pairs[2][0], "command");
	assert_string_equal(all.pairs[2][1], "sh -c a?b");
}

static void a_long_command_is_cut_between_words(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	char *words[2001], *last;
	int i;

	(void)state;
	for (i = 0; i < 2000; i++)
		words[i] = "word";
	words[2000] = NULL;
	assert_int_equal(profile_comment_command(p, words), 0);
	last = strdup(profile_string(p, p->comments[0]));
	assert_true(strlen(last) < 1010);
	assert_string_equal(last + strlen(last) - 5, " word");
	free(last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_as_keys_and_texts),
		cmocka_unit_test(a_long_command_is_cut_between_words),
	};

	return cmocka_run_group_tests_name("profile_comments", tests, NULL, NULL);
}
