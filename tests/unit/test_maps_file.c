/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/collect/maps_file.h"

/* What is looked for, and what was seen. */
struct seen {
	uint64_t address;
	struct sym_mapping m; /* that has it */
	char path[4096];
	size_t n, end_after;
};

static int on_mapping(void *ctx, const struct sym_mapping *m)
{
	struct seen *seen = ctx;

	assert_int_equal(m->pid, getpid());
	assert_true(m->start < m->end);
	assert_non_null(m->path);
	seen->n++;
	if (m->start <= seen->address && seen->address < m->end) {
		seen->m = *m;
		assert_true(strlen(m->path) < sizeof(seen->path));
		strcpy(seen->path, m->path);
	}
	return seen->end_after == seen->n ? -ECANCELED : 0;
}

static struct seen look_for(uint64_t address)
{
	struct seen seen = { .address = address };

	assert_int_equal(maps_file_read(getpid(), 65536, on_mapping, &seen), 0);
	return seen;
}

static void our_own_program_is_there(void **state)
{
	struct seen seen = look_for((uintptr_t)our_own_program_is_there);
	char exe[4096] = "";
	struct stat st;

	(void)state;
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	assert_string_equal(seen.path, exe);
	assert_int_equal(stat(exe, &st), 0);
	assert_int_equal(seen.m.ino, st.st_ino);
	/* File systems such as btrfs and overlayfs show another device here. */
	assert_true(seen.m.dev != 0);
	assert_true(seen.m.pgoff > 0 && seen.m.pgoff < (uint64_t)st.st_size);
}

static void the_vdso_is_there(void **state)
{
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	struct seen seen = look_for(vdso);

	(void)state;
	if (!vdso)
		skip();
	assert_string_equal(seen.path, "[vdso]");
	assert_int_equal(seen.m.start, vdso);
	assert_int_equal(seen.m.ino, 0);
}

static void what_is_not_executable_is_not(void **state)
{
	int on_stack = 0;

	(void)state;
	assert_int_equal(look_for((uintptr_t)&on_stack).m.end, 0);
}

static void anonymous_code_has_the_name_that_perf_gives_it(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *code = mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct seen seen;

	(void)state;
	assert_true(code != MAP_FAILED);
	seen = look_for((uintptr_t)code);
	munmap(code, page);
	assert_string_equal(seen.path, "//anon");
	assert_int_equal(seen.m.ino, 0);
	assert_int_equal(seen.m.dev, 0);
}

static void more_than_the_limit_is_an_error_and_as_many_are_none(void **state)
{
	size_t all = look_for(0).n;
	struct seen seen = { 0 };

	(void)state;
	assert_true(all >= 2);
	assert_int_equal(maps_file_read(getpid(), all, on_mapping, &seen), 0);
	assert_int_equal(seen.n, all);
	seen.n = 0;
	assert_int_equal(maps_file_read(getpid(), all - 1, on_mapping, &seen), -E2BIG);
	assert_int_equal(seen.n, all - 1);
	seen.n = 0;
	assert_int_equal(maps_file_read(getpid(), 0, on_mapping, &seen), -E2BIG);
	assert_int_equal(seen.n, 0);
}

static void who_has_seen_enough_ends_it(void **state)
{
	struct seen seen = { .end_after = 1 };

	(void)state;
	assert_int_equal(maps_file_read(getpid(), 65536, on_mapping, &seen), -ECANCELED);
	assert_int_equal(seen.n, 1);
}

static void a_process_that_is_gone_has_none(void **state)
{
	struct seen seen = { 0 };
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(0);
	assert_true(pid > 0);
	/* First as a zombie, which has no memory any more. */
	assert_int_equal(waitid(P_PID, pid, NULL, WEXITED | WNOWAIT), 0);
	assert_int_equal(maps_file_read(pid, 65536, on_mapping, &seen), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(maps_file_read(pid, 65536, on_mapping, &seen), 0);
	assert_int_equal(maps_file_read(0, 65536, on_mapping, &seen), 0);
	assert_int_equal(seen.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_program_is_there),
		cmocka_unit_test(the_vdso_is_there),
		cmocka_unit_test(what_is_not_executable_is_not),
		cmocka_unit_test(anonymous_code_has_the_name_that_perf_gives_it),
		cmocka_unit_test(more_than_the_limit_is_an_error_and_as_many_are_none),
		cmocka_unit_test(who_has_seen_enough_ends_it),
		cmocka_unit_test(a_process_that_is_gone_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
