/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/bench/measure.h"

static struct policy_profile policy;
static struct measure_options options;
static struct scenario *scenario;
static struct scenario_cases *cases;
static struct run_result *result;
static char output[4096];

static int set_up(void **state)
{
	(void)state;
	tree_make();
	strcpy(output, tree_path("output"));
	assert_int_equal(mkdir(output, 0700), 0);
	policy = (struct policy_profile){
		.name = (char *)"smoke", .warmup = 0, .repeat = 2, .budget_s = 100, .timeout_s = 50
	};
	options = (struct measure_options){ .policy = &policy,
					    .warmup = -1,
					    .repeat = -1,
					    .profile_repeat = -1,
					    .seed = 1,
					    .output = output };
	return 0;
}

static void forget(void)
{
	scenario_free(scenario);
	scenario_cases_free(cases);
	run_result_free(result);
	scenario = NULL;
	cases = NULL;
	result = NULL;
}

static int tear_down(void **state)
{
	(void)state;
	forget();
	tree_remove("");
	return 0;
}

/* Runs a scenario whose text is given, and looks whether it has cleaned up. */
static void run(const char *text)
{
	struct dirent *entry;
	char path[4096];
	DIR *dir;

	forget();
	tree_write("scenario.yaml", text);
	strcpy(path, tree_path("scenario.yaml"));
	if (scenario_read(path, &scenario))
		fail_msg("%s", err_text());
	if (scenario_cases_new(scenario, NULL, 0, NULL, &cases))
		fail_msg("%s", err_text());
	options.scenario = scenario;
	options.cases = cases;
	if (measure_run(&options, &result))
		fail_msg("%s", err_text());
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	dir = opendir(output);
	while ((entry = readdir(dir)))
		assert_true(entry->d_name[0] == '.');
	closedir(dir);
}

