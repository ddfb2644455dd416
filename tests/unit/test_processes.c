/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/collect/processes.h"

static struct processes *ps;

static int set_up(void **state)
{
	(void)state;
	return processes_new(&ps);
}

static int tear_down(void **state)
{
	(void)state;
	processes_free(ps);
	ps = NULL;
	return 0;
}

static void map(uint32_t pid, uint64_t start, uint64_t end, const char *path, uint64_t time_ns)
{
	struct sym_mapping m = { .start = start, .end = end, .path = path, .pid = pid, .ino = 1 };

	assert_int_equal(processes_mmap(ps, &m, time_ns), 0);
}

/* Path of what the process had at the address at that time, "" for nothing. */
static const char *at(uint32_t pid, uint64_t time_ns, uint64_t address)
{
	uint32_t image = processes_image(ps, pid, time_ns);
	const struct sym_mapping *m = processes_find(ps, image, time_ns, address);

	if (!m)
		return "";
	assert_true(m->start <= address && address < m->end);
	return m->path;
}

static void a_mapping_is_found_by_address_from_its_time_on(void **state)
{
	(void)state;
	map(7, 0x2000, 0x3000, "/bin/b", 10);
	map(7, 0x1000, 0x2000, "/bin/a", 20);
	assert_string_equal(at(7, 20, 0x1000), "/bin/a");
	assert_string_equal(at(7, 20, 0x1fff), "/bin/a");
	assert_string_equal(at(7, 20, 0x2000), "/bin/b");
	assert_string_equal(at(7, 20, 0x3000), "");
	assert_string_equal(at(7, 20, 0xfff), "");
	assert_string_equal(at(7, 19, 0x1000), "");
	assert_string_equal(at(7, 9, 0x2000), "");
	assert_string_equal(at(7, UINT64_MAX, 0x2000), "/bin/b");
}

static void an_unknown_process_has_no_image(void **state)
{
	(void)state;
	assert_int_equal(processes_image(ps, 7, 100), PROCESSES_NO_IMAGE);
	assert_null(processes_find(ps, PROCESSES_NO_IMAGE, 100, 0x1000));
}

static void mapping_again_after_asking_is_found(void **state)
{
	(void)state;
	map(7, 0x1000, 0x2000, "/a", 10);
	assert_string_equal(at(7, 50, 0x1000), "/a");
	map(7, 0x800, 0x900, "/b", 20);
	assert_string_equal(at(7, 50, 0x800), "/b");
	assert_string_equal(at(7, 50, 0x1000), "/a");
}

static void a_library_loaded_where_another_was_is_told_by_time(void **state)
{
	(void)state;
	map(7, 0x1000, 0x3000, "/lib/one.so", 10);
	map(7, 0x1000, 0x2000, "/lib/two.so", 20);
	map(7, 0x1000, 0x3000, "/lib/one.so", 30);
	assert_string_equal(at(7, 15, 0x1800), "/lib/one.so");
	assert_string_equal(at(7, 25, 0x1800), "/lib/two.so");
	assert_string_equal(at(7, 25, 0x2800), "/lib/one.so");
	assert_string_equal(at(7, 35, 0x1800), "/lib/one.so");
}

static void of_overlapping_mappings_the_newest_counts(void **state)
{
	(void)state;
	map(7, 0x1000, 0x9000, "/big", 10);
	map(7, 0x3000, 0x4000, "/small", 20);
	map(7, 0x2000, 0x6000, "/middle", 15);
	assert_string_equal(at(7, 25, 0x3800), "/small");
	assert_string_equal(at(7, 25, 0x4800), "/middle");
	assert_string_equal(at(7, 25, 0x2800), "/middle");
	assert_string_equal(at(7, 25, 0x1800), "/big");
	assert_string_equal(at(7, 25, 0x8800), "/big");
	assert_string_equal(at(7, 17, 0x3800), "/middle");
	assert_string_equal(at(7, 12, 0x3800), "/big");
}

