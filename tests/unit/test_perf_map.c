/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/sym/perf_map.h"

static void append(int fd, const char *text, size_t len)
{
	assert_int_equal(lseek(fd, 0, SEEK_END) < 0, 0);
	assert_int_equal(write(fd, text, len), len);
}

static int file_of(const char *text, size_t len)
{
	int fd = memfd_create("map", MFD_CLOEXEC);

	assert_true(fd >= 0);
	append(fd, text, len);
	return fd;
}

static struct perf_map *map_of(const char *text, size_t len, int *ret_err)
{
	_cleanup_(closep) int fd = file_of(text, len);
	struct perf_map *map;

	assert_int_equal(perf_map_new(1, &map), 0);
	*ret_err = perf_map_read(map, fd);
	return map;
}

static const char *name_at(struct perf_map *map, uint64_t address)
{
	struct perf_map_function f;

	return perf_map_find(map, address, &f) ? f.name : "";
}

static void lines_become_functions(void **state)
{
	static const char text[] = "7f0000001000 20 LazyCompile:*run /srv/a b.js:1\n"
				   "0x7f0000002000 0x10 py::f:/x.py\n";
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	struct perf_map_function f;
	int err;

	(void)state;
	map = map_of(text, strlen(text), &err);
	assert_int_equal(err, 1);
	assert_true(perf_map_find(map, 0x7f000000101f, &f));
	assert_string_equal(f.name, "LazyCompile:*run /srv/a b.js:1");
	assert_int_equal(f.offset, 0x1f);
	assert_string_equal(name_at(map, 0x7f0000001020), "");
	assert_string_equal(name_at(map, 0x7f0000002001), "py::f:/x.py");
	assert_string_equal(name_at(map, 0), "");
}

static void a_later_line_wins(void **state)
{
	static const char text[] = "1000 100 old\n1010 10 middle\n1000 20 new\n";
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	int err;

	(void)state;
	map = map_of(text, strlen(text), &err);
	assert_string_equal(name_at(map, 0x1000), "new");
	assert_string_equal(name_at(map, 0x1018), "new");
	assert_string_equal(name_at(map, 0x1020), "old");
	assert_string_equal(name_at(map, 0x10ff), "old");
}

static void what_is_added_is_read_and_an_unfinished_line_waits(void **state)
{
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	_cleanup_(closep) int fd = file_of("1000 10 a\n2000 10 b", 19);

	(void)state;
	assert_int_equal(perf_map_new(1, &map), 0);
	assert_int_equal(perf_map_read(map, fd), 1);
	assert_string_equal(name_at(map, 0x1000), "a");
	assert_string_equal(name_at(map, 0x2000), "");
	assert_int_equal(perf_map_read(map, fd), 0);
	append(fd, "cd\n3000 10 e\n1000 8 f\n", 22);
	assert_int_equal(perf_map_read(map, fd), 1);
	assert_string_equal(name_at(map, 0x2000), "bcd");
	assert_string_equal(name_at(map, 0x3000), "e");
	assert_string_equal(name_at(map, 0x1000), "f");
	assert_string_equal(name_at(map, 0x1008), "a");
	assert_int_equal(perf_map_read(map, fd), 0);
}

static void another_file_replaces_what_was_read(void **state)
{
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	_cleanup_(closep) int first = file_of("1000 10 a\n2000 10 b\n", 20);
	_cleanup_(closep) int second = file_of("1000 10 c\n", 10);
	struct perf_map_function old;

	(void)state;
	assert_int_equal(perf_map_new(1, &map), 0);
	assert_int_equal(perf_map_read(map, first), 1);
	assert_true(perf_map_find(map, 0x2000, &old));
	assert_int_equal(perf_map_read(map, second), 1);
	assert_string_equal(name_at(map, 0x1000), "c");
	assert_string_equal(name_at(map, 0x2000), "");
	assert_string_equal(old.name, "b"); /* what was given out stays */
	assert_int_equal(ftruncate(second, 0), 0);
	append(second, "9000 8 d\n", 9);
	assert_int_equal(perf_map_read(map, second), 1);
	assert_string_equal(name_at(map, 0x1000), "");
	assert_string_equal(name_at(map, 0x9000), "d");
}