static const char *log_text(void)
{
	static char text[4096];
	FILE *f = fopen(tree_path("log"), "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

/* The last repetition of a case. */
static const struct run_repetition *last_of(size_t c)
{
	assert_true(c < result->n_cases && result->cases[c].n_repetitions);
	return &result->cases[c].repetitions[result->cases[c].n_repetitions - 1];
}

#define HEAD "name: demo\nkind: micro\n"

/* --- the measure pass ------------------------------------------------------------------------- */

static void variants_run_in_turns_after_warm_ups(void **state)
{
	_cleanup_(freep) double *values = NULL;
	const char *log;
	size_t n, i, k;

	(void)state;
	policy.warmup = 1;
	policy.repeat = 4;
	run(HEAD "command: [sh, -c, 'printf ${variant} >>log; echo ops 3']\n"
		 "variants:\n  - name: a\n  - name: b\n"
		 "metrics:\n  - {name: ops, unit: count, better: higher, lines: true}\n"
		 "iterations: ops\n");
	assert_null(result->abort);
	assert_false(result->was_cut);
	assert_int_equal(result->n_cases, 2);
	log = log_text();
	assert_int_equal(strlen(log), 10);
	assert_true(!strncmp(log, "ab", 2));
	for (i = 2; i < 10; i += 4) {
		assert_true(log[i] != log[i + 1]);
		assert_true(log[i] == log[i + 3] && log[i + 1] == log[i + 2]);
	}
	for (i = 0; i < 2; i++) {
		const struct run_case *c = &result->cases[i];

		assert_string_equal(c->variant, i ? "b" : "a");
		assert_int_equal(c->n_repetitions, 5);
		for (k = 0; k < 5; k++) {
			assert_int_equal(c->repetitions[k].number, k);
			assert_int_equal(c->repetitions[k].is_warmup, k == 0);
			assert_int_equal(c->repetitions[k].outcome, REPETITION_OK);
			assert_true(c->repetitions[k].iterations == 3);
			/* Its place in the log is its place in the pass. */
			assert_int_equal(log[c->repetitions[k].order], i ? 'b' : 'a');
		}
		/* No metric "latency": wall time is the latency, of what counts. */
		assert_int_equal(c->latency.n, 4);
		assert_int_equal(run_case_values(c, "ops", &values, &n), 0);
		assert_int_equal(n, 4);
		assert_true(values[3] == 3);
		assert_true(c->metrics[run_case_metric(c, "ops")].is_scenario);
		assert_true(c->latency.ns[0] == c->repetitions[1].values[0]);
		free(take(values));
	}
	assert_string_equal(result->scenario, "demo");
	assert_string_equal(result->policy, "smoke");
	assert_true(result->scenario_path[0] == '/');
	assert_int_equal(strlen(result->scenario_sha256), 64);
	assert_true(result->span_ns > 0);
	assert_non_null(result->environment.name);
}

static void canaries_sing_before_and_after(void **state)
{
	(void)state;
	policy.repeat = 3;
	run(HEAD "command: [sleep, '0.7']\n");
	assert_in_range(result->n_canaries, 10, 12);
	assert_int_equal(result->canaries[0].order, 0);
	assert_int_equal(result->canaries[result->n_canaries - 1].order, 3);
	assert_false(isnan(run_canary_drift(result)));
	assert_true(result->noise.other_cpu >= 0 && result->noise.other_cpu <= 1);
}

static void observations_of_latency_are_those_of_what_counts(void **state)
{
	(void)state;
	policy.warmup = 1;
	run(HEAD "command: [sh, -c, 'echo latency 2; echo latency 4']\n"
		 "metrics:\n  - {name: worst, from: latency, unit: us, better: lower, lines: true, "
		 "aggregate: max}\n  - {name: latency, unit: ms, better: lower, lines: true}\n");
	assert_int_equal(result->cases[0].latency.n, 4);
	assert_true(result->cases[0].latency.ns[3] == 4e6);
}

static void setup_and_teardown_are_around_all(void **state)
{
	(void)state;
	run(HEAD "matrix:\n  size: [small, large]\n"
		 "command: [sh, -c, 'cat ${scratch}/x >>log']\n"
		 "setup: [sh, -c, 'echo ${size} >${scratch}/x; echo setup >>log']\n"
		 "teardown: [sh, -c, 'rm ${scratch}/x && echo teardown ${size} >>log']\n");
	assert_null(result->abort);
	assert_string_equal(log_text(), "setup\nsetup\nsmall\nlarge\nsmall\nlarge\n"
					"teardown large\nteardown small\n");
}

/* --- what ends a run -------------------------------------------------------------------------- */

static void the_first_failure_voids_the_run(void **state)
{
	(void)state;
	policy.repeat = 5;
	run(HEAD "command: [sh, -c, 'echo x >>log; [ $FATHOM_REPETITION != 2 ] || exit 3']\n"
		 "teardown: [sh, -c, 'echo teardown >>log']\n");
	assert_null(result->abort);
	assert_int_equal(result->cases[0].n_repetitions, 3);
	assert_int_equal(last_of(0)->outcome, REPETITION_FAILED);
	assert_int_equal(last_of(0)->exit_status, 3);
	assert_string_equal(last_of(0)->message, "it ended with status 3");
	assert_string_equal(log_text(), "x\nx\nx\nteardown\n");
}

static void wrong_output_voids_the_run(void **state)
{
	(void)state;
	tree_write("right", "right\n");
	run(HEAD "command: [sh, -c, 'echo wrong']\noracle: {expected: right}\n");
	assert_int_equal(last_of(0)->outcome, REPETITION_WRONG_OUTPUT);
	assert_int_equal(result->cases[0].latency.n, 0);
}

static void a_metric_that_is_not_there_voids_the_run(void **state)
{
	(void)state;
	run(HEAD "command: [sh, -c, 'echo ops many']\n"
		 "metrics:\n  - {name: ops, unit: count, better: higher, lines: true}\n");
	assert_int_equal(last_of(0)->outcome, REPETITION_BAD_METRIC);
	assert_non_null(strstr(last_of(0)->message, "'many'"));
	run(HEAD "command: [sh, -c, 'echo ops 0']\niterations: ops\n"
		 "metrics:\n  - {name: ops, unit: count, better: higher, lines: true}\n");
	assert_int_equal(last_of(0)->outcome, REPETITION_BAD_METRIC);
	assert_non_null(strstr(last_of(0)->message, "iterations"));
}

static void a_ceiling_gives_the_run_up(void **state)
{
	(void)state;
	run(HEAD "command: [perl, -e, '$x = \"a\" x 80_000_000; sleep 100']\n"
		 "ceilings: {memory: 40MiB}\n");
	assert_int_equal(last_of(0)->outcome, REPETITION_OVER_MEMORY);
	assert_non_null(strstr(result->abort, "ceiling"));
	run(HEAD "command: [echo, error_rate 0.2]\nceilings: {error_rate: 0.1}\n"
		 "metrics:\n  - {name: error_rate, unit: ratio, better: lower, lines: true}\n");
	assert_int_equal(last_of(0)->outcome, REPETITION_OK);
	assert_int_equal(result->cases[0].n_repetitions, 1);
	assert_string_equal(result->abort, "error_rate is 0.2, above the ceiling of 0.1");
}

static void a_setup_that_fails_gives_the_run_up(void **state)
{
	(void)state;
	run(HEAD "command: [sh, -c, 'echo ran >>log']\n"
		 "setup: [sh, -c, 'echo no fixture >&2; exit 1']\n"
		 "teardown: [sh, -c, 'echo teardown >>log']\n");
	assert_string_equal(result->abort, "setup ended with status 1: no fixture");
	assert_int_equal(result->cases[0].n_repetitions, 0);
	assert_string_equal(log_text(), "teardown\n");
}

static void interrupted_by(const char *signal, int number)
{
	char text[256];
	sigset_t mask;

	snprintf(text, sizeof(text),
		 HEAD "command: [sh, -c, 'kill -%s $PPID; sleep 100']\n"
		      "teardown: [sh, -c, 'echo teardown >>log']\n",
		 signal);
	run(text);
	assert_int_equal(last_of(0)->outcome, REPETITION_INTERRUPTED);
	assert_int_equal(result->cases[0].n_repetitions, 1);
	assert_non_null(result->abort);
	/* And then they are heard again as before. */
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
	assert_int_equal(sigismember(&mask, number), 0);
}

static void an_interruption_kills_what_runs_and_tears_down(void **state)
{
	(void)state;
	interrupted_by("TERM", SIGTERM);
	assert_string_equal(log_text(), "teardown\n");
	interrupted_by("QUIT", SIGQUIT);
	assert_string_equal(log_text(), "teardown\nteardown\n");
}

/* --- the budget ------------------------------------------------------------------------------- */

static void the_budget_ends_it_after_a_complete_round(void **state)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC);

	(void)state;
	policy.budget_s = 2;
	policy.repeat = 1000;
	run(HEAD "command: [sleep, '0.15']\nvariants:\n  - name: a\n  - name: b\n");
	assert_true(clock_ns(CLOCK_MONOTONIC) - start < 20000000000ull);
	assert_true(result->was_cut);
	assert_null(result->abort);
	assert_in_range(result->cases[0].n_repetitions, 1, 7);
	assert_int_equal(result->cases[0].n_repetitions, result->cases[1].n_repetitions);
}

