/* SPDX-License-Identifier: BSD-2-Clause */
/* Writers of a store that are killed, and that are more than one. */
#include "tests/unit/some_store.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "user/bench/statistics.h"

#define KILLS 100

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void accept_one(const struct some_store *s)
{
	char *id = NULL;

	if (store_accept(s->path, s->run.path, "n", "b", true, &id))
		_exit(1);
	free(id);
}

static void accept_for_ever(const struct some_store *s)
{
	for (;;) {
		accept_one(s);
		if (store_pin(s->path, SOME_ENVIRONMENT, "cpu-bound", "1", "x", "b", true))
			_exit(2);
	}
}

static void wait_ns(uint64_t ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };

	nanosleep(&t, NULL);
}

/* Each whole one has the four files. */
static void assert_all_whole(const struct some_store *s, size_t *ret_n)
{
	_cleanup_(baselines_freep) struct baselines *all = NULL;
	size_t i;

	assert_int_equal(store_list(s->path, NULL, NULL, &all), 0);
	for (i = 0; i < all->n; i++) {
		char id[32];

		/* No number is left out. */
		snprintf(id, sizeof(id), "%04zu", i + 1);
		assert_string_equal(all->list[i].id, id);
		assert_true(all->list[i].is_whole);
		assert_string_equal(all->list[i].note, "n");
	}
	*ret_n = all->n;
}

/* Files of the scenario's folder: all are ours, and each pin is read. */
static void count_entries(const struct some_store *s, size_t *ret_leftovers, size_t *ret_pins)
{
	DIR *dir = opendir(in_store(s, ""));
	struct dirent *entry;

	*ret_leftovers = *ret_pins = 0;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (!strncmp(entry->d_name, ".fathom-", 8))
			++*ret_leftovers;
		if (!strncmp(entry->d_name, "pin-", 4)) {
			json_t *o = json_load_file(in_store(s, entry->d_name), 0, NULL);

			assert_non_null(o);
			json_decref(o);
			++*ret_pins;
		}
	}
	closedir(dir);
}

static void writers_killed_at_any_moment_leave_only_whole_entries(void **state)
{
	_cleanup_(some_store_remove) struct some_store s;
	size_t n = 0, leftovers, pins;
	uint64_t one_ns = now_ns();
	struct random random;
	unsigned int i;

	(void)state;
	some_store_make(&s);
	accept_one(&s);
	one_ns = now_ns() - one_ns;
	random_init(&random, one_ns);
	for (i = 0; i < KILLS; i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (!pid)
			accept_for_ever(&s);
		wait_ns(random_below(&random, 2 * one_ns)); /* a disk is slow or fast */
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		if (i % 10 == 9)
			assert_all_whole(&s, &n);
	}
	count_entries(&s, &leftovers, &pins);
	print_message("%u writers killed: %zu baselines and %zu pins, all whole; %zu leftovers\n",
		      KILLS, n, pins, leftovers);
	assert_true(n > 1 && pins > 0 && leftovers > 0);
}

static void two_writers_at_once_get_different_numbers(void **state)
{
	_cleanup_(some_store_remove) struct some_store s;
	int i, k, status;
	size_t n;

	(void)state;
	some_store_make(&s);
	for (i = 0; i < 2; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		for (k = 0; !pid && k < 20; k++)
			accept_one(&s);
		if (!pid)
			_exit(0);
	}
	for (i = 0; i < 2; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_all_whole(&s, &n);
	assert_int_equal(n, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writers_killed_at_any_moment_leave_only_whole_entries),
		cmocka_unit_test(two_writers_at_once_get_different_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
