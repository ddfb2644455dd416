/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scenarios that come with the program run at once: each small case is set up in a folder of
 * its own, its command run with the scenario's environment, and its output held against the oracle.
 */
#include "tests/unit/scenario_file.h"

#include <dirent.h>
#include <regex.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "user/base/cleanup.h"
#include "user/base/file.h"

static const char *const ready_made[] = { "startup",  "cpu-bound",    "alloc-heavy",
					  "io-heavy", "steady-state", "mixed" };
#define N_READY_MADE (sizeof(ready_made) / sizeof(ready_made[0]))

static struct scenario *shipped(const char *name)
{
	struct scenario *s = NULL;
	char path[128];

	snprintf(path, sizeof(path), "scenarios/%s.yaml", name);
	if (scenario_read(path, &s))
		fail_msg("%s", err_text());
	return s;
}

static void all_files_of_the_folder_are_looked_at(void **state)
{
	DIR *dir = opendir("scenarios");
	struct dirent *entry;
	size_t n = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += strstr(entry->d_name, ".yaml") != NULL;
	closedir(dir);
	assert_int_equal(n, N_READY_MADE);
}

static void each_has_three_sizes_and_what_a_verdict_needs(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_READY_MADE; i++) {
		_cleanup_(scenario_freep) struct scenario *s = shipped(ready_made[i]);
		_cleanup_(scenario_cases_freep) struct scenario_cases *c = NULL;

		assert_string_equal(s->name, ready_made[i]);
		assert_int_equal(scenario_cases_new(s, NULL, 0, NULL, &c), 0);
		assert_int_equal(c->n, 3);
		assert_string_equal(c->list[0].name, "small");
		assert_string_equal(c->list[1].name, "medium");
		assert_string_equal(c->list[2].name, "large");
		assert_true(s->description && s->tags && s->collectors && s->iterations);
		assert_true(s->n_metrics && s->n_components && s->n_slo);
		assert_true(s->ceilings.memory_bytes && s->ceilings.time_ns && s->timeout_ns);
		assert_true(c->list[0].needs_scratch && c->list[0].oracle.is_given);
	}
}

/* Exit status of a command in the case's folder, its stdout in 'output'. */
static int run(const struct scenario_case *c, char **words, const char *output)
{
	int status;
	size_t i;
	pid_t pid;

	if (!words)
		return 0;
	pid = fork();
	if (!pid) {
		for (i = 0; i < c->env.n; i++)
			setenv(c->env.list[i].key, c->env.list[i].value, 1);
		if (chdir(c->workdir) || !freopen(output, "w", stdout))
			_exit(126);
		execvp(words[0], words);
		_exit(127);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_same_files(const char *have, const char *expected)
{
	_cleanup_(freep) char *a = NULL, *b = NULL;
	size_t a_len, b_len;

	assert_int_equal(file_read(have, 1 << 20, &a, &a_len), 0);
	assert_int_equal(file_read(expected, 1 << 20, &b, &b_len), 0);
	assert_string_equal(a, b);
}

static bool line_matches(const char *text, const char *pattern)
{
	regex_t regex;
	int status;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB), 0);
	status = regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return !status;
}

/* What is declared is printed, in the unit that is declared. */
static void assert_metrics_are_there(const struct scenario_case *c, const char *output)
{
	_cleanup_(freep) char *text = NULL;
	char pattern[256];
	size_t i, len;

	assert_int_equal(file_read(output, 1 << 24, &text, &len), 0);
	for (i = 0; i < c->n_metrics; i++) {
		const struct scenario_metric *m = &c->metrics[i];

		if (m->source == METRIC_LINES)
			snprintf(pattern, sizeof(pattern), "^%s [0-9.]+ %s$",
				 m->from ? m->from : m->name, m->unit);
		assert_true(line_matches(text, m->source == METRIC_LINES ? pattern : m->pattern));
	}
	if (c->ready.kind == READY_STDOUT)
		assert_true(line_matches(text, c->ready.text));
}

static void run_case(struct scenario_case *c)
{
	char folder[] = "/tmp/fathom-test-XXXXXX", output[64], remove[128];

	assert_non_null(mkdtemp(folder));
	snprintf(output, sizeof(output), "%s.stdout", folder);
	assert_int_equal(scenario_case_set_scratch(c, folder), 0);
	assert_int_equal(run(c, c->setup, "/dev/null"), 0);
	assert_int_equal(run(c, c->before_each, "/dev/null"), 0);
	assert_int_equal(run(c, c->subject.command, output), 0);
	assert_int_equal(run(c, c->verify, "/dev/null"), 0);
	assert_same_files(c->oracle.file ? c->oracle.file : output, c->oracle.expected);
	assert_metrics_are_there(c, output);
	assert_int_equal(run(c, c->teardown, "/dev/null"), 0);
	unlink(output);
	snprintf(remove, sizeof(remove), "rm -rf '%s'", folder);
	assert_int_equal(system(remove), 0);
}

static void small_cases_give_the_output_that_is_expected(void **state)
{
	char size[] = "size", small[] = "small";
	struct scenario_pair only = { size, small };
	size_t i;

	(void)state;
	for (i = 0; i < N_READY_MADE; i++) {
		_cleanup_(scenario_freep) struct scenario *s = shipped(ready_made[i]);
		_cleanup_(scenario_cases_freep) struct scenario_cases *c = NULL;

		assert_int_equal(scenario_cases_new(s, &only, 1, NULL, &c), 0);
		assert_int_equal(c->n, 1);
		print_message("%s\n", s->name);
		run_case(&c->list[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_files_of_the_folder_are_looked_at),
		cmocka_unit_test(each_has_three_sizes_and_what_a_verdict_needs),
		cmocka_unit_test(small_cases_give_the_output_that_is_expected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
