/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/unit/folder.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/cmd/run_folder.h"

static struct folder folder;
static struct run_folder *rf;
static bool lacks_rename_flags;
static uint64_t random_next, random_step; /* what getrandom() makes; 0: random numbers */
static void (*meddles)(int parent, const char *name); /* with a folder as soon as it is made */

/* Stands before the C library's, to be a file system that knows no flags. */
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	if (lacks_rename_flags && flags) {
		errno = EINVAL;
		return -1;
	}
	return syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

/* The same: names that are known beforehand. */
ssize_t getrandom(void *buf, size_t len, unsigned int flags)
{
	if (!random_next)
		return syscall(SYS_getrandom, buf, len, flags);
	assert_int_equal(len, sizeof(random_next));
	memcpy(buf, &random_next, len);
	random_next += random_step;
	return len;
}

/* The same: others who are at work in the folder around it. */
int mkdirat(int parent, const char *name, mode_t mode)
{
	int err = syscall(SYS_mkdirat, parent, name, mode);

	if (!err && meddles)
		meddles(parent, name);
	return err;
}

static void put_file_into(int parent, const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/theirs", name);
	fd = openat(parent, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	close(fd);
}

static void exchange_for_link(int parent, const char *name)
{
	assert_int_equal(unlinkat(parent, name, AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("victim", parent, name), 0);
}

static void give_to_another(int parent, const char *name)
{
	assert_int_equal(fchownat(parent, name, 23456, 23456, 0), 0);
}

static int set_up(void **state)
{
	(void)state;
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	umask(022);
	lacks_rename_flags = false;
	random_next = 0;
	random_step = 1;
	meddles = NULL;
	folder_make(&folder);
	return 0;
}

/* Two levels are as deep as the tests go. */
static int tear_down(void **state)
{
	DIR *dir = opendir(folder.path);
	struct dirent *entry;

	(void)state;
	run_folder_free(rf);
	rf = NULL;
	while (dir && (entry = readdir(dir))) {
		struct folder below;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		snprintf(below.path, sizeof(below.path), "%.30s/%.30s", folder.path, entry->d_name);
		folder_remove(&below);
	}
	if (dir)
		closedir(dir);
	folder_remove(&folder);
	return 0;
}

static char *path_of(const char *name)
{
	static char paths[4][512];
	static unsigned int i;
	char *path = paths[i++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder.path, name);
	return path;
}

static bool exists(const char *name)
{
	struct stat st;

	return !lstat(path_of(name), &st);
}

static void put_file(const char *name, const char *text)
{
	folder_write(&folder, name, text, strlen(text));
}

static void assert_file(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "re");
	char have[256] = "";

	assert_non_null(f);
	assert_true(fread(have, 1, sizeof(have) - 1, f) < sizeof(have) - 1);
	fclose(f);
	assert_string_equal(have, text);
}

static void assert_entries(const char *name, int wanted)
{
	DIR *dir = opendir(path_of(name));
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	assert_int_equal(n - 2, wanted);
}

#define MANIFEST_OF(name) "{\"schema\":\"fathom.manifest/1\",\"files\":[{\"name\":\"" name "\"}]}"

static void begin(bool force)
{
	assert_int_equal(run_folder_new(path_of("run"), force, &rf), 0);
}

static void fill(const char *name, const char *text)
{
	assert_int_equal(run_folder_write(rf, name, text, strlen(text)), 0);
}

static int finish(void)
{
	int err = run_folder_finish(rf);

	run_folder_free(rf);
	rf = NULL;
	return err;
}

/* A whole run folder at the place, of a recording before. */
static void put_old_run(void)
{
	begin(false);
	fill("old.folded", "old");
	fill("manifest.json", MANIFEST_OF("old.folded"));
	assert_int_equal(finish(), 0);
}

/* What stands at the place is not replaced, and still there. */
static void assert_refused(bool force)
{
	assert_int_equal(run_folder_new(path_of("run"), force, &rf), -EEXIST);
	assert_null(rf);
	assert_non_null(strstr(err_text(), force ? "is not a run folder" : "--force"));
}

static void a_folder_is_complete_or_not_there(void **state)
{
	(void)state;
	begin(false);
	fill("cpu.folded", "a;b 1\n");
	assert_false(exists("run"));
	fill("manifest.json", "{}");
	assert_false(exists("run"));
	assert_int_equal(finish(), 0);
	assert_entries("", 1);
	assert_entries("run", 2);
	assert_file("run/cpu.folded", "a;b 1\n");
	assert_file("run/manifest.json", "{}");
}

static void given_up_it_leaves_nothing(void **state)
{
	(void)state;
	begin(false);
	fill("cpu.folded", "a;b 1\n");
	run_folder_free(rf);
	rf = NULL;
	assert_entries("", 0);
}

static void names_are_remembered_in_the_order_of_opening(void **state)
{
	const char *const *names;
	struct stat st;
	FILE *first, *second;
	size_t n;

	(void)state;
	begin(false);
	assert_int_equal(run_folder_open(rf, "b", &first), 0);
	assert_int_equal(run_folder_open(rf, "a", &second), 0);
	assert_int_equal(run_folder_close(rf, first), 0);
	assert_int_equal(run_folder_close(rf, second), 0);
	fill("c", "");
	names = run_folder_names(rf, &n);
	assert_int_equal(n, 3);
	assert_string_equal(names[0], "b");
	assert_string_equal(names[1], "a");
	assert_string_equal(names[2], "c");
	assert_int_equal(fstatat(run_folder_fd(rf), "c", &st, 0), 0);
}

static void a_name_is_opened_once(void **state)
{
	FILE *f = NULL;

	(void)state;
	begin(false);
	fill("a", "first");
	assert_int_equal(run_folder_open(rf, "a", &f), -EEXIST);
	assert_null(f);
	assert_int_equal(finish(), 0);
	assert_file("run/a", "first");
}

/* --- what is there already ----------------------------------------------------------------- */

/* Names of collectors are read from other folders. */
static void names_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const names[] = { "../cpu.svg", "a/b", "/tmp/cpu.svg", "", "..", ".a" };
	FILE *f = NULL;
	size_t i;

	(void)state;
	begin(false);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(run_folder_open(rf, names[i], &f), -EINVAL);
	assert_null(f);
	run_folder_free(rf);
	rf = NULL;
	assert_int_equal(access("cpu.svg", F_OK), -1);
}