static void exec_replaces_what_was_there(void **state)
{
	(void)state;
	map(7, 0x1000, 0x2000, "/bin/sh", 10);
	assert_int_equal(processes_exec(ps, 7, 20), 0);
	map(7, 0x1000, 0x2000, "/bin/ls", 21);
	assert_string_equal(at(7, 19, 0x1800), "/bin/sh");
	/* In the middle of it the registers are still those of the old image. */
	assert_string_equal(at(7, 20, 0x1800), "/bin/sh");
	assert_string_equal(at(7, 21, 0x1800), "/bin/ls");
	assert_int_not_equal(processes_image(ps, 7, 19), processes_image(ps, 7, 20));
	/* Before the first record there is the first image. */
	assert_int_equal(processes_image(ps, 7, 0), processes_image(ps, 7, 19));
}

static void a_child_has_what_its_parent_had_at_the_fork(void **state)
{
	(void)state;
	map(7, 0x1000, 0x2000, "/bin/sh", 10);
	assert_int_equal(processes_fork(ps, 8, 7, 20), 0);
	map(7, 0x1000, 0x2000, "/parent/only", 30);
	map(7, 0x5000, 0x6000, "/parent/only", 30);
	map(8, 0x3000, 0x4000, "/child/only", 40);
	assert_string_equal(at(8, 50, 0x1800), "/bin/sh");
	assert_string_equal(at(8, 50, 0x5800), "");
	assert_string_equal(at(8, 50, 0x3800), "/child/only");
	assert_string_equal(at(7, 50, 0x1800), "/parent/only");
	assert_string_equal(at(7, 50, 0x3800), "");
}

static void inheritance_goes_on_over_generations_until_an_exec(void **state)
{
	(void)state;
	map(7, 0x1000, 0x2000, "/bin/sh", 10);
	assert_int_equal(processes_fork(ps, 8, 7, 20), 0);
	map(7, 0x1000, 0x2000, "/new", 25);
	assert_int_equal(processes_fork(ps, 9, 8, 30), 0);
	assert_int_equal(processes_exec(ps, 8, 35), 0);
	map(8, 0x1000, 0x2000, "/bin/ls", 36);
	assert_int_equal(processes_fork(ps, 10, 8, 40), 0);
	assert_string_equal(at(9, 50, 0x1800), "/bin/sh");
	assert_string_equal(at(8, 34, 0x1800), "/bin/sh");
	assert_string_equal(at(8, 50, 0x1800), "/bin/ls");
	assert_string_equal(at(10, 50, 0x1800), "/bin/ls");
}

static void a_fork_of_an_unknown_parent_gets_what_is_learned_of_it(void **state)
{
	(void)state;
	assert_int_equal(processes_fork(ps, 8, 7, 20), 0);
	map(7, 0x1000, 0x2000, "/bin/sh", 10); /* as processes_scan() adds it */
	assert_string_equal(at(8, 50, 0x1800), "/bin/sh");
}

static void a_pid_that_is_used_again_is_another_process(void **state)
{
	(void)state;
	map(1, 0x1000, 0x2000, "/init", 0);
	map(2, 0x1000, 0x2000, "/daemon", 0);
	assert_int_equal(processes_fork(ps, 7, 1, 10), 0);
	map(7, 0x5000, 0x6000, "/first", 20);
	assert_int_equal(processes_fork(ps, 7, 2, 100), 0);
	assert_string_equal(at(7, 50, 0x5800), "/first");
	assert_string_equal(at(7, 50, 0x1800), "/init");
	assert_string_equal(at(7, 150, 0x5800), "");
	assert_string_equal(at(7, 150, 0x1800), "/daemon");
}

