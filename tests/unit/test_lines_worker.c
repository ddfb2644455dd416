/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/lines_file.h"
#include "user/base/clock.h"

static int look_up_main(struct file *f, const char *name)
{
	struct code_line lines[CODE_LINES_MAX];
	uint64_t start, end;

	range_of(name, "main", &start, &end);
	return look_up(f, start, lines);
}

/* How a line of /proc/PID/status goes on. */
static const char *status_of(pid_t pid, const char *key)
{
	static char line[512];
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) && strncmp(line, key, strlen(key)))
		;
	fclose(f);
	assert_memory_equal(line, key, strlen(key));
	line[strcspn(line, "\n")] = '\0';
	return line + strlen(key);
}

static size_t count_descriptors(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	size_t n = 0;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	fds = opendir(path);
	assert_non_null(fds);
	while ((entry = readdir(fds)))
		n += entry->d_name[0] != '.';
	closedir(fds);
	return n;
}

static bool has_children(void)
{
	return waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD;
}

static void has_no_right_and_no_files_but_its_socket(void **state)
{
	_cleanup_(file_release) struct file f;
	pid_t pid;

	(void)state;
	open_file("program", &f);
	assert_int_equal(f.worker->pid, 0); /* nothing was asked for */
	assert_int_equal(look_up_main(&f, "program"), 1);
	assert_true(f.worker->spent_cpu_ns > 0);
	assert_int_equal(f.worker->budget.cpu_ns, 5000000000 - f.worker->spent_cpu_ns);
	pid = f.worker->pid;
	assert_true(pid > 0);
	if (!geteuid()) {
		assert_string_equal(status_of(pid, "Uid:"), "\t65534\t65534\t65534\t65534");
		assert_string_equal(status_of(pid, "Gid:"), "\t65534\t65534\t65534\t65534");
		assert_int_equal(strspn(status_of(pid, "Groups:"), "\t "),
				 strlen(status_of(pid, "Groups:")));
	}
	assert_string_equal(status_of(pid, "CapPrm:"), "\t0000000000000000");
	assert_string_equal(status_of(pid, "CapEff:"), "\t0000000000000000");
	assert_string_equal(status_of(pid, "NoNewPrivs:"), "\t1");
#ifndef __SANITIZE_ADDRESS__
	assert_string_equal(status_of(pid, "Seccomp:"), "\t2");
#endif
	if (!geteuid())
		assert_int_equal(count_descriptors(pid), 4);
}

/* Hard and soft, as /proc/PID/limits has them; UINT64_MAX: unlimited. */
static uint64_t limit_of(pid_t pid, const char *name)
{
	char path[64], line[256] = "", soft[32], hard[32];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/limits", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) && strncmp(line, name, strlen(name)))
		;
	fclose(f);
	assert_int_equal(sscanf(line + strlen(name), "%31s %31s", soft, hard), 2);
	assert_string_equal(soft, hard);
	return strcmp(soft, "unlimited") ? strtoull(soft, NULL, 10) : UINT64_MAX;
}

static void is_limited(void **state)
{
	_cleanup_(file_release) struct file f;
	pid_t pid;

	(void)state;
	open_file("program", &f);
	assert_int_equal(look_up_main(&f, "program"), 1);
	pid = f.worker->pid;
#ifndef __SANITIZE_ADDRESS__
	assert_true(limit_of(pid, "Max address space") < 2ull << 30);
#endif
	assert_true(limit_of(pid, "Max cpu time") <= 60);
	assert_true(limit_of(pid, "Max open files") <= 16);
	assert_int_equal(limit_of(pid, "Max file size"), 0);
	assert_int_equal(limit_of(pid, "Max core file size"), 0);
}

static void leaves_neither_a_process_nor_descriptors(void **state)
{
	size_t before = count_descriptors(getpid()), i;

	(void)state;
	for (i = 0; i < 3; i++) {
		_cleanup_(file_release) struct file f;

		open_file("program", &f);
		assert_int_equal(look_up_main(&f, "program"), 1);
		assert_true(has_children());
	}
	assert_int_equal(count_descriptors(getpid()), before);
	assert_false(has_children());
}

/* Asks one worker for the lines of another file. */
static int look_up_with(struct lines_worker *worker, const char *name, bool *ret_failed)
{
	struct file f;
	int n;

	open_file(name, &f);
	lines_worker_free(f.worker);
	f.worker = worker;
	n = look_up_main(&f, name);
	*ret_failed = f.lines.failed;
	f.worker = NULL;
	file_release(&f);
	return n;
}