static void what_is_there_is_not_touched_without_force(void **state)
{
	(void)state;
	put_old_run();
	assert_refused(false);
	assert_file("run/old.folded", "old");
	assert_entries("", 1);
}

static void force_replaces_a_run_folder(void **state)
{
	(void)state;
	put_old_run();
	begin(true);
	fill("new.folded", "new");
	fill("manifest.json", MANIFEST_OF("new.folded"));
	assert_file("run/old.folded", "old"); /* until the new one is whole */
	assert_int_equal(finish(), 0);
	assert_entries("", 1);
	assert_entries("run", 2);
	assert_file("run/new.folded", "new");
}

static void force_given_up_leaves_the_old_one(void **state)
{
	(void)state;
	put_old_run();
	begin(true);
	fill("new.folded", "new");
	run_folder_free(rf);
	rf = NULL;
	assert_entries("", 1);
	assert_file("run/old.folded", "old");
}

static void force_where_nothing_is_needs_nothing(void **state)
{
	(void)state;
	begin(true);
	assert_int_equal(finish(), 0);
	assert_entries("run", 0);
}

static void a_file_is_not_replaced(void **state)
{
	(void)state;
	put_file("run", "mine");
	assert_refused(false);
	assert_refused(true);
	assert_file("run", "mine");
}

static void an_empty_folder_is_not_replaced(void **state)
{
	(void)state;
	assert_int_equal(mkdir(path_of("run"), 0755), 0);
	assert_refused(false);
	assert_refused(true);
	assert_true(exists("run"));
}

/* Browser extensions and web applications have a manifest.json, too. */
static void manifests_of_others_do_not_make_a_run_folder(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"nonsense",
		"{\"manifest_version\":3,\"name\":\"x\"}",
		"{\"schema\":\"fathom.manifest/1\"", /* cut */
		"{\"schema\":7,\"files\":[{\"name\":\"mine\"}]}",
		"{\"schema\":\"other/1\",\"files\":[{\"name\":\"mine\"}]}",
	};
	size_t i;

	(void)state;
	assert_int_equal(mkdir(path_of("run"), 0755), 0);
	put_file("run/mine", "mine");
	assert_refused(true);
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		put_file("run/manifest.json", texts[i]);
		assert_refused(true);
		assert_file("run/mine", "mine");
	}
	put_file("run/manifest.json", MANIFEST_OF("mine")); /* so that was the reason */
	begin(true);
}