static void mappings_beyond_the_limit_are_counted(void **state)
{
	uint64_t i;

	(void)state;
	for (i = 0; i < PROCESSES_MAX_MAPPINGS; i++)
		map(7, i << 12, (i + 1) << 12, "/a", 1);
	assert_int_equal(processes_dropped(ps), 0);
	map(7, i << 12, (i + 1) << 12, "/b", 1);
	assert_int_equal(processes_dropped(ps), 1);
	assert_string_equal(at(7, 5, i << 12), "");
	assert_string_equal(at(7, 5, (i - 1) << 12), "/a");
	map(8, 0x1000, 0x2000, "/b", 1); /* the limit is each image's own */
	assert_string_equal(at(8, 5, 0x1000), "/b");
}

/* Names of an image before are worse than none. */
static void images_beyond_the_limit_are_counted_and_have_no_names(void **state)
{
	uint32_t i;

	(void)state;
	map(7, 0x1000, 0x2000, "/bin/sh", 1);
	map(8, 0x1000, 0x2000, "/bin/sh", 1);
	for (i = 3; i < PROCESSES_MAX_IMAGES; i++) /* 9 had an image before, too */
		assert_int_equal(processes_exec(ps, 9, i), 0);
	assert_int_equal(processes_dropped(ps), 0);
	assert_int_equal(processes_exec(ps, 7, i), 0);
	assert_int_equal(processes_fork(ps, 10, 8, i), 0);
	assert_int_equal(processes_dropped(ps), 2);
	map(7, 0x3000, 0x4000, "/bin/ls", i + 1);
	assert_string_equal(at(7, i + 2, 0x1800), "");
	assert_string_equal(at(7, i + 2, 0x3800), "");
	assert_string_equal(at(10, i + 2, 0x1800), "");
	assert_string_equal(at(8, i + 2, 0x1800), "/bin/sh");
	assert_true(processes_dropped(ps) >= 3);
}

/* --- /proc -------------------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void scan(uint32_t pid)
{
	assert_int_equal(processes_scan(ps, pid), 0);
	assert_int_equal(processes_settle(ps, UINT64_MAX), 0);
}

static void our_own_code_is_found_by_a_scan(void **state)
{
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	char exe[4096] = "";
	int on_stack = 0;

	(void)state;
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	scan(getpid());
	assert_string_equal(at(getpid(), 0, (uintptr_t)our_own_code_is_found_by_a_scan), exe);
	if (vdso)
		assert_string_equal(at(getpid(), 0, vdso), "[vdso]");
	/* Only what is executable. */
	assert_string_equal(at(getpid(), 0, (uintptr_t)&on_stack), "");
	assert_int_equal(processes_dropped(ps), 0);
}

static void anonymous_code_is_named_as_the_kernel_names_it(void **state)
{
	long page = sysconf(_SC_PAGESIZE);
	void *code = mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(code != MAP_FAILED);
	scan(getpid());
	assert_string_equal(at(getpid(), 0, (uintptr_t)code), "//anon");
	munmap(code, page);
}

static void count(void *ctx, const struct sym_mapping *m)
{
	assert_int_equal(m->pid, getpid());
	assert_non_null(m->path);
	++*(int *)ctx;
}

static void a_second_scan_adds_nothing(void **state)
{
	int first = 0, second = 0;

	(void)state;
	scan(getpid());
	processes_for_each(ps, getpid(), count, &first);
	scan(getpid());
	processes_for_each(ps, getpid(), count, &second);
	assert_true(first >= 2);
	assert_int_equal(first, second);
}

static void a_scan_counts_from_the_start_of_the_newest_image(void **state)
{
	uint64_t here = (uintptr_t)a_scan_counts_from_the_start_of_the_newest_image;

	(void)state;
	assert_int_equal(processes_exec(ps, getpid(), 100), 0);
	assert_int_equal(processes_exec(ps, getpid(), 200), 0);
	scan(getpid());
	assert_string_equal(at(getpid(), 150, here), "");
	assert_string_not_equal(at(getpid(), 200, here), "");
}