/* The second of a round is not through in time: the first is not kept either. */
static void a_round_that_is_late_is_not_kept(void **state)
{
	(void)state;
	policy.budget_s = 1;
	run(HEAD "command: [sleep, '0.6']\nvariants:\n  - name: a\n  - name: b\n");
	assert_true(result->was_cut);
	assert_null(result->abort);
	assert_int_equal(result->cases[0].n_repetitions, 0);
	assert_int_equal(result->cases[1].n_repetitions, 0);
	assert_int_equal(result->cases[0].latency.n + result->cases[1].latency.n, 0);
}

static void a_time_out_within_the_budget_voids(void **state)
{
	(void)state;
	run(HEAD "command: [sleep, '100']\ntimeout: 200ms\n");
	assert_false(result->was_cut);
	assert_int_equal(last_of(0)->outcome, REPETITION_TIMED_OUT);
}

/* --- the profile pass ------------------------------------------------------------------------- */

static unsigned int n_profiled, n_told;

static int record(void *ctx, const struct scenario_case *c, unsigned int number, const char *folder,
		  struct profile_usage *usage)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/recording", folder);
	f = fopen(path, "w");
	if (!f)
		return -EIO;
	fprintf(f, "%s %u %s", c->variant ? c->variant : "-", number,
		getenv("FATHOM_REPETITION") ? getenv("FATHOM_REPETITION") : "?");
	fclose(f);
	if (ctx == &n_told) {
		strcpy(usage->failure, "no probes here");
		return -EOPNOTSUPP;
	}
	dprintf(STDOUT_FILENO, "ops 5\n");
	*usage = (struct profile_usage){ 4000, 2000, 1000, 4096, "" };
	return ctx ? 3 : 0;
}