static void a_file_that_the_manifest_does_not_list_protects_the_folder(void **state)
{
	(void)state;
	put_old_run();
	put_file("run/notes.txt", "mine");
	assert_refused(true);
	assert_file("run/notes.txt", "mine");
	assert_file("run/old.folded", "old");
}

static void lists_of_no_files_protect_the_folder(void **state)
{
	(void)state;
	put_old_run();
	put_file("run/manifest.json",
		 "{\"schema\":\"fathom.manifest/1\",\"files\":\"old.folded\"}");
	assert_refused(true);
	put_file("run/manifest.json",
		 "{\"schema\":\"fathom.manifest/1\",\"files\":[\"old.folded\"]}");
	assert_refused(true);
	put_file("run/manifest.json", "{\"schema\":\"fathom.manifest/1\"}");
	assert_refused(true);
}

static void a_folder_inside_protects_the_folder(void **state)
{
	(void)state;
	put_old_run();
	assert_int_equal(unlink(path_of("run/old.folded")), 0);
	assert_int_equal(mkdir(path_of("run/old.folded"), 0755), 0);
	assert_refused(true);
	assert_int_equal(rmdir(path_of("run/old.folded")), 0);
}

static void links_are_neither_followed_nor_replaced(void **state)
{
	(void)state;
	put_old_run();
	assert_int_equal(rename(path_of("run"), path_of("real")), 0);
	assert_int_equal(symlink("real", path_of("run")), 0);
	assert_refused(false);
	assert_refused(true);
	assert_file("real/old.folded", "old");
	assert_int_equal(unlink(path_of("run")), 0);
	assert_int_equal(symlink("nowhere", path_of("run")), 0);
	assert_refused(false);
	assert_refused(true);
}

static void a_manifest_that_is_a_link_or_a_fifo_is_none(void **state)
{
	(void)state;
	put_old_run();
	assert_int_equal(rename(path_of("run/manifest.json"), path_of("manifest")), 0);
	assert_int_equal(symlink("../manifest", path_of("run/manifest.json")), 0);
	assert_refused(true);
	assert_int_equal(unlink(path_of("run/manifest.json")), 0);
	assert_int_equal(mkfifo(path_of("run/manifest.json"), 0600), 0);
	assert_refused(true); /* and without waiting for a writer */
}

static void foreign_files_that_come_meanwhile_are_kept(void **state)
{
	(void)state;
	put_old_run();
	begin(true);
	put_file("run/notes.txt", "mine");
	assert_int_equal(finish(), -EEXIST);
	assert_file("run/notes.txt", "mine");
	assert_file("run/old.folded", "old");
	assert_entries("", 2); /* the recording is kept, and the sentence says where */
	assert_non_null(strstr(err_text(), ".fathom-"));
}

static void a_folder_that_comes_meanwhile_is_kept(void **state)
{
	(void)state;
	begin(false);
	assert_int_equal(mkdir(path_of("run"), 0755), 0);
	put_file("run/mine", "mine");
	assert_int_equal(finish(), -EEXIST);
	assert_file("run/mine", "mine");
	assert_entries("", 2);
	assert_non_null(strstr(err_text(), ".fathom-"));
}

static void an_old_run_that_goes_meanwhile_costs_nothing(void **state)
{
	(void)state;
	put_old_run();
	begin(true);
	fill("new.folded", "new");
	assert_int_equal(rename(path_of("run"), path_of("away")), 0);
	assert_int_equal(finish(), 0);
	assert_file("run/new.folded", "new");
	assert_file("away/old.folded", "old");
	assert_entries("", 2);
}

static void file_systems_without_rename_flags_are_served(void **state)
{
	(void)state;
	lacks_rename_flags = true;
	put_old_run();
	assert_file("run/old.folded", "old");
	begin(true);
	fill("new.folded", "new");
	assert_int_equal(finish(), 0);
	assert_file("run/new.folded", "new");
	assert_false(exists("run/old.folded"));
	assert_entries("", 1);
}