static void a_scan_waits_until_all_before_it_is_told(void **state)
{
	uint64_t here = (uintptr_t)a_scan_waits_until_all_before_it_is_told, before = now_ns();
	int waiting = 0;

	(void)state;
	assert_int_equal(processes_scan(ps, getpid()), 0);
	processes_for_each(ps, getpid(), count, &waiting);
	assert_true(waiting >= 2); /* their files can be opened already */
	assert_int_equal(processes_settle(ps, before), 0);
	assert_string_equal(at(getpid(), before, here), "");
	assert_int_equal(processes_settle(ps, now_ns()), 0);
	assert_string_not_equal(at(getpid(), before, here), "");
}

/* The program that was scanned is not the one of before, of which the side band told late. */
static void a_scan_belongs_to_the_image_of_its_time(void **state)
{
	uint64_t here = (uintptr_t)a_scan_belongs_to_the_image_of_its_time, executed;

	(void)state;
	assert_int_equal(processes_fork(ps, getpid(), 1, 100), 0);
	executed = now_ns();
	assert_int_equal(processes_scan(ps, getpid()), 0);
	assert_int_equal(processes_exec(ps, getpid(), executed), 0);
	assert_int_equal(processes_settle(ps, UINT64_MAX), 0);
	assert_string_equal(at(getpid(), executed - 1, here), "");
	assert_string_not_equal(at(getpid(), executed, here), "");
	assert_int_equal(processes_since(ps, getpid()), executed);
}

static void a_scan_before_an_exec_is_not_that_of_the_new_image(void **state)
{
	uint64_t here = (uintptr_t)a_scan_before_an_exec_is_not_that_of_the_new_image, executed;

	(void)state;
	assert_int_equal(processes_scan(ps, getpid()), 0);
	executed = now_ns() + 1;
	assert_int_equal(processes_exec(ps, getpid(), executed), 0);
	assert_int_equal(processes_settle(ps, UINT64_MAX), 0);
	assert_string_not_equal(at(getpid(), executed - 1, here), "");
	/* A second later, as just after the exec the old image is looked into, too. */
	assert_string_equal(at(getpid(), executed + 1000000000, here), "");
}

static void what_is_mapped_after_a_scan_does_not_hide_what_it_saw(void **state)
{
	uint64_t here = (uintptr_t)what_is_mapped_after_a_scan_does_not_hide_what_it_saw, later;
	struct sym_mapping m;
	char path[4096];

	(void)state;
	scan(getpid());
	m = *processes_find(ps, processes_image(ps, getpid(), 0), 0, here);
	snprintf(path, sizeof(path), "%s", m.path);
	processes_free(ps);
	assert_int_equal(processes_new(&ps), 0);
	assert_int_equal(processes_scan(ps, getpid()), 0);
	later = now_ns() + 1;
	m.path = path; /* the same once more: loaded again */
	assert_int_equal(processes_mmap(ps, &m, later), 0);
	assert_int_equal(processes_settle(ps, UINT64_MAX), 0);
	assert_string_equal(at(getpid(), later - 1, here), path);
	assert_string_equal(at(getpid(), later, here), path);
}

/* Each second page executable, so that no two are one mapping. */
static void many_mappings_are_scanned_twice_in_no_time(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE), n = 20000, i;
	char *memory = mmap(NULL, 2 * n * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t began;
	int first = 0, second = 0;

	(void)state;
	assert_true(memory != MAP_FAILED);
	for (i = 0; i < n; i++)
		assert_int_equal(mprotect(memory + 2 * i * page, page, PROT_READ | PROT_EXEC), 0);
	scan(getpid());
	processes_for_each(ps, getpid(), count, &first);
	assert_true(first > 20000);
	assert_int_equal(processes_scan(ps, getpid()), 0);
	began = now_ns();
	assert_int_equal(processes_settle(ps, UINT64_MAX), 0);
	/* Each with each takes most of a second. */
	assert_true(now_ns() - began < 100000000);
	processes_for_each(ps, getpid(), count, &second);
	assert_int_equal(first, second);
	munmap(memory, 2 * n * page);
}