static int profiled(void *ctx, unsigned int case_number, unsigned int number, const char *folder)
{
	char path[4096], text[64] = "", expected[64];
	FILE *f;

	(void)ctx;
	snprintf(path, sizeof(path), "%s/recording", folder);
	f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	snprintf(expected, sizeof(expected), "%s %u %u", case_number ? "b" : "a", number, number);
	assert_string_equal(text, expected);
	n_profiled++;
	return 0;
}

static void tell(void *ctx, const struct measure_progress *p)
{
	(void)ctx;
	assert_true(p->done < p->all);
	assert_int_equal(p->all, p->is_profile ? 6 : 4);
	n_told++;
}

#define TWO                                                                  \
	HEAD "command: [echo, ops 4]\nvariants:\n  - name: a\n  - name: b\n" \
	     "metrics:\n  - {name: ops, unit: count, better: higher, lines: true}\n"

static void recordings_say_what_the_command_used(void **state)
{
	const struct run_repetition *r;
	const struct run_case *c;
	size_t n;
	_cleanup_(freep) double *values = NULL;

	(void)state;
	options.profile = record;
	options.profiled = profiled;
	options.progress = tell;
	options.profile_repeat = 3;
	n_profiled = n_told = 0;
	run(TWO);
	assert_int_equal(n_profiled, 6);
	assert_int_equal(n_told, 10);
	c = &result->cases[1];
	assert_int_equal(c->n_profiles, 3);
	assert_int_equal(c->n_repetitions, 5);
	r = last_of(1);
	assert_true(r->is_profile && r->outcome == REPETITION_OK);
	assert_int_equal(r->number, 2);
	assert_true(r->values[run_case_metric(c, "cpu_ns")] == 3000);
	assert_true(r->values[run_case_metric(c, "wall_ns")] == 4000);
	assert_true(r->values[run_case_metric(c, "max_rss_bytes")] == 4096);
	assert_true(r->values[run_case_metric(c, "ops")] == 5);
	/* They decide nothing. */
	assert_int_equal(run_case_values(c, "ops", &values, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(c->latency.n, 2);
}

static void a_command_that_fails_while_recorded_voids_the_run(void **state)
{
	(void)state;
	options.profile = record;
	options.profile_repeat = 3;
	options.ctx = &n_profiled;
	run(TWO);
	assert_int_equal(result->cases[0].n_profiles + result->cases[1].n_profiles, 0);
	assert_int_equal(result->cases[0].n_repetitions + result->cases[1].n_repetitions, 5);
}

static void recording_that_fails_leaves_what_was_measured(void **state)
{
	(void)state;
	run(TWO);
	run_result_free(take(result));
	scenario_cases_free(take(cases));
	assert_int_equal(scenario_cases_new(scenario, NULL, 0, NULL, &cases), 0);
	options.cases = cases;
	options.profile = record;
	options.profile_repeat = 1;
	options.ctx = &n_told;
	assert_int_equal(measure_run(&options, &result), 0);
	assert_string_equal(result->profile_failure, "cannot record b: no probes here");
	assert_null(result->abort);
	assert_int_equal(result->cases[0].n_profiles + result->cases[1].n_profiles, 0);
	assert_true(result->cases[0].n_repetitions && result->cases[1].n_repetitions);
	assert_int_equal(result->cases[0].repetitions[0].outcome, REPETITION_OK);
}

/* Says that it is ready, in both ways, and ends well if it is asked to. */
static int record_until_stopped(void *ctx, const struct scenario_case *c, unsigned int number,
				const char *folder, struct profile_usage *usage)
{
	struct timespec patience = { .tv_sec = 10 };
	sigset_t set;

	(void)ctx;
	(void)c;
	(void)number;
	(void)folder;
	(void)usage;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	tree_write("up", "");
	if (write(STDOUT_FILENO, "up\n", 3) != 3)
		return 2;
	return sigtimedwait(&set, NULL, &patience) == SIGTERM ? 0 : 1;
}

static int count_profiled(void *ctx, unsigned int case_number, unsigned int number,
			  const char *folder)
{
	(void)ctx;
	(void)case_number;
	(void)number;
	(void)folder;
	n_profiled++;
	return 0;
}

static void a_recording_ends_when_the_command_is_ready_if_it_is_to_stop_then(void **state)
{
	static const char *const ready[] = { "file: up", "stdout: ^up$" };
	size_t i;

	(void)state;
	options.profile = record_until_stopped;
	options.profiled = count_profiled;
	options.profile_repeat = 2;
	for (i = 0; i < ARRAY_SIZE(ready); i++) {
		char text[256];

		snprintf(text, sizeof(text),
			 HEAD "command: [sh, -c, 'rm -f up; touch up; echo up; sleep 100']\n"
			      "ready: {%s, stop: true}\n",
			 ready[i]);
		n_profiled = 0;
		run(text);
		assert_int_equal(last_of(0)->outcome, REPETITION_OK);
		assert_int_equal(n_profiled, 2);
		/* How long recorders take to attach says nothing of the command. */
		assert_true(
			isnan(last_of(0)->values[run_case_metric(&result->cases[0], "ready_ns")]));
	}
}

/* --- the lock --------------------------------------------------------------------------------- */

static void one_run_at_a_time(void **state)
{
	char path[4096];
	int first, second;

	(void)state;
	strcpy(path, tree_path("lock"));
	first = measure_lock_at(path, false);
	assert_true(first >= 0);
	assert_int_equal(measure_lock_at(path, false), -EBUSY);
	assert_non_null(strstr(err_text(), "another run"));
	close(first);
	second = measure_lock_at(path, true);
	assert_true(second >= 0);
	close(second);
}

static void a_lock_that_others_could_hold_is_refused(void **state)
{
	char path[4096];

	(void)state;
	tree_write("target", "");
	tree_link("lock", "target");
	strcpy(path, tree_path("lock"));
	assert_int_equal(measure_lock_at(path, false), -ELOOP);
	remove(path);
	assert_int_equal(link(tree_path("target"), path), 0);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(measure_lock_at(path, false), -EPERM);
	remove(path);
	tree_write("lock", "");
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(measure_lock_at(path, false), -EPERM);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(variants_run_in_turns_after_warm_ups),
		TEST(canaries_sing_before_and_after),
		TEST(observations_of_latency_are_those_of_what_counts),
		TEST(setup_and_teardown_are_around_all),
		TEST(the_first_failure_voids_the_run),
		TEST(wrong_output_voids_the_run),
		TEST(a_metric_that_is_not_there_voids_the_run),
		TEST(a_ceiling_gives_the_run_up),
		TEST(a_setup_that_fails_gives_the_run_up),
		TEST(an_interruption_kills_what_runs_and_tears_down),
		TEST(the_budget_ends_it_after_a_complete_round),
		TEST(a_round_that_is_late_is_not_kept),
		TEST(a_time_out_within_the_budget_voids),
		TEST(recordings_say_what_the_command_used),
		TEST(a_command_that_fails_while_recorded_voids_the_run),
		TEST(recording_that_fails_leaves_what_was_measured),
		TEST(a_recording_ends_when_the_command_is_ready_if_it_is_to_stop_then),
		TEST(one_run_at_a_time),
		TEST(a_lock_that_others_could_hold_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