static void dies_with_one_file_and_the_next_has_another(void **state)
{
	_cleanup_(file_release) struct file f;
	struct code_line lines[CODE_LINES_MAX];
	uint64_t start, end;
	bool failed;
	pid_t pid;

	(void)state;
	open_file("program", &f);
	assert_int_equal(look_up_main(&f, "program"), 1);
	pid = f.worker->pid;
	assert_int_equal(kill(pid, SIGKILL), 0);
	range_of("program", "outermost", &start, &end);
	assert_int_equal(look_up(&f, start, lines), 0);
	assert_true(f.lines.failed);
	assert_false(has_children());
	assert_int_equal(look_up_main(&f, "program"), 1); /* that was known */
	assert_int_equal(look_up_with(f.worker, "program", &failed), 1);
	assert_false(failed);
	assert_int_not_equal(f.worker->pid, pid);
}

static void is_not_waited_for_when_it_is_late(void **state)
{
	_cleanup_(file_release) struct file f;
	struct code_line lines[CODE_LINES_MAX];
	uint64_t start, end, before;

	(void)state;
	open_file("program", &f);
	assert_int_equal(look_up_main(&f, "program"), 1);
	assert_int_equal(kill(f.worker->pid, SIGSTOP), 0);
	f.worker->budget.request_ns = 100000000;
	range_of("program", "outermost", &start, &end);
	before = clock_ns(CLOCK_MONOTONIC);
	assert_int_equal(look_up(&f, start, lines), 0);
	assert_true(clock_ns(CLOCK_MONOTONIC) - before < 4000000000ull);
	assert_true(f.lines.failed);
	assert_int_equal(f.worker->pid, 0);
	assert_false(has_children());
}

static void is_not_started_again_after_three_deaths(void **state)
{
	struct lines_worker *worker;
	bool failed;
	int i;

	(void)state;
	assert_int_equal(lines_worker_new(0, &worker), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(look_up_with(worker, "program", &failed), 1);
		assert_int_equal(kill(worker->pid, SIGKILL), 0);
		assert_int_equal(look_up_with(worker, "program", &failed), 0);
		assert_true(failed);
	}
	assert_int_equal(look_up_with(worker, "program", &failed), 0);
	assert_true(failed);
	assert_int_equal(worker->pid, 0);
	lines_worker_free(worker);
	assert_false(has_children());
}

static void waits_for_no_fifo_that_a_file_names(void **state)
{
	_cleanup_(file_release) struct file f, alt;
	uint64_t before;

	(void)state;
	assert_int_equal(run("gcc -O2 -g -gsplit-dwarf program.c -o split && rm -f *.dwo && "
			     "mkfifo $(readelf --debug-dump=info split 2>/dev/null | "
			     "sed -n 's/.*dwo_name.*: //p' | head -n 1)"),
			 0);
	open_file("split", &f);
	before = clock_ns(CLOCK_MONOTONIC);
	assert_int_equal(look_up_main(&f, "split"), 1);
	assert_int_equal(f.worker->deaths, 0);
	assert_true(clock_ns(CLOCK_MONOTONIC) - before < 4000000000ull);
	if (run("dwz --version >dwz.out 2>&1"))
		skip();
	assert_int_equal(run("cp program one && cp program two && dwz -m shared one two && "
			     "rm shared && mkfifo shared"),
			 0);
	open_file("one", &alt);
	assert_int_equal(look_up_main(&alt, "one"), 0);
	assert_int_equal(alt.worker->pid, 0); /* it was not even asked */
}

/* Each file is 8 MiB larger than it need be: two at a time are more than half of the memory. */
static void opens_files_again_where_memory_is_scarce(void **state)
{
	_cleanup_(file_release) struct file f, g;
	struct code_line lines[CODE_LINES_MAX];
	struct lines_worker *mine;
	uint64_t start, end, at;

	(void)state;
	assert_int_equal(run("head -c 8388608 /dev/zero >zeros && "
			     "objcopy --add-section .zeros=zeros program large"),
			 0);
	open_file("large", &f);
	open_file("large", &g);
	mine = g.worker;
	f.worker->budget.bytes = 24 << 20;
	range_of("large", "outermost", &start, &end);
	for (at = start; at < end; at++) {
		assert_true(look_up(&f, at, lines) > 0);
		g.worker = f.worker;
		assert_true(look_up(&g, at, lines) > 0);
		g.worker = mine;
	}
	assert_int_equal(f.worker->deaths, 0);
	assert_true(f.worker->n_files > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_no_right_and_no_files_but_its_socket),
		cmocka_unit_test(is_limited),
		cmocka_unit_test(leaves_neither_a_process_nor_descriptors),
		cmocka_unit_test(dies_with_one_file_and_the_next_has_another),
		cmocka_unit_test(is_not_waited_for_when_it_is_late),
		cmocka_unit_test(is_not_started_again_after_three_deaths),
		cmocka_unit_test(waits_for_no_fifo_that_a_file_names),
		cmocka_unit_test(opens_files_again_where_memory_is_scarce),
	};

	return cmocka_run_group_tests(tests, make_program, remove_folder);
}
