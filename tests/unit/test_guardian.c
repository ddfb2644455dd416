/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/guardian.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static pid_t *session; /* shared with those who are killed */

static int set_up(void **state)
{
	(void)state;
	session = mmap(NULL, sizeof(*session), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	return session == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* A session of three processes. */
static pid_t start_session(void)
{
	pid_t pid = fork();

	if (!pid) {
		setsid();
		execlp("sh", "sh", "-c", "sleep 1000 & sleep 1000 & wait", NULL);
		_exit(127);
	}
	while (getpgid(pid) != pid)
		poll(NULL, 0, 1);
	return pid;
}

/* Whether all of the session is gone within ten seconds; what is dead is reaped, since it is ours
 * by now. */
static bool is_gone(void)
{
	int i;

	for (i = 0; i < 1000; i++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (kill(-*session, 0) && errno == ESRCH)
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

static void a_session_does_not_outlive_who_was_killed(void **state)
{
	struct guardian g = { .tell = -1 };
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		if (guardian_start(&g))
			_exit(1);
		*session = start_session();
		if (guardian_watch(&g, *session))
			_exit(1);
		poll(NULL, 0, 100);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(is_gone());
}

static void what_ends_well_is_left_alone(void **state)
{
	struct guardian g = { .tell = -1 };
	pid_t guard;

	(void)state;
	assert_int_equal(guardian_start(&g), 0);
	guard = g.pid;
	*session = start_session();
	assert_int_equal(guardian_watch(&g, *session), 0);
	guardian_end(&g);
	assert_int_equal(kill(guard, 0), -1); /* and waited for */
	assert_int_equal(kill(-*session, 0), 0);
	guardian_end(&g);
	kill(-*session, SIGKILL);
	assert_true(is_gone());
}

static void it_is_not_of_our_process_group(void **state)
{
	struct guardian g = { .tell = -1 };

	(void)state;
	assert_int_equal(guardian_start(&g), 0);
	while (getpgid(g.pid) != g.pid)
		poll(NULL, 0, 1);
	kill(g.pid, SIGTERM);
	poll(NULL, 0, 50);
	assert_int_equal(waitpid(g.pid, NULL, WNOHANG), 0);
	guardian_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_does_not_outlive_who_was_killed),
		cmocka_unit_test(what_ends_well_is_left_alone),
		cmocka_unit_test(it_is_not_of_our_process_group),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