/* As JVMs do when they are asked again. */
static void a_file_that_is_written_anew_is_read_from_its_start(void **state)
{
	static const char before[] = "1000 100 a\n2000 100 gone\n3000 100 b\n";
	static const char after[] = "0800 100 new\n1000 100 a\n3000 100 b\n4000 100 c\n5000 10 d\n";
	_cleanup_(closep) int fd = file_of(before, strlen(before));
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;

	(void)state;
	assert_int_equal(perf_map_new(1, &map), 0);
	assert_int_equal(perf_map_read(map, fd), 1);
	assert_int_equal(ftruncate(fd, 0), 0);
	append(fd, after, strlen(after));
	assert_int_equal(perf_map_read(map, fd), 1);
	assert_string_equal(name_at(map, 0x800), "new");
	assert_string_equal(name_at(map, 0x1000), "a");
	assert_string_equal(name_at(map, 0x5000), "d");
	assert_string_equal(name_at(map, 0x2000), "gone"); /* it was there once */
	assert_int_equal(perf_map_read(map, fd), 0);
}

static void broken_lines_are_left_out(void **state)
{
	static const char text[] = "\n \nxyz\n1000\n1000 10\n1000 10 \n1000  10 a\n-1 10 b\n"
				   "ffffffffffffffffff 10 c\n1000 ffffffffffffffffff d\n"
				   "fffffffffffffff0 20 wraps\n2000 0 empty\n"
				   "3000 10 \0nul\n4000 10 cut\0off\n5000 10 good\n";
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	int err;

	(void)state;
	map = map_of(text, sizeof(text) - 1, &err);
	assert_int_equal(err, 1);
	assert_string_equal(name_at(map, 0x1000), "");
	assert_string_equal(name_at(map, 0x2000), "");
	assert_string_equal(name_at(map, 0x3000), "");
	assert_string_equal(name_at(map, 0xfffffffffffffff8), "");
	assert_string_equal(name_at(map, 8), "");
	assert_string_equal(name_at(map, 0x4000), "cut");
	assert_string_equal(name_at(map, 0x5000), "good");
}

static void a_map_may_end_anywhere_and_be_anything(void **state)
{
	static const char text[] = "7f0000001000 20 first\n7f0000001010 20 second\n";
	char noise[5000];
	size_t i, j;
	int err;

	(void)state;
	for (i = 0; i < sizeof(text); i++) {
		struct perf_map *map = map_of(text, i, &err);

		assert_true(err == 0 || err == 1);
		assert_true(!strcmp(name_at(map, 0x7f0000001000), i >= 22 ? "first" : ""));
		perf_map_free(map);
	}
	srandom(3);
	for (i = 0; i < 200; i++) {
		struct perf_map *map;

		for (j = 0; j < sizeof(noise); j++)
			noise[j] = "0123456789abcdef \n\n\0x\xff"[random() % 22];
		map = map_of(noise, sizeof(noise), &err);
		assert_true(err == 0 || err == 1);
		for (j = 0; j < 5000; j++)
			name_at(map, j);
		perf_map_free(map);
	}
}

static void huge_names_are_cut(void **state)
{
	size_t size = 1 << 20;
	_cleanup_(freep) char *text = malloc(size);
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	int err;

	(void)state;
	assert_non_null(text);
	memset(text, 'n', size);
	memcpy(text, "1000 10 ", 8);
	memcpy(text + size - 13, "\n2000 10 end\n", 13);
	map = map_of(text, size, &err);
	assert_int_equal(err, 1);
	assert_int_equal(strlen(name_at(map, 0x1000)), 4096);
	assert_string_equal(name_at(map, 0x2000), "end");
}

static void too_many_lines_are_left_out(void **state)
{
	size_t n = (2u << 20) + 5, len = 0, i;
	_cleanup_(freep) char *text = malloc(n * 16);
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	int err;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < n; i++)
		len += sprintf(text + len, "%zx 10 f\n", i * 16);
	map = map_of(text, len, &err);
	assert_int_equal(err, -EFBIG);
	assert_string_equal(name_at(map, 0), "f");
	assert_string_equal(name_at(map, (n - 1) * 16), "");
}

/* --- the file of a process ----------------------------------------------------------------- */

static void path_of(uint32_t pid, char *ret, size_t size)
{
	snprintf(ret, size, "/tmp/perf-%u.map", pid);
}

/* A child that does nothing until it is killed. */
static pid_t sleeping_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void write_map(const char *path, const char *text)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	append(fd, text, strlen(text));
}