/* --- others at work ------------------------------------------------------------------------ */

static void skip_because(const char *reason)
{
	printf("# %s\n", reason);
	skip();
}

static void assert_owner(const char *name, uid_t uid, gid_t gid)
{
	struct stat st;

	assert_int_equal(stat(path_of(name), &st), 0);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, gid);
}

/* The name that the n-th number of random_next() makes. */
static const char *temporary(unsigned int n)
{
	static char name[64];

	snprintf(name, sizeof(name), ".fathom-%016x.tmp", n);
	return name;
}

static void put_folder(const char *name, const char *file, const char *text)
{
	char path[128];

	assert_int_equal(mkdir(path_of(name), 0755), 0);
	snprintf(path, sizeof(path), "%s/%s", name, file);
	put_file(path, text);
}

static void assert_file_in(const char *name, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", name, file);
	assert_file(path, text);
}

/* It may be the folder of a recording in another PID namespace. */
static void temporary_folders_of_others_are_not_touched(void **state)
{
	(void)state;
	random_next = 1;
	put_folder(temporary(1), "cpu.folded", "theirs");
	put_folder(temporary(2), "cpu.folded", "theirs, too");
	begin(false);
	assert_int_equal(random_next, 4);
	fill("cpu.folded", "ours");
	assert_int_equal(finish(), 0);
	assert_file("run/cpu.folded", "ours");
	assert_file_in(temporary(1), "cpu.folded", "theirs");
	assert_file_in(temporary(2), "cpu.folded", "theirs, too");
	assert_entries("", 3);
}

static void two_recordings_at_once_both_end_well(void **state)
{
	struct run_folder *other = NULL;

	(void)state;
	begin(false);
	fill("cpu.folded", "one");
	assert_int_equal(run_folder_new(path_of("run2"), false, &other), 0);
	assert_entries("", 2);
	assert_int_equal(run_folder_write(other, "cpu.folded", "two", 3), 0);
	fill("summary.json", "{}");
	assert_int_equal(finish(), 0);
	assert_int_equal(run_folder_write(other, "summary.json", "[]", 2), 0);
	assert_int_equal(run_folder_finish(other), 0);
	run_folder_free(other);
	assert_file("run/cpu.folded", "one");
	assert_file("run/summary.json", "{}");
	assert_file("run2/cpu.folded", "two");
	assert_file("run2/summary.json", "[]");
	assert_entries("", 2);
}

static void the_second_of_two_to_one_place_is_kept_beside_it(void **state)
{
	struct run_folder *other = NULL;

	(void)state;
	begin(false);
	fill("cpu.folded", "one");
	assert_int_equal(run_folder_new(path_of("run"), false, &other), 0);
	assert_int_equal(run_folder_write(other, "cpu.folded", "two", 3), 0);
	assert_int_equal(finish(), 0);
	assert_int_equal(run_folder_finish(other), -EEXIST);
	run_folder_free(other);
	assert_non_null(strstr(err_text(), "is kept in '.fathom-"));
	assert_file("run/cpu.folded", "one");
	assert_entries("", 2);
}

static void names_that_are_all_taken_are_told_of(void **state)
{
	(void)state;
	random_next = 1;
	random_step = 0;
	put_folder(temporary(1), "cpu.folded", "theirs");
	assert_int_equal(run_folder_new(path_of("run"), false, &rf), -EEXIST);
	assert_null(rf);
	assert_file_in(temporary(1), "cpu.folded", "theirs");
}

static void a_link_in_place_of_the_temporary_folder_is_not_followed(void **state)
{
	(void)state;
	random_next = 1;
	put_old_run();
	assert_int_equal(rename(path_of("run"), path_of("other")), 0);
	assert_int_equal(symlink("other", path_of(temporary(random_next))), 0);
	begin(false);
	fill("old.folded", "new");
	assert_int_equal(finish(), 0);
	assert_file("other/old.folded", "old");
	assert_file("run/old.folded", "new");
	assert_entries("", 3); /* and the link stays */
}

/* Those who may write to the folder around it can be quick. */
static void a_folder_that_others_filled_at_once_is_not_taken(void **state)
{
	(void)state;
	random_next = 1;
	meddles = put_file_into;
	assert_int_equal(run_folder_new(path_of("run"), false, &rf), -EPERM);
	assert_null(rf);
	assert_file_in(temporary(1), "theirs", "");
	assert_entries("", 1);
}

