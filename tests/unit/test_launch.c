/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/folder.h"
#include "user/base/err.h"
#include "user/collect/launch.h"

static struct folder folder;
static struct launch l;

static int set_up(void **state)
{
	(void)state;
	folder_make(&folder);
	l = (struct launch){ .go = -1, .failure = -1, .pidfd = -1 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	launch_stop(&l);
	folder_remove(&folder);
	return 0;
}

/* Prepares a shell script, whose $1 is the test's folder. */
static void prepare(const char *script)
{
	char *argv[] = { "sh", "-c", (char *)script, "sh", folder.path, NULL };

	assert_int_equal(launch_prepare(argv, NULL, &l), 0);
	assert_true(l.pid > 0);
}

static void start(const char *script)
{
	prepare(script);
	assert_int_equal(launch_go(&l, "sh", NULL, NULL), 0);
}

static int status_of(const char *script)
{
	int status = -1;

	start(script);
	assert_int_equal(launch_wait(&l, -1, &status), 1);
	assert_int_equal(l.pid, 0);
	return status;
}

static bool exists(const char *name)
{
	return !access(folder_path(&folder, name), F_OK);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/* Until the file is there, which the command makes when it has come so far. */
static void wait_for(const char *name)
{
	uint64_t until = now_ms() + 20000;

	while (!exists(name)) {
		assert_true(now_ms() < until);
		poll(NULL, 0, 5);
	}
}

static void assert_no_child_is_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void the_exit_status_is_that_of_the_command(void **state)
{
	(void)state;
	assert_int_equal(status_of("exit 0"), 0);
	assert_int_equal(status_of("exit 7"), 7);
	assert_int_equal(status_of("exit 255"), 255);
	assert_no_child_is_left();
}

static void a_signal_is_128_more_as_in_a_shell(void **state)
{
	(void)state;
	assert_int_equal(status_of("kill -KILL $$"), 128 + SIGKILL);
	assert_int_equal(status_of("kill -TERM $$"), 128 + SIGTERM);
}

static void what_the_command_took_is_noted(void **state)
{
	char *argv[] = {
		"perl", "-e",
		"my $s = 'x' x 4e7; 1 while (times)[0] < 0.2; select(undef, undef, undef, 0.2)",
		NULL
	};
	int status = -1;

	(void)state;
	assert_int_equal(launch_prepare(argv, NULL, &l), 0);
	usleep(300000); /* waiting to be let go is nothing of the command's */
	assert_int_equal(launch_go(&l, "perl", NULL, NULL), 0);
	assert_int_equal(launch_wait(&l, -1, &status), 1);
	assert_int_equal(status, 0);
	assert_true(l.usage.user_ns + l.usage.system_ns >= 200000000);
	assert_true(l.usage.user_ns + l.usage.system_ns < l.usage.wall_ns);
	assert_true(l.usage.wall_ns >= 400000000);
	assert_true(l.usage.max_rss_bytes >= 40000000);
	launch_stop(&l);
}

static void what_cannot_be_executed_says_why(void **state)
{
	char *missing[] = { "/nowhere/at/all", NULL };
	char *no_program[] = { "", NULL };

	(void)state;
	assert_int_equal(launch_prepare(missing, NULL, &l), 0);
	assert_int_equal(launch_go(&l, missing[0], NULL, NULL), -ENOENT);
	assert_string_equal(err_text(),
			    "cannot start '/nowhere/at/all': No such file or directory");
	launch_stop(&l);
	no_program[0] = (char *)folder_write(&folder, "script", "#!/bin/sh\n", 10);
	assert_int_equal(launch_prepare(no_program, NULL, &l), 0);
	assert_int_equal(launch_go(&l, "script", NULL, NULL), -EACCES);
	launch_stop(&l);
	assert_no_child_is_left();
}

static void programs_are_searched_in_the_path(void **state)
{
	char *argv[] = { "true", NULL };
	int status = -1;

	(void)state;
	assert_int_equal(launch_prepare(argv, NULL, &l), 0);
	assert_int_equal(launch_go(&l, "true", NULL, NULL), 0);
	assert_int_equal(launch_wait(&l, -1, &status), 1);
	assert_int_equal(status, 0);
}

static void nothing_runs_before_it_is_let_go(void **state)
{
	char link[64], before[256] = "", ours[256] = "";
	int status;

	(void)state;
	prepare(": >\"$1/ran\"");
	poll(NULL, 0, 100);
	assert_false(exists("ran"));
	snprintf(link, sizeof(link), "/proc/%d/exe", l.pid);
	assert_true(readlink(link, before, sizeof(before) - 1) > 0);
	assert_true(readlink("/proc/self/exe", ours, sizeof(ours) - 1) > 0);
	assert_string_equal(before, ours);
	assert_int_equal(launch_wait(&l, 0, &status), 0);
	assert_int_equal(launch_go(&l, "sh", NULL, NULL), 0);
	assert_int_equal(launch_wait(&l, -1, &status), 1);
	assert_true(exists("ran"));
}

static void stopped_before_it_was_let_go_it_never_runs(void **state)
{
	(void)state;
	prepare(": >\"$1/ran\"");
	launch_stop(&l);
	assert_int_equal(l.pid, 0);
	assert_no_child_is_left();
	assert_false(exists("ran"));
}

/* The child has the only writing end of a pipe: it is over when that is closed. */
static void it_ends_unrun_if_we_die(void **state)
{
	int alive[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(alive), 0);
	pid = fork();
	if (!pid) {
		char *argv[] = { "sh", "-c", ": >\"$1/ran\"", "sh", folder.path, NULL };

		_exit(launch_prepare(argv, NULL, &l) ? 1 : 0);
	}
	assert_true(pid > 0);
	close(alive[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(read(alive[0], &byte, 1), 0);
	close(alive[0]);
	assert_false(exists("ran"));
}

static void a_child_that_died_waiting_cannot_be_let_go(void **state)
{
	struct pollfd p;

	(void)state;
	signal(SIGPIPE, SIG_IGN); /* as in the program */
	prepare("exit 0");
	assert_int_equal(kill(l.pid, SIGKILL), 0);
	p = (struct pollfd){ .fd = l.go, .events = 0 };
	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_int_equal(launch_go(&l, "sh", NULL, NULL), -EPIPE);
	signal(SIGPIPE, SIG_DFL);
}

static void looking_does_not_wait_and_waiting_has_an_end(void **state)
{
	uint64_t began;
	int status = 77;

	(void)state;
	start("exec sleep 60");
	assert_int_equal(launch_wait(&l, 0, &status), 0);
	began = now_ms();
	assert_int_equal(launch_wait(&l, 100, &status), 0);
	assert_in_range(now_ms() - began, 90, 20000);
	assert_int_equal(status, 77);
	assert_true(l.pid > 0);
}

static void stop_ends_a_command_that_listens_at_once(void **state)
{
	uint64_t began;

	(void)state;
	start("trap ': >\"$1/ended\"; exit' TERM; : >\"$1/ready\"; while :; do sleep 0.05; done");
	wait_for("ready");
	began = now_ms();
	launch_stop(&l);
	assert_true(now_ms() - began < 1900);
	assert_true(exists("ended"));
	assert_no_child_is_left();
}

static void stop_kills_a_command_that_does_not_listen(void **state)
{
	uint64_t began;
	pid_t pid;

	(void)state;
	start("trap '' TERM; : >\"$1/ready\"; exec sleep 60");
	wait_for("ready");
	pid = l.pid;
	began = now_ms();
	launch_stop(&l);
	assert_in_range(now_ms() - began, 1900, 20000);
	assert_int_equal(l.pid, 0);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_no_child_is_left();
}

static void stopping_twice_or_nothing_does_no_harm(void **state)
{
	(void)state;
	launch_stop(&l);
	start("exec sleep 60");
	launch_stop(&l);
	launch_stop(&l);
	assert_int_equal(l.go, -1);
	assert_int_equal(l.failure, -1);
	assert_int_equal(l.pidfd, -1);
}

/* The numbers of a line of /proc/PID/status such as "SigIgn:". */
static uint64_t status_mask(const char *name)
{
	FILE *f = fopen(folder_path(&folder, "status"), "re");
	unsigned long long mask = 0;
	char line[256];
	bool found = false;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, strlen(name)))
			found = sscanf(line + strlen(name), "%llx", &mask) == 1;
	}
	fclose(f);
	assert_true(found);
	return mask;
}

static void a_command_has_the_signal_mask_of_the_moment(void **state)
{
	sigset_t set, old;
	int status;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	status = status_of("exec cat /proc/self/status >\"$1/status\"");
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(status, 0);
	assert_int_equal(status_mask("SigBlk:"), 1 << (SIGINT - 1) | 1 << (SIGTERM - 1));
	assert_int_equal(status_mask("SigIgn:") >> (SIGPIPE - 1) & 1, 0);
}

/* Two that wait: neither holds what the other waits on. */
static void one_command_does_not_keep_another_waiting(void **state)
{
	struct launch first;
	int status;

	(void)state;
	prepare("exit 0");
	first = l;
	prepare("exec sleep 60");
	assert_int_equal(launch_go(&l, "sh", NULL, NULL), 0);
	close(first.go);
	first.go = -1;
	assert_int_equal(launch_wait(&first, 20000, &status), 1);
	launch_stop(&first);
}

/* --- stopped at the start -------------------------------------------------------------------- */

#define SKIP_UNLESS_ROOT()      \
	do {                    \
		if (geteuid())  \
			skip(); \
	} while (0)

static int n_started, start_error, start_signal;

/* What the command is and has done at its start. */
static int look(void *ctx)
{
	char link[64], exe[256] = "", shell[256] = "";

	assert_ptr_equal(ctx, &n_started);
	n_started++;
	snprintf(link, sizeof(link), "/proc/%d/exe", l.pid);
	assert_true(readlink(link, exe, sizeof(exe) - 1) > 0);
	assert_non_null(realpath("/bin/sh", shell));
	assert_string_equal(exe, shell);
	poll(NULL, 0, 100); /* it does not run on */
	assert_false(exists("ran"));
	if (start_signal) {
		struct pollfd ended = { .fd = l.pidfd, .events = POLLIN };

		assert_int_equal(kill(l.pid, start_signal), 0);
		if (start_signal == SIGKILL)
			assert_int_equal(poll(&ended, 1, 20000), 1);
	}
	return start_error;
}

static int go_and_look(int error, int signal)
{
	n_started = 0;
	start_error = error;
	start_signal = signal;
	return launch_go(&l, "sh", look, &n_started);
}

static void it_stops_before_its_first_instruction(void **state)
{
	int status = -1;

	(void)state;
	SKIP_UNLESS_ROOT();
	prepare(": >\"$1/ran\"; exit 9");
	assert_int_equal(go_and_look(0, 0), 0);
	assert_int_equal(n_started, 1);
	assert_int_equal(launch_wait(&l, -1, &status), 1);
	assert_int_equal(status, 9);
	assert_true(exists("ran"));
	assert_no_child_is_left();
}

static void what_goes_wrong_at_the_start_is_returned(void **state)
{
	(void)state;
	SKIP_UNLESS_ROOT();
	prepare("exec sleep 60");
	assert_int_equal(go_and_look(-ENOBUFS, 0), -ENOBUFS);
	assert_true(l.pid > 0);
	launch_stop(&l);
	assert_no_child_is_left();
}

static void what_cannot_be_executed_says_why_though_it_would_be_stopped(void **state)
{
	char *missing[] = { "/nowhere/at/all", NULL };

	(void)state;
	n_started = 0;
	assert_int_equal(launch_prepare(missing, NULL, &l), 0);
	assert_int_equal(launch_go(&l, missing[0], look, &n_started), -ENOENT);
	assert_string_equal(err_text(),
			    "cannot start '/nowhere/at/all': No such file or directory");
	assert_int_equal(n_started, 0);
	launch_stop(&l);
	assert_int_equal(l.pid, 0);
	assert_no_child_is_left();
}

static void one_that_is_killed_in_the_stop_has_ended(void **state)
{
	int status = -1;

	(void)state;
	SKIP_UNLESS_ROOT();
	prepare(": >\"$1/ran\"");
	assert_int_equal(go_and_look(0, SIGKILL), 0);
	assert_int_equal(launch_wait(&l, 20000, &status), 1);
	assert_int_equal(status, 128 + SIGKILL);
	assert_false(exists("ran"));
	assert_no_child_is_left();
}

static void a_signal_in_the_stop_is_not_lost(void **state)
{
	int status = -1;

	(void)state;
	SKIP_UNLESS_ROOT();
	prepare("exec sleep 60");
	assert_int_equal(go_and_look(0, SIGTERM), 0);
	assert_int_equal(launch_wait(&l, 20000, &status), 1);
	assert_int_equal(status, 128 + SIGTERM);
}

static void afterwards_nobody_traces_it(void **state)
{
	char command[64];

	(void)state;
	SKIP_UNLESS_ROOT();
	prepare("exec sleep 60");
	assert_int_equal(go_and_look(0, 0), 0);
	snprintf(command, sizeof(command), "grep -q '^TracerPid:.0$' /proc/%d/status", l.pid);
	assert_int_equal(system(command), 0);
}

/* A traced process stops at each signal, also at those that it ignores. */
static void signals_before_the_exec_do_not_hold_it_up(void **state)
{
	struct timespec pause_between = { .tv_nsec = 20000 };
	int i, status;

	(void)state;
	SKIP_UNLESS_ROOT();
	alarm(60);
	for (i = 0; i < 20; i++) {
		pid_t nagger;

		prepare("exit 3");
		nagger = fork();
		if (!nagger) {
			while (!kill(l.pid, SIGURG))
				nanosleep(&pause_between, NULL);
			_exit(0);
		}
		assert_true(nagger > 0);
		n_started = start_error = start_signal = 0;
		assert_int_equal(launch_go(&l, "sh", look, &n_started), 0);
		assert_int_equal(n_started, 1);
		assert_int_equal(launch_wait(&l, 20000, &status), 1);
		assert_int_equal(status, 3);
		kill(nagger, SIGKILL);
		assert_int_equal(waitpid(nagger, NULL, 0), nagger);
	}
	alarm(0);
}

/* Its PID may be that of another process by then. */
static void who_ended_before_the_exec_is_not_stopped_again(void **state)
{
	char *missing[] = { "/nowhere/at/all", NULL };
	pid_t pid;
	int status;

	(void)state;
	SKIP_UNLESS_ROOT();
	assert_int_equal(launch_prepare(missing, NULL, &l), 0);
	pid = l.pid;
	assert_int_equal(launch_go(&l, missing[0], look, &n_started), -ENOENT);
	assert_true(l.has_ended);
	/* Another child of ours stands for the one that got the PID. */
	l.pid = fork();
	if (!l.pid) {
		for (;;)
			pause();
	}
	assert_int_not_equal(l.pid, pid);
	pid = l.pid;
	launch_stop(&l);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_exit_status_is_that_of_the_command),
		TEST(what_the_command_took_is_noted),
		TEST(a_signal_is_128_more_as_in_a_shell),
		TEST(what_cannot_be_executed_says_why),
		TEST(programs_are_searched_in_the_path),
		TEST(nothing_runs_before_it_is_let_go),
		TEST(stopped_before_it_was_let_go_it_never_runs),
		TEST(it_ends_unrun_if_we_die),
		TEST(a_child_that_died_waiting_cannot_be_let_go),
		TEST(looking_does_not_wait_and_waiting_has_an_end),
		TEST(stop_ends_a_command_that_listens_at_once),
		TEST(stop_kills_a_command_that_does_not_listen),
		TEST(stopping_twice_or_nothing_does_no_harm),
		TEST(a_command_has_the_signal_mask_of_the_moment),
		TEST(one_command_does_not_keep_another_waiting),
		TEST(it_stops_before_its_first_instruction),
		TEST(what_goes_wrong_at_the_start_is_returned),
		TEST(what_cannot_be_executed_says_why_though_it_would_be_stopped),
		TEST(one_that_is_killed_in_the_stop_has_ended),
		TEST(a_signal_in_the_stop_is_not_lost),
		TEST(afterwards_nobody_traces_it),
		TEST(signals_before_the_exec_do_not_hold_it_up),
		TEST(who_ended_before_the_exec_is_not_stopped_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