static void the_map_of_a_process_outlives_it(void **state)
{
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	pid_t pid = sleeping_child();
	char path[64];
	int fd;

	(void)state;
	path_of(pid, path, sizeof(path));
	assert_int_equal(perf_map_new(pid, &map), 0);
	assert_int_equal(perf_map_refresh(map), -ENOENT);
	write_map(path, "1000 10 a\n");
	assert_int_equal(perf_map_refresh(map), 1);
	assert_string_equal(name_at(map, 0x1000), "a");
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	append(fd, "2000 10 b\n", 10);
	close(fd);
	end_child(pid);
	unlink(path);
	assert_int_equal(perf_map_refresh(map), 1);
	assert_string_equal(name_at(map, 0x2000), "b");
	assert_int_equal(perf_map_refresh(map), 0);
}

static void a_fifo_a_folder_and_a_link_are_refused(void **state)
{
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	pid_t pid = sleeping_child();
	char path[64], target[80];

	(void)state;
	path_of(pid, path, sizeof(path));
	snprintf(target, sizeof(target), "%s.target", path);
	assert_int_equal(perf_map_new(pid, &map), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(perf_map_refresh(map), -EINVAL); /* and does not wait for a writer */
	unlink(path);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(perf_map_refresh(map), -EINVAL);
	rmdir(path);
	write_map(target, "1000 10 a\n");
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(perf_map_refresh(map), -EINVAL);
	assert_string_equal(name_at(map, 0x1000), "");
	unlink(path);
	unlink(target);
	end_child(pid);
}

static void somebody_else_s_map_is_refused(void **state)
{
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	char path[64];
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip(); /* only root can give files away */
	pid = sleeping_child();
	path_of(pid, path, sizeof(path));
	write_map(path, "1000 10 a\n");
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_int_equal(perf_map_new(pid, &map), 0);
	assert_int_equal(perf_map_refresh(map), -EPERM);
	assert_string_equal(name_at(map, 0x1000), "");
	assert_non_null(strstr(err_text(), "12345"));
	unlink(path);
	end_child(pid);
}

/* A /tmp of its own where its map has the PID that it has in its own namespace. */
static _Noreturn void contained_child(int ready)
{
	char path[64];

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/tmp", "tmpfs", 0, NULL))
		_exit(1);
	path_of(getpid(), path, sizeof(path));
	write_map(path, "1000 10 contained\n");
	if (write(ready, "y", 1) == 1)
		pause();
	_exit(0);
}

/* Processes each of which ends with its only child, 'depth' namespaces deep. */
static _Noreturn void contain(int depth, int ready)
{
	pid_t pid;

	for (; depth; depth--) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWPID | CLONE_NEWNS))
			_exit(1);
		pid = fork();
		if (pid != 0) {
			close(ready);
			_exit(waitpid(pid, NULL, 0) != pid);
		}
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	contained_child(ready);
}

static pid_t start_contained(int depth)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		contain(depth, ready[1]);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(ready[0]);
	return pid;
}

static pid_t only_child_of(pid_t pid)
{
	char path[64];
	int child = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%d", &child) != 1)
		child = -1;
	if (f)
		fclose(f);
	return child;
}

static void a_container_s_map_has_its_inner_pid_and_its_own_tmp(void **state)
{
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	pid_t outer = start_contained(2), pid;

	(void)state;
	if (outer < 0)
		skip(); /* no right to make namespaces */
	pid = only_child_of(only_child_of(outer));
	if (pid < 0) {
		end_child(outer);
		skip(); /* a kernel without the list of children */
	}
	assert_int_equal(perf_map_new(pid, &map), 0);
	assert_int_equal(perf_map_refresh(map), 1);
	assert_string_equal(name_at(map, 0x1000), "contained");
	kill(pid, SIGKILL);
	waitpid(outer, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_functions),
		cmocka_unit_test(a_later_line_wins),
		cmocka_unit_test(what_is_added_is_read_and_an_unfinished_line_waits),
		cmocka_unit_test(another_file_replaces_what_was_read),
		cmocka_unit_test(a_file_that_is_written_anew_is_read_from_its_start),
		cmocka_unit_test(broken_lines_are_left_out),
		cmocka_unit_test(a_map_may_end_anywhere_and_be_anything),
		cmocka_unit_test(huge_names_are_cut),
		cmocka_unit_test(too_many_lines_are_left_out),
		cmocka_unit_test(the_map_of_a_process_outlives_it),
		cmocka_unit_test(a_fifo_a_folder_and_a_link_are_refused),
		cmocka_unit_test(somebody_else_s_map_is_refused),
		cmocka_unit_test(a_container_s_map_has_its_inner_pid_and_its_own_tmp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