static void a_link_that_others_put_at_once_is_not_followed(void **state)
{
	(void)state;
	random_next = 1;
	meddles = exchange_for_link;
	put_folder("victim", "mine", "mine");
	setenv("SUDO_UID", "12345", 1);
	setenv("SUDO_GID", "12345", 1);
	assert_true(run_folder_new(path_of("run"), false, &rf) < 0);
	assert_null(rf);
	assert_file("victim/mine", "mine");
	assert_owner("victim", geteuid(), getegid());
	assert_entries("", 2);
}

static void a_folder_that_others_put_at_once_is_not_given_away(void **state)
{
	(void)state;
	if (geteuid())
		skip_because("only root may give files away");
	random_next = 1;
	meddles = give_to_another;
	setenv("SUDO_UID", "12345", 1);
	setenv("SUDO_GID", "12345", 1);
	assert_int_equal(run_folder_new(path_of("run"), false, &rf), -EPERM);
	assert_null(rf);
	assert_owner(temporary(1), 23456, 23456);
	assert_entries("", 1);
}

/* Under sudo the folder is another user's while it is filled. */
static void a_planted_link_is_not_written_through(void **state)
{
	FILE *f = NULL;

	(void)state;
	put_file("victim", "mine");
	begin(false);
	assert_int_equal(symlinkat(path_of("victim"), run_folder_fd(rf), "cpu.folded"), 0);
	assert_int_equal(run_folder_open(rf, "cpu.folded", &f), -EEXIST);
	assert_int_equal(run_folder_write(rf, "cpu.folded", "x", 1), -EEXIST);
	assert_file("victim", "mine");
}

/* --- names --------------------------------------------------------------------------------- */

static void names_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "", "/", "//", ".", "..", "x/.", "x/..", "../", "./." };
	char name[300];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (run_folder_new(bad[i], true, &rf) != -EINVAL)
			fail_msg("'%s' was taken for a name", bad[i]);
		assert_null(rf);
	}
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	assert_int_equal(run_folder_new(path_of(name), false, &rf), -EINVAL);
	name[255] = '\0';
	assert_int_equal(run_folder_new(path_of(name), false, &rf), 0);
	assert_int_equal(finish(), 0);
	assert_int_equal(rmdir(path_of(name)), 0);
}

static void slashes_behind_a_name_do_not_matter(void **state)
{
	(void)state;
	assert_int_equal(run_folder_new(path_of("run///"), false, &rf), 0);
	assert_int_equal(finish(), 0);
	assert_true(exists("run"));
	assert_int_equal(run_folder_new(path_of("run/"), false, &rf), -EEXIST);
}

static void a_bare_name_goes_into_the_working_directory(void **state)
{
	int root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	(void)state;
	assert_true(root >= 0);
	assert_int_equal(chdir(folder.path), 0);
	err = run_folder_new("run", false, &rf);
	assert_int_equal(fchdir(root), 0); /* where it is now does not matter any more */
	close(root);
	assert_int_equal(err, 0);
	fill("a", "b");
	assert_int_equal(finish(), 0);
	assert_file("run/a", "b");
}

static void the_folder_around_it_must_be_there(void **state)
{
	(void)state;
	assert_int_equal(run_folder_new(path_of("no/run"), false, &rf), -ENOENT);
	put_file("file", "");
	assert_int_equal(run_folder_new(path_of("file/run"), false, &rf), -ENOTDIR);
	assert_null(rf);
	assert_entries("", 1);
}

/* --- root ---------------------------------------------------------------------------------- */