static void mappings_tell_when_their_image_began(void **state)
{
	(void)state;
	map(7, 0x1000, 0x2000, "//anon", 10);
	assert_int_equal(processes_since(ps, 7), 0);
	assert_int_equal(processes_exec(ps, 7, 20), 0);
	map(7, 0x1000, 0x2000, "//anon", 30);
	assert_int_equal(processes_since(ps, 7), 20);
	assert_int_equal(processes_find(ps, processes_image(ps, 7, 15), 15, 0x1000)->image, 0);
	assert_int_equal(processes_find(ps, processes_image(ps, 7, 35), 35, 0x1000)->image, 20);
	assert_int_equal(processes_since(ps, 8), 0);
}

static void a_process_that_is_gone_is_no_error(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(0);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	scan(pid);
	scan(0);
	assert_int_equal(processes_image(ps, pid, 0), PROCESSES_NO_IMAGE);
	processes_for_each(ps, pid, count, NULL);
}

static void a_scan_of_all_has_us_and_our_children(void **state)
{
	uint64_t here = (uintptr_t)a_scan_of_all_has_us_and_our_children;
	int wait_for[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(wait_for), 0);
	pid = fork();
	if (!pid) {
		char byte;

		close(wait_for[1]);
		_exit(read(wait_for[0], &byte, 1));
	}
	assert_true(pid > 0);
	/* One at a time, then to the end, then no more. */
	assert_int_equal(processes_scan_some(ps, 0), 1);
	assert_int_equal(processes_scan_some(ps, UINT64_MAX), 0);
	assert_int_equal(processes_scan_some(ps, UINT64_MAX), 0);
	assert_int_equal(processes_settle(ps, UINT64_MAX), 0);
	assert_string_not_equal(at(getpid(), 0, here), "");
	assert_string_not_equal(at(pid, 0, here), "");
	close(wait_for[0]);
	close(wait_for[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* --- layouts ------------------------------------------------------------------------------ */

/* Path of what the layout of that moment has at the address, "" for nothing. */
static const char *laid_out(uint32_t pid, uint64_t time_ns, uint64_t address)
{
	struct layout layout = { 0 };
	struct sym_mapping m = { .path = "" };
	size_t i;

	assert_int_equal(processes_layout(ps, processes_image(ps, pid, time_ns), time_ns, &layout),
			 0);
	for (i = 0; i < layout.n; i++) {
		if (layout.parts[i].start <= address && address < layout.parts[i].end)
			processes_part(ps, &layout.parts[i], &m);
	}
	layout_release(&layout);
	return m.path;
}

static void a_layout_has_the_newest_and_what_a_fork_has_inherited(void **state)
{
	(void)state;
	map(7, 0x1000, 0x4000, "/old", 10);
	map(7, 0x2000, 0x3000, "/new", 20);
	assert_int_equal(processes_fork(ps, 8, 7, 30), 0);
	map(7, 0x1000, 0x4000, "/later", 40);
	map(8, 0x3000, 0x5000, "/child", 50);
	assert_string_equal(laid_out(7, 15, 0x2800), "/old");
	assert_string_equal(laid_out(7, 25, 0x2800), "/new");
	assert_string_equal(laid_out(7, 60, 0x2800), "/later");
	assert_string_equal(laid_out(8, 60, 0x2800), "/new");
	assert_string_equal(laid_out(8, 45, 0x3800), "/old");
	assert_string_equal(laid_out(8, 60, 0x3800), "/child");
	assert_string_equal(laid_out(8, 60, 0x1800), "/old");
	assert_int_equal(processes_exec(ps, 8, 70), 0);
	assert_string_equal(laid_out(8, 80, 0x1800), "");
}

static void a_part_has_the_offset_of_its_own_start(void **state)
{
	struct layout layout = { 0 };
	struct sym_mapping m;

	(void)state;
	map(7, 0x1000, 0x4000, "/old", 10);
	map(7, 0x2000, 0x3000, "/new", 20);
	assert_int_equal(processes_layout(ps, processes_image(ps, 7, 30), 30, &layout), 0);
	assert_int_equal(layout.n, 3);
	processes_part(ps, &layout.parts[2], &m);
	assert_string_equal(m.path, "/old");
	assert_int_equal(m.start, 0x3000);
	assert_int_equal(m.end, 0x4000);
	assert_int_equal(m.pgoff, 0x2000);
	layout_release(&layout);
}

static void only_what_is_missing_is_added(void **state)
{
	struct sym_mapping vdso = { .start = 0x9000, .end = 0xa000, .path = "[vdso]", .pid = 8 };

	(void)state;
	map(7, 0x1000, 0x2000, "/bin/sh", 10);
	assert_int_equal(processes_fork(ps, 8, 7, 20), 0);
	assert_int_equal(processes_add_missing(ps, &vdso, 50), 0);
	assert_string_equal(at(8, 20, 0x9800), "[vdso]");
	assert_int_equal(processes_n_mappings(ps, processes_image(ps, 8, 50)), 1);
	assert_int_equal(processes_add_missing(ps, &vdso, 60), 0);
	vdso.start = 0x1000; /* known from the parent */
	assert_int_equal(processes_add_missing(ps, &vdso, 60), 0);
	assert_int_equal(processes_n_mappings(ps, processes_image(ps, 8, 50)), 1);
	vdso.pid = 99;
	assert_int_equal(processes_add_missing(ps, &vdso, 60), 0);
	assert_int_equal(processes_image(ps, 99, 60), PROCESSES_NO_IMAGE);
}

static void who_was_there_before_is_found_over_forks_but_not_over_an_exec(void **state)
{
	(void)state;
	assert_int_equal(processes_before(ps, 7), 7);
	map(7, 0x1000, 0x2000, "/bin/sh", 10);
	assert_int_equal(processes_fork(ps, 8, 7, 20), 0);
	assert_int_equal(processes_fork(ps, 9, 8, 30), 0);
	assert_int_equal(processes_before(ps, 7), 7);
	assert_int_equal(processes_before(ps, 9), 7);
	assert_int_equal(processes_exec(ps, 9, 40), 0);
	assert_int_equal(processes_before(ps, 9), 0);
	assert_int_equal(processes_before(ps, 8), 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_mapping_is_found_by_address_from_its_time_on),
		TEST(an_unknown_process_has_no_image),
		TEST(mapping_again_after_asking_is_found),
		TEST(a_library_loaded_where_another_was_is_told_by_time),
		TEST(of_overlapping_mappings_the_newest_counts),
		TEST(exec_replaces_what_was_there),
		TEST(a_child_has_what_its_parent_had_at_the_fork),
		TEST(inheritance_goes_on_over_generations_until_an_exec),
		TEST(a_fork_of_an_unknown_parent_gets_what_is_learned_of_it),
		TEST(a_pid_that_is_used_again_is_another_process),
		TEST(mappings_beyond_the_limit_are_counted),
		TEST(images_beyond_the_limit_are_counted_and_have_no_names),
		TEST(our_own_code_is_found_by_a_scan),
		TEST(anonymous_code_is_named_as_the_kernel_names_it),
		TEST(a_second_scan_adds_nothing),
		TEST(a_scan_counts_from_the_start_of_the_newest_image),
		TEST(a_scan_waits_until_all_before_it_is_told),
		TEST(a_scan_belongs_to_the_image_of_its_time),
		TEST(a_scan_before_an_exec_is_not_that_of_the_new_image),
		TEST(what_is_mapped_after_a_scan_does_not_hide_what_it_saw),
		TEST(many_mappings_are_scanned_twice_in_no_time),
		TEST(mappings_tell_when_their_image_began),
		TEST(a_process_that_is_gone_is_no_error),
		TEST(a_scan_of_all_has_us_and_our_children),
		TEST(a_layout_has_the_newest_and_what_a_fork_has_inherited),
		TEST(a_part_has_the_offset_of_its_own_start),
		TEST(only_what_is_missing_is_added),
		TEST(who_was_there_before_is_found_over_forks_but_not_over_an_exec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
