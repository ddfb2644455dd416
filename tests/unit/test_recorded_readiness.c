/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that are recorded and are to be stopped when they are ready. */
#include "tests/unit/tree.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "user/bench/repetition.h"

#define SECOND 1000000000ull

static struct scenario scenario;
static struct scenario_case c;
static struct repetition_options options;
static char *words[] = { (char *)"sh", (char *)"-c", (char *)"echo ready; exec sleep 1000", NULL };
static char folder[4096];

/* As recording does: starts the command, ends it when told to, and then has work of its own. */
static int record(void *ctx, const struct scenario_case *of, unsigned int number, const char *to,
		  struct profile_usage *usage)
{
	struct timespec patience = { .tv_sec = 20 };
	sigset_t set;
	bool was_told;
	pid_t pid;

	(void)number;
	(void)to;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid = fork();
	if (!pid) {
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		execvp(of->subject.command[0], of->subject.command);
		_exit(127);
	}
	was_told = sigtimedwait(&set, NULL, &patience) == SIGTERM;
	kill(pid, SIGKILL);
	if (!was_told || waitpid(pid, NULL, 0) != pid)
		return -ETIMEDOUT;
	poll(NULL, 0, *(int *)ctx);
	usage->wall_ns = 7;
	return 128 + SIGTERM;
}

static struct repetition run(int work_ms)
{
	struct repetition r;

	tree_make();
	strcpy(folder, tree_path("private"));
	assert_int_equal(mkdir(folder, 0700), 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	scenario = (struct scenario){ .name = (char *)"demo", .ceilings = { .error_rate = NAN } };
	c = (struct scenario_case){ .name = (char *)"small", .workdir = tree_root };
	c.subject.command = words;
	c.ready = (struct scenario_ready){ .kind = READY_STDOUT,
					   .text = (char *)"^ready$",
					   .stop = true };
	options.scenario = &scenario;
	options.c = &c;
	options.folder = options.profile_folder = folder;
	options.hook_timeout_ns = 60 * SECOND;
	options.stop_fd = -1;
	options.profile = record;
	options.profile_ctx = &work_ms;
	assert_int_equal(repetition_run(&options, &r), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	tree_remove("");
	return r;
}

/* Naming functions may take longer than a command is given to end. */
static void the_recorder_is_told_and_may_finish(void **state)
{
	struct repetition r;

	(void)state;
	options.timeout_ns = 60 * SECOND;
	r = run(2500);
	assert_int_equal(r.outcome, REPETITION_OK);
	assert_null(r.message);
	assert_int_equal(r.exit_status, 128 + SIGTERM);
	assert_true(r.values[VALUE_WALL] == 7);
	assert_true(isnan(r.values[VALUE_READY])); /* with a recorder it says nothing */
}

static void a_recorder_that_never_finishes_is_too_late(void **state)
{
	struct repetition r;

	(void)state;
	options.timeout_ns = SECOND;
	r = run(60000);
	assert_int_equal(r.outcome, REPETITION_TIMED_OUT);
	assert_string_equal(r.message, "it ran for longer than 1 s");
	free(r.message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_recorder_is_told_and_may_finish),
		cmocka_unit_test(a_recorder_that_never_finishes_is_too_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
