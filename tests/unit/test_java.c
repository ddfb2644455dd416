/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test_sym_folder.h"
#include "user/base/cleanup.h"
#include "user/base/file.h"
#include "user/collect/java.h"
#include "user/collect/java_child.h"

/* A Java home whose jcmd is that script; all of it the user's. */
static void make_home(const char *script)
{
	assert_int_equal(run("rm -rf home out && mkdir -p home/lib/server home/bin && "
			     "touch home/lib/server/libjvm.so && chmod -R go-w home"),
			 0);
	write_text("home/bin/jcmd", script);
	assert_int_equal(run("chmod 755 home/bin/jcmd"), 0);
}

static const char *libjvm(void)
{
	return in_folder("home/lib/server/libjvm.so");
}

static void the_jcmd_beside_the_libjvm_is_found(void **state)
{
	_cleanup_(freep) char *jcmd = NULL;

	(void)state;
	make_home("#!/bin/sh\n");
	assert_int_equal(java_find_jcmd(getpid(), libjvm(), &jcmd), 0);
	assert_string_equal(jcmd, in_folder("home/bin/jcmd"));
}

static void one_that_others_could_have_put_there_is_not_run(void **state)
{
	static const char *const holes[] = { "home/bin/jcmd", "home/bin", "home" };
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		_cleanup_(freep) char *jcmd = NULL;

		make_home("#!/bin/sh\n");
		assert_int_equal(run("chmod o+w %s", holes[i]), 0);
		if (!java_find_jcmd(getpid(), libjvm(), &jcmd))
			assert_null(strstr(jcmd, folder)); /* the system's */
	}
	if (!geteuid()) {
		_cleanup_(freep) char *jcmd = NULL;

		make_home("#!/bin/sh\n");
		assert_int_equal(run("chown 12345 home/bin"), 0);
		if (!java_find_jcmd(getpid(), libjvm(), &jcmd))
			assert_null(strstr(jcmd, folder));
	}
}

static void a_process_that_is_gone_has_none(void **state)
{
	char *jcmd = NULL;
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	assert_true(java_find_jcmd(pid, libjvm(), &jcmd) < 0);
	assert_null(jcmd);
}

/* A process of that user that only waits. */
static pid_t sleeper(uid_t uid)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (uid && (setgid(uid) || setuid(uid)))
		_exit(1);
	pause();
	_exit(0);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void it_runs_as_the_process_s_user_with_nothing_of_ours(void **state)
{
	_cleanup_(freep) char *jcmd = NULL, *out = NULL;
	uid_t uid = geteuid() ? 0 : 12345; /* 0: ours */
	char want[256];
	int status, i;
	pid_t pid = sleeper(uid), child;
	struct stat st = { 0 };
	size_t len;

	(void)state;
	make_home("#!/bin/sh\n"
		  "cd \"${0%/*}\" || exit 1\n"
		  "{ id -u; id -G; echo \"$@\"; pwd; ls /proc/self/fd | wc -l; echo \"$SECRET\"; } "
		  ">out && exit 7\n");
	assert_int_equal(run("chmod 755 . && chmod 777 home/bin"), 0);
	setenv("SECRET", "ours", 1);
	/* Until it has become that user. */
	for (i = 0; i < 1000 && uid && st.st_uid != uid; i++) {
		snprintf(want, sizeof(want), "/proc/%d", pid);
		assert_int_equal(stat(want, &st), 0);
		usleep(1000);
	}
	child = java_start_jcmd(pid, in_folder("home/bin/jcmd"));
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(file_read(in_folder("home/bin/out"), 4096, &out, &len), 0);
	if (uid) {
		/* Descriptors 0 to 2 and the one that ls(1) reads the folder by. */
		snprintf(want, sizeof(want), "%u\n%u\n%d Compiler.perfmap\n%s\n4\n\n", uid, uid,
			 pid, in_folder("home/bin"));
		assert_string_equal(out, want);
	} else {
		assert_non_null(strstr(out, "Compiler.perfmap"));
	}
	unsetenv("SECRET");
	end(pid);
}

/* Asks a process that looks like a JVM, whose jcmd is that script, at the end of a recording. */
static struct java_maps asked(const char *script, const char *mapped)
{
	_cleanup_(symbolizer_freep) struct symbolizer *symbolizer = NULL;
	_cleanup_(processes_freep) struct processes *processes = NULL;
	struct symbolizer_options options = { .no_debuginfod = true };
	struct java_maps java, result;
	struct sym_mapping m = { .start = 0x1000, .end = 0x2000, .ino = 1, .path = mapped };

	make_home(script);
	m.pid = sleeper(0);
	assert_int_equal(symbolizer_new(&options, &symbolizer), 0);
	assert_int_equal(processes_new(&processes), 0);
	assert_int_equal(processes_mmap(processes, &m, 1), 0);
	java_maps_init(&java);
	java_maps_look(&java, processes, m.pid);
	java_maps_look(&java, processes, m.pid);
	java_maps_tick(&java, processes, symbolizer); /* too early */
	assert_int_equal(java.written + java.failed, 0);
	java_maps_finish(&java, processes, symbolizer);
	result = java;
	java_maps_release(&java);
	end(m.pid);
	return result;
}

static void answers_and_failures_are_counted(void **state)
{
	struct java_maps java;

	(void)state;
	java = asked("#!/bin/sh\nexit 0\n", libjvm());
	assert_int_equal(java.written, 1);
	assert_int_equal(java.failed, 0);
	java = asked("#!/bin/sh\nexit 1\n", libjvm());
	assert_int_equal(java.written, 0);
	assert_int_equal(java.failed, 1);
}

static void what_is_no_jvm_is_not_asked(void **state)
{
	struct java_maps java;

	(void)state;
	java = asked("#!/bin/sh\nexit 0\n", "/usr/lib/libjvm.so.1");
	assert_int_equal(java.written + java.failed, 0);
	java = asked("#!/bin/sh\nexit 0\n", "[libjvm.so]");
	assert_int_equal(java.written + java.failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_jcmd_beside_the_libjvm_is_found),
		cmocka_unit_test(one_that_others_could_have_put_there_is_not_run),
		cmocka_unit_test(a_process_that_is_gone_has_none),
		cmocka_unit_test(it_runs_as_the_process_s_user_with_nothing_of_ours),
		cmocka_unit_test(answers_and_failures_are_counted),
		cmocka_unit_test(what_is_no_jvm_is_not_asked),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