static void under_sudo_all_of_it_belongs_to_the_caller(void **state)
{
	struct stat st;

	(void)state;
	if (geteuid())
		skip_because("only root may give files away");
	setenv("SUDO_UID", "12345", 1);
	setenv("SUDO_GID", "23456", 1);
	begin(false);
	fill("a", "");
	assert_int_equal(finish(), 0);
	assert_owner("run", 12345, 23456);
	assert_owner("run/a", 12345, 23456);
	assert_int_equal(stat(path_of("run/a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void without_a_proper_sudo_it_is_ours(void **state)
{
	static const char *const bad[][2] = {
		{ "abc", "23456" }, { "", "" },	       { "12345x", "1" },
		{ NULL, "23456" },  { "12345", NULL }, { "-1", "-1" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		unsetenv("SUDO_UID");
		unsetenv("SUDO_GID");
		if (bad[i][0])
			setenv("SUDO_UID", bad[i][0], 1);
		if (bad[i][1])
			setenv("SUDO_GID", bad[i][1], 1);
		begin(false);
		fill("a", "");
		assert_int_equal(finish(), 0);
		assert_owner("run", geteuid(), getegid());
		assert_owner("run/a", geteuid(), getegid());
		assert_int_equal(unlink(path_of("run/a")), 0);
		assert_int_equal(rmdir(path_of("run")), 0);
	}
}

/* A tiny tmpfs on "full", in a mount namespace of this process that ends with it. */
static void mount_tiny(void)
{
	if (geteuid())
		skip_because("only root may mount a tmpfs to fill up");
	assert_int_equal(mkdir(path_of("full"), 0755), 0);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", path_of("full"), "tmpfs", 0, "size=64k")) {
		printf("# %s\n", strerror(errno));
		skip_because("no tmpfs can be mounted here");
	}
}

static void a_full_disk_is_told_of_and_leaves_nothing(void **state)
{
	static char data[1 << 20];
	FILE *f;
	int err;

	(void)state;
	mount_tiny();
	assert_int_equal(run_folder_new(path_of("full/run"), false, &rf), 0);
	err = run_folder_write(rf, "large", data, sizeof(data));
	assert_int_equal(err, -ENOSPC);
	assert_non_null(strstr(err_text(), "No space left on device"));
	/* What still fits into the buffer fails only when it is closed. */
	assert_int_equal(run_folder_open(rf, "small", &f), 0);
	assert_int_equal(fwrite(data, 1, 100, f), 100);
	assert_int_equal(run_folder_close(rf, f), -ENOSPC);
	run_folder_free(rf);
	rf = NULL;
	assert_entries("full", 0);
	assert_int_equal(umount(path_of("full")), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_folder_is_complete_or_not_there),
		TEST(given_up_it_leaves_nothing),
		TEST(names_are_remembered_in_the_order_of_opening),
		TEST(a_name_is_opened_once),
		TEST(names_that_lead_elsewhere_are_refused),
		TEST(what_is_there_is_not_touched_without_force),
		TEST(force_replaces_a_run_folder),
		TEST(force_given_up_leaves_the_old_one),
		TEST(force_where_nothing_is_needs_nothing),
		TEST(a_file_is_not_replaced),
		TEST(an_empty_folder_is_not_replaced),
		TEST(manifests_of_others_do_not_make_a_run_folder),
		TEST(a_file_that_the_manifest_does_not_list_protects_the_folder),
		TEST(lists_of_no_files_protect_the_folder),
		TEST(a_folder_inside_protects_the_folder),
		TEST(links_are_neither_followed_nor_replaced),
		TEST(a_manifest_that_is_a_link_or_a_fifo_is_none),
		TEST(foreign_files_that_come_meanwhile_are_kept),
		TEST(a_folder_that_comes_meanwhile_is_kept),
		TEST(an_old_run_that_goes_meanwhile_costs_nothing),
		TEST(file_systems_without_rename_flags_are_served),
		TEST(temporary_folders_of_others_are_not_touched),
		TEST(two_recordings_at_once_both_end_well),
		TEST(the_second_of_two_to_one_place_is_kept_beside_it),
		TEST(names_that_are_all_taken_are_told_of),
		TEST(a_link_in_place_of_the_temporary_folder_is_not_followed),
		TEST(a_folder_that_others_filled_at_once_is_not_taken),
		TEST(a_link_that_others_put_at_once_is_not_followed),
		TEST(a_folder_that_others_put_at_once_is_not_given_away),
		TEST(a_planted_link_is_not_written_through),
		TEST(names_that_are_none_are_refused),
		TEST(slashes_behind_a_name_do_not_matter),
		TEST(a_bare_name_goes_into_the_working_directory),
		TEST(the_folder_around_it_must_be_there),
		TEST(under_sudo_all_of_it_belongs_to_the_caller),
		TEST(without_a_proper_sudo_it_is_ours),
		TEST(a_full_disk_is_told_of_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
