/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tree.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "user/base/clock.h"
#include "user/bench/repetition.h"

#define SECOND 1000000000ull

static struct scenario scenario;
static struct scenario_case c;
static struct repetition_options options;
static char *words[8];
static char folder[4096];

static int set_up(void **state)
{
	(void)state;
	tree_make();
	strcpy(folder, tree_path("private"));
	assert_int_equal(mkdir(folder, 0700), 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	scenario = (struct scenario){ .name = (char *)"demo", .ceilings = { .error_rate = NAN } };
	c = (struct scenario_case){ .name = (char *)"small", .workdir = tree_root };
	c.subject.command = words;
	options = (struct repetition_options){
		.scenario = &scenario,
		.c = &c,
		.number = 3,
		.folder = folder,
		.timeout_ns = 60 * SECOND,
		.hook_timeout_ns = 60 * SECOND,
		.stop_fd = -1,
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tree_remove("");
	return 0;
}

static struct repetition run(const char *const *argv)
{
	struct repetition r;
	size_t i;

	for (i = 0; argv[i]; i++)
		words[i] = (char *)argv[i];
	words[i] = NULL;
	assert_int_equal(repetition_run(&options, &r), 0);
	/* Whatever it was, no child of ours is left. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return r;
}

static struct repetition run_shell(const char *script)
{
	return run((const char *const[]){ "sh", "-c", script, NULL });
}

static void expect(struct repetition r, enum repetition_outcome outcome, const char *message)
{
	if (r.outcome != outcome || (message && (!r.message || !strstr(r.message, message))))
		fail_msg("outcome %d: %s", r.outcome, r.message ? r.message : "");
	if (outcome == REPETITION_OK)
		assert_null(r.message);
	free(r.message);
}

static char *text_of(const char *path)
{
	static char text[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	close(fd);
	text[n] = '\0';
	return text;
}

/* --- what it used ----------------------------------------------------------------------------- */

/* Burns at least 0.3 s of CPU time by its own measure, and holds 60 MB. */
static void times_and_memory_are_those_of_the_command(void **state)
{
	struct repetition r;

	(void)state;
	r = run((const char *const[]){
		"perl", "-e",
		"my $x = 'a' x 60_000_000; my $n = 0; while (1) { $n++ for 1..10000; my ($u, $s) = "
		"times; last if $u + $s > 0.3 } select undef, undef, undef, 0.2; print $n > 0",
		NULL });
	assert_true(r.values[VALUE_CPU] >= 0.29e9 && r.values[VALUE_CPU] < 3e9);
	assert_true(r.values[VALUE_WALL] >= 0.49e9 && r.values[VALUE_WALL] < 30e9);
	assert_true(fabs(r.values[VALUE_USER] + r.values[VALUE_SYSTEM] - r.values[VALUE_CPU]) < 1);
	assert_true(r.values[VALUE_MAX_RSS] > 60e6 && r.values[VALUE_MAX_RSS] < 300e6);
	assert_true(r.values[VALUE_MINOR_FAULTS] > 1000);
	assert_true(r.values[VALUE_VOLUNTARY_SWITCHES] >= 1);
	assert_true(isnan(r.values[VALUE_READY]));
	assert_string_equal(text_of(r.out), "1");
	expect(r, REPETITION_OK, NULL);
}

static void children_that_were_waited_for_count(void **state)
{
	struct repetition r;

	(void)state;
	r = run_shell("perl -e 'while (1) { my ($u, $s) = times; last if $u + $s > 0.2 }'; true");
	assert_true(r.values[VALUE_CPU] >= 0.19e9);
	expect(r, REPETITION_OK, NULL);
}

/* A process has what it was forked from as its largest resident set. */
static void our_own_memory_is_not_the_commands(void **state)
{
	size_t size = 200 << 20;
	char *block = malloc(size);
	struct repetition r;

	(void)state;
	assert_non_null(block);
	memset(block, 1, size);
	r = run((const char *const[]){ "sleep", "0.2", NULL });
	assert_true(r.values[VALUE_MAX_RSS] > 1e5 && r.values[VALUE_MAX_RSS] < 100e6);
	expect(r, REPETITION_OK, NULL);
	r = run((const char *const[]){ "true", NULL });
	assert_true(isnan(r.values[VALUE_MAX_RSS]));
	expect(r, REPETITION_OK, NULL);
	assert_true(block[size / 2] == 1);
	free(block);
}

static void counters_count_or_are_not_known(void **state)
{
	struct repetition r = run_shell("true");
	double n = r.values[VALUE_INSTRUCTIONS];

	(void)state;
	assert_true(isnan(n) || n > 10000);
	expect(r, REPETITION_OK, NULL);
}

/* --- what it is given ------------------------------------------------------------------------- */

static void it_has_its_folder_its_environment_and_no_input(void **state)
{
	struct scenario_pair pairs[] = { { (char *)"KNOB", (char *)"on" },
					 { (char *)"KNOB", (char *)"off" } };
	int leak = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
	struct repetition r;
	char expected[8192];

	(void)state;
	assert_true(leak >= 0);
	setenv("KNOB", "ours", 1);
	c.env = (struct scenario_pairs){ pairs, 2 };
	r = run_shell(
		"pwd; cat; echo $KNOB $FATHOM_SCENARIO $FATHOM_CASE $FATHOM_REPETITION; "
		"ls /proc/self/fd | wc -w; ps -o pid= -o sid= -p $$ | awk '{ print $1 == $2 }'");
	close(leak);
	/* ls itself has one more for the folder. */
	snprintf(expected, sizeof(expected), "%s\noff demo small 3\n4\n1\n", tree_root);
	assert_string_equal(text_of(r.out), expected);
	expect(r, REPETITION_OK, NULL);
}

static void what_cannot_be_executed_says_so(void **state)
{
	struct repetition r;

	(void)state;
	r = run((const char *const[]){ "no-such-program", NULL });
	assert_int_equal(r.exit_status, 127);
	expect(r, REPETITION_FAILED, "cannot start 'no-such-program': No such file or directory");
	c.workdir = (char *)"/no/such/folder";
	r = run_shell("true");
	expect(r, REPETITION_FAILED, "cannot start 'sh' in '/no/such/folder': No such file");
}

/* --- how it ends ------------------------------------------------------------------------------ */

static void a_failure_quotes_the_last_of_what_it_said(void **state)
{
	struct repetition r;

	(void)state;
	r = run_shell("echo one >&2; printf 'two\\033[31m\\n' >&2; exit 7");
	assert_int_equal(r.exit_status, 7);
	expect(r, REPETITION_FAILED, "it ended with status 7: one / two?[31m");
	r = run_shell("kill -SEGV $$");
	assert_int_equal(r.exit_status, 139);
	expect(r, REPETITION_FAILED, "it was ended by signal 11");
}

static void what_takes_too_long_is_killed(void **state)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC);

	(void)state;
	options.timeout_ns = SECOND / 5;
	expect(run_shell("trap '' TERM; sleep 100; sleep 100"), REPETITION_TIMED_OUT,
	       "it ran for longer than 0.2 s");
	options.timeout_ns = 60 * SECOND;
	scenario.ceilings.time_ns = SECOND / 5;
	expect(run_shell("sleep 100"), REPETITION_OVER_TIME, "the ceiling of 0.2 s");
	assert_true(clock_ns(CLOCK_MONOTONIC) - start < 30 * SECOND);
}

/* Two children with 40 MB each are above a ceiling of 64 MB, which none of them is by itself. */
static void a_memory_ceiling_is_of_all_its_processes(void **state)
{
	static const char hold[] = "for i in 1 2; do perl -e '$x = \"a\" x 40_000_000; sleep "
				   "'$SLEEP & done; wait";

	(void)state;
	scenario.ceilings.memory_bytes = 64 << 20;
	setenv("SLEEP", "100", 1);
	expect(run_shell(hold), REPETITION_OVER_MEMORY, "the ceiling of 67108864 bytes");
	scenario.ceilings.memory_bytes = 400 << 20;
	setenv("SLEEP", "1", 1);
	expect(run_shell(hold), REPETITION_OK, NULL);
}

static void a_short_peak_is_above_the_ceiling_too(void **state)
{
	(void)state;
	scenario.ceilings.memory_bytes = 32 << 20;
	expect(run((const char *const[]){ "perl", "-e", "$x = 'a' x 60_000_000", NULL }),
	       REPETITION_OVER_MEMORY, NULL);
}

static void a_flood_of_output_is_bounded(void **state)
{
	struct repetition r;
	struct stat st;

	(void)state;
	r = run((const char *const[]){ "yes", "a line that does not end by itself", NULL });
	assert_int_equal(stat(r.out, &st), 0);
	/* As much as is written within some 20 ms is above it; 4 GB would not be. */
	assert_true(st.st_size > 64 << 20 && st.st_size < 2ll << 30);
	expect(r, REPETITION_FAILED, "it wrote more than 64 MiB");
	c.ready = (struct scenario_ready){ .kind = READY_STDOUT, .text = (char *)"never" };
	r = run((const char *const[]){ "yes", NULL });
	assert_int_equal(stat(r.out, &st), 0);
	assert_int_equal(st.st_size, (64 << 20) + 1);
	expect(r, REPETITION_FAILED, "it wrote more than 64 MiB");
}

static pid_t pid_in(const char *name)
{
	return atoi(text_of(tree_path(name)));
}

static void a_daemon_that_it_leaves_behind_is_killed(void **state)
{
	(void)state;
	expect(run((const char *const[]){
		       "perl", "-MPOSIX", "-e",
		       "exit if fork; POSIX::setsid(); exit if fork; $SIG{TERM} = $SIG{HUP} = "
		       "'IGNORE'; open F, '>', 'pid.new'; print F $$; close F; rename 'pid.new', "
		       "'pid'; sleep 1000",
		       NULL }),
	       REPETITION_OK, NULL);
	/* It may have been killed before it could say who it is. */
	if (!access(tree_path("pid"), F_OK))
		assert_true(kill(pid_in("pid"), 0) && errno == ESRCH);
	expect(run_shell("setsid sh -c 'echo $$ >other; exec sleep 1000' & "
			 "while [ ! -s other ]; do sleep 0.01; done"),
	       REPETITION_OK, NULL);
	assert_true(pid_in("other") > 0 && kill(pid_in("other"), 0) && errno == ESRCH);
}

static void children_of_others_are_left_alone(void **state)
{
	struct repetition r;
	pid_t other = fork();
	size_t i;

	(void)state;
	if (other == 0) {
		pause();
		_exit(0);
	}
	for (i = 0; i < 2; i++)
		words[i] = (char *)(i ? "" : "true");
	words[1] = NULL;
	assert_int_equal(repetition_run(&options, &r), 0);
	expect(r, REPETITION_OK, NULL);
	assert_int_equal(waitpid(other, NULL, WNOHANG), 0);
	kill(other, SIGKILL);
	assert_int_equal(waitpid(other, NULL, 0), other);
}

static void an_interruption_ends_it(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	options.stop_fd = fds[0];
	if (fork() == 0) {
		usleep(200000);
		_exit(write(fds[1], "", 1) != 1);
	}
	words[0] = (char *)"sleep";
	words[1] = (char *)"100";
	words[2] = NULL;
	{
		struct repetition r;

		assert_int_equal(repetition_run(&options, &r), 0);
		expect(r, REPETITION_INTERRUPTED, "interrupted");
		/* And one more does not start at all. */
		words[0] = (char *)"touch";
		words[1] = (char *)"started";
		assert_int_equal(repetition_run(&options, &r), 0);
		expect(r, REPETITION_INTERRUPTED, "interrupted");
	}
	assert_int_not_equal(access(tree_path("started"), F_OK), 0);
	assert_true(wait(NULL) > 0);
	close(fds[0]);
	close(fds[1]);
}

/* --- readiness and duration ------------------------------------------------------------------- */

static void a_line_of_output_says_that_it_is_ready(void **state)
{
	struct repetition r;

	(void)state;
	c.ready = (struct scenario_ready){ .kind = READY_STDOUT, .text = (char *)"^ready [0-9]+$" };
	r = run_shell("echo starting; sleep 0.2; echo ready 1; sleep 1; echo end");
	assert_string_equal(text_of(r.out), "starting\nready 1\nend\n");
	assert_true(r.values[VALUE_READY] >= 0.2e9);
	assert_true(r.values[VALUE_READY] + 0.3e9 <= r.values[VALUE_WALL]);
	expect(r, REPETITION_OK, NULL);
	expect(run_shell("echo not ready 1"), REPETITION_NOT_READY,
	       "it ended with status 0 before it was ready");
}

static void it_is_stopped_when_it_is_ready(void **state)
{
	struct repetition r;

	(void)state;
	c.ready = (struct scenario_ready){ .kind = READY_FILE, .text = (char *)"up", .stop = true };
	/* Of an earlier run: it says nothing. */
	tree_write("up", "");
	r = run_shell("trap 'echo stopped; exit 9' TERM; sleep 0.3; touch up; "
		      "while :; do sleep 0.05; done");
	assert_string_equal(text_of(r.out), "stopped\n");
	assert_true(r.values[VALUE_READY] >= 0.3e9);
	assert_true(r.values[VALUE_WALL] == r.values[VALUE_READY]);
	expect(r, REPETITION_OK, NULL);
}

static void a_port_that_answers_says_that_it_is_ready(void **state)
{
	static const char server[] =
		"use IO::Socket::INET; select undef, undef, undef, 0.2; "
		"my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], "
		"Listen => 5, ReuseAddr => 1) or die $!; sleep 100";
	struct repetition r;
	char port[16];

	(void)state;
	c.ready = (struct scenario_ready){ .kind = READY_TCP,
					   .port = 20000 + getpid() % 10000,
					   .stop = true };
	snprintf(port, sizeof(port), "%u", c.ready.port);
	r = run((const char *const[]){ "perl", "-e", server, port, NULL });
	expect(r, REPETITION_OK, NULL);
	assert_true(r.values[VALUE_READY] >= 0.2e9);
}

static void it_runs_for_its_duration(void **state)
{
	struct repetition r;

	(void)state;
	scenario.duration_ns = SECOND / 2;
	r = run_shell("while :; do sleep 0.05; done");
	assert_true(r.values[VALUE_WALL] >= 0.5e9 && r.values[VALUE_WALL] < 5e9);
	expect(r, REPETITION_OK, NULL);
}

/* --- before and after ------------------------------------------------------------------------- */

static void the_output_has_to_be_right(void **state)
{
	struct repetition r;

	(void)state;
	/* echo right | sha256sum */
	c.oracle = (struct scenario_oracle){
		.is_given = true,
		.sha256 =
			(char *)"55c97802b397ef4da0d8e2ecf4a8fa33c1f4755da0eacec54c62cacbbcfd9713",
	};
	expect(run_shell("echo right"), REPETITION_OK, NULL);
	r = run_shell("echo wrong");
	expect(r, REPETITION_WRONG_OUTPUT, "stdout has the SHA-256");
	c.oracle = (struct scenario_oracle){ .is_given = true, .expected = (char *)"expected" };
	tree_write("expected", "right\n");
	expect(run_shell("echo right"), REPETITION_OK, NULL);
	expect(run_shell("echo wrong"), REPETITION_WRONG_OUTPUT, "stdout has the SHA-256");
	c.oracle.file = (char *)"result";
	expect(run_shell("echo right >result"), REPETITION_OK, NULL);
	/* It is there still, but of another repetition. */
	usleep(50000);
	expect(run_shell("true"), REPETITION_WRONG_OUTPUT, "not written by this repetition");
	expect(run_shell("rm result; mkfifo result"), REPETITION_WRONG_OUTPUT, "regular file");
}

static void hooks_run_before_and_after_untimed(void **state)
{
	char *before[] = { (char *)"sh", (char *)"-c", (char *)"sleep 1; echo b >>log", NULL };
	char *after[] = { (char *)"sh", (char *)"-c", (char *)"echo a >>log; exit $CODE", NULL };
	struct repetition r;

	(void)state;
	c.before_each = before;
	c.verify = after;
	setenv("CODE", "0", 1);
	r = run_shell("echo c >>log");
	assert_true(r.values[VALUE_WALL] < 1e9);
	expect(r, REPETITION_OK, NULL);
	assert_string_equal(text_of(tree_path("log")), "b\nc\na\n");
	setenv("CODE", "4", 1);
	expect(run_shell("true"), REPETITION_NOT_VERIFIED, "verify ended with status 4");
	before[2] = (char *)"echo no disk >&2; exit 5";
	expect(run_shell("touch started"), REPETITION_FAILED,
	       "before_each ended with status 5: no disk");
	assert_int_not_equal(access(tree_path("started"), F_OK), 0);
	options.hook_timeout_ns = SECOND / 10;
	before[2] = (char *)"sleep 100";
	expect(run_shell("true"), REPETITION_FAILED, "before_each took longer than 0.1 s");
}

/* --- services --------------------------------------------------------------------------------- */

static pid_t start_service(const char *script)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("perl", "perl", "-e", script, NULL);
		_exit(127);
	}
	return pid;
}

