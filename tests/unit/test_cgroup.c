/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "user/base/err.h"
#include "user/collect/cgroup.h"

static struct cgroups *cgroups;

static int set_up(void **state)
{
	(void)state;
	return cgroups_new(&cgroups);
}

static int tear_down(void **state)
{
	(void)state;
	cgroups_free(cgroups);
	cgroups = NULL;
	return 0;
}

static void __attribute__((format(printf, 1, 2))) skip_because(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	skip();
}

static const char *need_mount(void)
{
	if (!cgroups_mount(cgroups))
		skip_because("there is no cgroup2 mount here");
	return cgroups_mount(cgroups);
}

/* IDs become paths by handles, which takes CAP_DAC_READ_SEARCH. */
static const char *need_root(void)
{
	const char *mount = need_mount();

	if (geteuid())
		skip_because("only root may open a cgroup by its ID");
	return mount;
}

/* A cgroup's ID is the inode number of its folder (kernfs, 64-bit). */
static uint64_t id_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

/* Makes a cgroup of the test's own; its path in 'path'. */
static const char *make_cgroup(char *path, size_t size)
{
	const char *mount = need_root();

	assert_true((size_t)snprintf(path, size, "%s/fathom-test-%d", mount, getpid()) < size);
	if (mkdir(path, 0755))
		skip_because("no cgroup can be made in '%s': %s", mount, strerror(errno));
	return path + strlen(mount);
}

static void the_mount_is_one_of_cgroup2(void **state)
{
	struct statfs fs;

	(void)state;
	assert_int_equal(statfs(need_mount(), &fs), 0);
	assert_int_equal(fs.f_type, CGROUP2_SUPER_MAGIC);
}

static void the_root_is_a_slash(void **state)
{
	(void)state;
	assert_string_equal(cgroups_path(cgroups, id_of(need_root())), "/");
}

static void our_own_cgroup_has_its_path(void **state)
{
	const char *mount = need_root();
	char line[4096] = "", path[8192];
	FILE *f = fopen("/proc/self/cgroup", "re");
	struct stat st;
	int found = 0;

	(void)state;
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "0::/", 4);
	fclose(f);
	if (!found)
		skip_because("this process is in no cgroup of cgroup2");
	line[strcspn(line, "\n")] = '\0';
	snprintf(path, sizeof(path), "%s%s", mount, line + 3);
	if (stat(path, &st))
		skip_because("'%s' is not visible: %s", path, strerror(errno));
	assert_string_equal(cgroups_path(cgroups, st.st_ino), line + 3);
}

static void a_cgroup_that_is_gone_goes_by_its_number(void **state)
{
	char path[4200], wanted[64];
	uint64_t id;

	(void)state;
	make_cgroup(path, sizeof(path));
	id = id_of(path);
	assert_int_equal(rmdir(path), 0);
	snprintf(wanted, sizeof(wanted), "cgroup:%" PRIu64, id);
	assert_string_equal(cgroups_path(cgroups, id), wanted);
}

static void a_path_that_was_asked_for_early_is_remembered(void **state)
{
	char path[4200], name[4200];
	uint64_t id;

	(void)state;
	snprintf(name, sizeof(name), "%s", make_cgroup(path, sizeof(path)));
	id = id_of(path);
	if (strcmp(cgroups_path(cgroups, id), name)) {
		rmdir(path);
		fail_msg("cgroup %" PRIu64 " is called '%s'", id, cgroups_path(cgroups, id));
	}
	assert_int_equal(rmdir(path), 0);
	assert_string_equal(cgroups_path(cgroups, id), name);
}

static void numbers_that_are_no_cgroup_are_no_paths(void **state)
{
	(void)state;
	assert_string_equal(cgroups_path(cgroups, 0), "cgroup:0");
	assert_string_equal(cgroups_path(cgroups, UINT64_MAX), "cgroup:18446744073709551615");
	assert_string_equal(cgroups_path(cgroups, 0), "cgroup:0");
}

static uint64_t open_id(const char *path)
{
	int fd = cgroups_open(cgroups, path);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	return st.st_ino;
}

static void a_cgroup_is_opened_by_its_path_and_below_the_mount(void **state)
{
	char path[4200];
	const char *name = make_cgroup(path, sizeof(path));
	uint64_t id = id_of(path), by_path = open_id(path), by_name = open_id(name),
		 by_relative = open_id(name + 1);

	(void)state;
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(by_path, id);
	assert_int_equal(by_name, id);
	assert_int_equal(by_relative, id);
}

static void what_is_no_cgroup_is_refused(void **state)
{
	(void)state;
	assert_int_equal(cgroups_open(cgroups, "/tmp"), -EINVAL);
	assert_non_null(strstr(err_text(), "'/tmp' is not in the cgroup2 hierarchy"));
	assert_int_equal(cgroups_open(cgroups, "no/such/group"), -ENOENT);
	assert_int_equal(cgroups_open(cgroups, "/proc/self/maps"), -ENOTDIR);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_mount_is_one_of_cgroup2),
		TEST(the_root_is_a_slash),
		TEST(our_own_cgroup_has_its_path),
		TEST(a_cgroup_that_is_gone_goes_by_its_number),
		TEST(a_path_that_was_asked_for_early_is_remembered),
		TEST(numbers_that_are_no_cgroup_are_no_paths),
		TEST(a_cgroup_is_opened_by_its_path_and_below_the_mount),
		TEST(what_is_no_cgroup_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