static void a_service_is_watched_through_a_window(void **state)
{
	struct repetition r;

	(void)state;
	c.subject = (struct scenario_subject){ .pid = start_service("1 while 1") };
	scenario.duration_ns = SECOND;
	usleep(100000);
	assert_int_equal(repetition_run(&options, &r), 0);
	assert_true(r.values[VALUE_WALL] >= 1e9);
	/* It has not a CPU alone; two ticks are little for all that works. */
	assert_true(r.values[VALUE_CPU] >= 0.02e9);
	assert_true(r.values[VALUE_CPU] <= r.values[VALUE_WALL] + 0.03e9);
	assert_true(r.other_ns == (uint64_t)r.values[VALUE_CPU]);
	assert_true(r.values[VALUE_MAX_RSS] > 1e6);
	expect(r, REPETITION_OK, NULL);
	/* It is not ours to end. */
	assert_int_equal(kill(c.subject.pid, 0), 0);
	kill(c.subject.pid, SIGKILL);
	waitpid(c.subject.pid, NULL, 0);
	assert_int_equal(repetition_run(&options, &r), 0);
	expect(r, REPETITION_FAILED, "there is no process");
}

static void a_cgroup_is_watched_by_its_files(void **state)
{
	struct repetition r;
	char path[4096];

	(void)state;
	strcpy(path, tree_path("group"));
	tree_write("group/cpu.stat", "usage_usec 1000\nuser_usec 600\nsystem_usec 400\n");
	tree_write("group/memory.current", "5000000\n");
	tree_write("group/io.stat", "8:0 rbytes=100 wbytes=7\n8:16 rbytes=200 wbytes=1\n");
	c.subject = (struct scenario_subject){ .cgroup = path };
	scenario.duration_ns = SECOND / 2;
	if (fork() == 0) {
		usleep(200000);
		tree_write("group/cpu.stat.new",
			   "usage_usec 5000\nuser_usec 2600\nsystem_usec 2400\n");
		tree_write("group/io.stat.new",
			   "8:0 rbytes=150 wbytes=7\n8:16 rbytes=1200 wbytes=5\n");
		chdir(path);
		_exit(rename("cpu.stat.new", "cpu.stat") || rename("io.stat.new", "io.stat"));
	}
	assert_int_equal(repetition_run(&options, &r), 0);
	assert_true(wait(NULL) > 0);
	assert_true(r.values[VALUE_CPU] == 4e6);
	assert_true(r.values[VALUE_USER] == 2e6);
	assert_true(r.values[VALUE_READ] == 1050);
	assert_true(r.values[VALUE_WRITTEN] == 4);
	assert_true(r.values[VALUE_MAX_RSS] == 5e6);
	assert_true(isnan(r.values[VALUE_MINOR_FAULTS]));
	expect(r, REPETITION_OK, NULL);
	scenario.ceilings.memory_bytes = 4000000;
	assert_int_equal(repetition_run(&options, &r), 0);
	expect(r, REPETITION_OVER_MEMORY, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(times_and_memory_are_those_of_the_command),
		TEST(children_that_were_waited_for_count),
		TEST(our_own_memory_is_not_the_commands),
		TEST(counters_count_or_are_not_known),
		TEST(it_has_its_folder_its_environment_and_no_input),
		TEST(what_cannot_be_executed_says_so),
		TEST(a_failure_quotes_the_last_of_what_it_said),
		TEST(what_takes_too_long_is_killed),
		TEST(a_memory_ceiling_is_of_all_its_processes),
		TEST(a_short_peak_is_above_the_ceiling_too),
		TEST(a_flood_of_output_is_bounded),
		TEST(a_daemon_that_it_leaves_behind_is_killed),
		TEST(children_of_others_are_left_alone),
		TEST(an_interruption_ends_it),
		TEST(a_line_of_output_says_that_it_is_ready),
		TEST(it_is_stopped_when_it_is_ready),
		TEST(a_port_that_answers_says_that_it_is_ready),
		TEST(it_runs_for_its_duration),
		TEST(the_output_has_to_be_right),
		TEST(hooks_run_before_and_after_untimed),
		TEST(a_service_is_watched_through_a_window),
		TEST(a_cgroup_is_watched_by_its_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
