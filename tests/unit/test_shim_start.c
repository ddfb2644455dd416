/* SPDX-License-Identifier: BSD-2-Clause */
/* What it takes to start a command with the library: the file, the environment, the command. */
#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sched.h>

#include "tests/unit/folder.h"
#include "user/base/err.h"
#include "user/collect/launch.h"
#include "user/collect/shim_env.h"
#include "user/collect/shim_file.h"
#include "user/collect/shim_image.h"
#include "user/collect/shim_suits.h"
#include "user/elf/elf_image.h"

static struct folder folder;

static int set_up(void **state)
{
	(void)state;
	folder_make(&folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	folder_remove(&folder);
	return 0;
}

static void assert_says(int err, int want, const char *words)
{
	if (err != want || !strstr(err_text(), words))
		print_error("%d, '%s' has no '%s'\n", err, err_text(), words);
	assert_int_equal(err, want);
	assert_non_null(strstr(err_text(), words));
}

/* --- the file ----------------------------------------------------------------------------- */

static void the_library_is_placed_whole_and_removed(void **state)
{
	mode_t mask = umask(0077);
	char folder_name[100], bytes[16];
	const void *image;
	struct shim_file f;
	struct stat st;
	size_t len;
	FILE *in;

	(void)state;
	assert_int_equal(shim_file_place(&f), 0);
	umask(mask);
	assert_null(strpbrk(f.path, " :"));
	assert_int_equal(lstat(f.folder, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(lstat(f.path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0755);
	image = shim_image(&len);
	assert_int_equal(st.st_size, len);
	in = fopen(f.path, "re");
	assert_non_null(in);
	assert_int_equal(fread(bytes, 1, 16, in), 16);
	assert_memory_equal(bytes, image, 16);
	fclose(in);
	snprintf(folder_name, sizeof(folder_name), "%s", f.folder);
	shim_file_remove(&f);
	assert_null(f.folder);
	assert_int_equal(lstat(folder_name, &st), -1);
	shim_file_remove(&f); /* nothing is there any more */
}

static void what_is_left_is_said(void **state)
{
	struct shim_file f, again;
	char *sentence;

	(void)state;
	assert_int_equal(shim_file_place(&f), 0);
	again = (struct shim_file){ strdup(f.folder), strdup(f.path) };
	assert_int_equal(shim_file_leave(&f, &sentence), 0);
	assert_null(f.folder);
	assert_non_null(strstr(sentence, again.path));
	assert_int_equal(access(again.path, R_OK), 0);
	free(sentence);
	shim_file_remove(&again);
}

static void folders_of_others_are_refused(void **state)
{
	const char *parents[] = { folder.path, NULL };
	char linked[100], spaced[100];
	struct shim_file f = {};

	(void)state;
	if (geteuid())
		skip(); /* they are not ours then, which is what is tested first */
	snprintf(linked, sizeof(linked), "%s/link", folder.path);
	snprintf(spaced, sizeof(spaced), "%s/a b", folder.path);
	chmod(folder.path, 0777);
	assert_says(shim_file_place_in(parents, &f), -EPERM, "others may write");
	chmod(folder.path, 01777);
	assert_int_equal(shim_file_place_in(parents, &f), 0);
	shim_file_remove(&f);
	assert_int_equal(chown(folder.path, 65534, -1), 0);
	assert_says(shim_file_place_in(parents, &f), -EPERM, "does not belong to root");
	assert_int_equal(chown(folder.path, 0, -1), 0);
	assert_int_equal(symlink("/run", linked), 0);
	parents[0] = linked;
	assert_says(shim_file_place_in(parents, &f), -ENOTDIR, "no folder");
	parents[0] = spaced;
	assert_says(shim_file_place_in(parents, &f), -EINVAL, "LD_PRELOAD");
	parents[0] = "relative";
	assert_says(shim_file_place_in(parents, &f), -EINVAL, "LD_PRELOAD");
	parents[0] = "/no/such";
	assert_says(shim_file_place_in(parents, &f), -ENOENT, "/no");
	parents[0] = NULL;
	assert_says(shim_file_place_in(parents, &f), -ENOENT, "no folder for");
	assert_null(f.folder);
}

/* In a mount namespace of a child's own. */
static void a_file_system_without_programs_is_passed_over(void **state)
{
	const char *const parents[] = { folder.path, "/run", "/tmp", NULL };
	struct shim_file f;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", folder.path, "tmpfs", MS_NOEXEC, "mode=755"))
			_exit(77);
		if (shim_file_place_in((const char *[]){ folder.path, NULL }, &f) != -EACCES ||
		    !strstr(err_text(), "noexec"))
			_exit(1);
		if (shim_file_place_in(parents, &f) || !strncmp(f.folder, folder.path, 10))
			_exit(2);
		shim_file_remove(&f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* --- the environment ---------------------------------------------------------------------- */

static const struct shim_settings plain = { .interval_bytes = 524288, .follow = true };

static void the_library_comes_before_others(void **state)
{
	char *const env[] = { "A=1",
			      "LD_PRELOAD=/a.so b.so",
			      "FATHOM_ALLOC=x",
			      "LD_PRELOAD=c.so",
			      "B=",
			      "ASAN_OPTIONS=halt_on_error=0",
			      NULL };
	char **made;

	(void)state;
	assert_int_equal(shim_env_make(&plain, "/x/lib.so", env, &made), 0);
	assert_string_equal(made[0], "A=1");
	assert_string_equal(made[1], "B=");
	assert_string_equal(made[2], "LD_PRELOAD=/x/lib.so:/a.so b.so");
	assert_string_equal(made[3], "FATHOM_ALLOC=interval=524288,maps=0,follow=1");
	assert_string_equal(made[4], "ASAN_OPTIONS=halt_on_error=0:verify_asan_link_order=0");
	assert_null(made[5]);
	shim_env_free(made);
}

static void settings_are_written_as_they_are_read(void **state)
{
	struct shim_settings s = {
		.interval_bytes = 1, .seed = UINT64_MAX, .has_seed = true, .maps = true
	};
	char *const none[] = { "LD_PRELOAD=", NULL };
	char **made;

	(void)state;
	assert_int_equal(shim_env_make(&s, "/l", none, &made), 0);
	assert_string_equal(made[0], "LD_PRELOAD=/l");
	assert_string_equal(made[1],
			    "FATHOM_ALLOC=interval=1,maps=1,follow=0,seed=18446744073709551615");
	assert_string_equal(made[2], "ASAN_OPTIONS=verify_asan_link_order=0");
	assert_null(made[3]);
	shim_env_free(made);
	s.interval_bytes = 0;
	assert_int_equal(shim_env_make(&s, "/l", none, &made), -EINVAL);
	s.interval_bytes = SHIM_MAX_INTERVAL_BYTES + 1;
	assert_int_equal(shim_env_make(&s, "/l", none, &made), -EINVAL);
}

static void a_command_is_started_with_its_environment(void **state)
{
	char *const env[] = { "FATHOM_TEST=7", NULL };
	char *argv[] = { "sh", "-c", "exit $FATHOM_TEST", NULL };
	struct launch l;
	int status;

	(void)state;
	assert_int_equal(launch_prepare(argv, env, &l), 0);
	assert_int_equal(launch_go(&l, "sh", NULL, NULL), 0);
	assert_int_equal(launch_wait(&l, -1, &status), 1);
	assert_int_equal(status, 7);
	launch_stop(&l);
}

/* --- the command -------------------------------------------------------------------------- */

static void ordinary_commands_suit(void **state)
{
	(void)state;
	assert_int_equal(shim_suits("sh"), 0);
	assert_int_equal(shim_suits("/bin/ls"), 0);
	assert_says(shim_suits("no-such-command"), -ENOENT, "no-such-command");
	assert_says(shim_suits("/no/such/command"), -ENOENT, "/no/such/command");
	assert_says(shim_suits(""), -ENOENT, "no command");
	assert_int_equal(shim_suits("/") < 0, 1);
}

static void a_path_is_searched_as_exec_does(void **state)
{
	_cleanup_(freep) char *old = strdup(getenv("PATH") ? getenv("PATH") : "");
	char path[200];

	(void)state;
	/* Not executable there: the next one is taken. */
	folder_write(&folder, "ls", "#!/no/such", 10);
	snprintf(path, sizeof(path), "/nowhere:%s:/bin:/usr/bin", folder.path);
	setenv("PATH", path, 1);
	assert_int_equal(shim_suits("ls"), 0);
	chmod(folder_path(&folder, "ls"), 0755);
	assert_says(shim_suits("ls"), -ENOENT, "/no/such");
	setenv("PATH", "/nowhere", 1);
	assert_int_equal(shim_suits("ls"), -ENOENT);
	unsetenv("PATH");
	assert_int_equal(shim_suits("ls"), 0);
	setenv("PATH", old, 1);
}

static const char *script(const char *name, const char *text)
{
	const char *path = folder_write(&folder, name, text, strlen(text));

	chmod(path, 0755);
	return path;
}

static void scripts_are_what_runs_them(void **state)
{
	char text[200];

	(void)state;
	assert_int_equal(shim_suits(script("a", "#! /bin/sh -e\necho\n")), 0);
	assert_int_equal(shim_suits(script("b", "echo without a first line\n")), 0);
	assert_int_equal(shim_suits(script("c", "")), 0);
	assert_int_equal(shim_suits(script("d", "#!/bin/sh")), 0);
	assert_says(shim_suits(script("e", "#!/no/such\n")), -ENOENT, "/no/such");
	snprintf(text, sizeof(text), "#!%s/a\n", folder.path);
	assert_int_equal(shim_suits(script("f", text)), 0);
	snprintf(text, sizeof(text), "#!%s/g\n", folder.path);
	assert_says(shim_suits(script("g", text)), -ELOOP, "script");
}

/* A file of the least that an ELF program has. */
struct program {
	Elf64_Ehdr e;
	Elf64_Phdr p[2];
	Elf64_Shdr s[3];
	Elf64_Sym symbols[2];
	char names[32], loader[32];
};

static struct program make_program(void)
{
	const void *image;
	struct program f = {};
	size_t len;

	image = shim_image(&len);
	memcpy(&f.e, image, sizeof(f.e)); /* of this machine */
	f.e.e_type = ET_EXEC;
	f.e.e_phoff = offsetof(struct program, p);
	f.e.e_phnum = 2;
	f.e.e_shoff = offsetof(struct program, s);
	f.e.e_shnum = 3;
	f.e.e_shstrndx = 0;
	f.p[0] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_vaddr = 0x1000, .p_filesz = sizeof(f), .p_memsz = sizeof(f)
	};
	f.p[1] = (Elf64_Phdr){ .p_type = PT_INTERP,
			       .p_vaddr = 0x1000 + offsetof(struct program, loader),
			       .p_filesz = sizeof(f.loader) };
	f.s[1] = (Elf64_Shdr){ .sh_type = SHT_DYNSYM,
			       .sh_link = 2,
			       .sh_offset = offsetof(struct program, symbols),
			       .sh_size = sizeof(f.symbols),
			       .sh_entsize = sizeof(Elf64_Sym) };
	f.s[2] = (Elf64_Shdr){ .sh_type = SHT_STRTAB,
			       .sh_offset = offsetof(struct program, names),
			       .sh_size = sizeof(f.names) };
	f.symbols[1] = (Elf64_Sym){ .st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC) };
	strcpy(f.names + 1, "malloc");
	strcpy(f.loader, "/lib64/ld-linux-x86-64.so.2");
	return f;
}

static int suits(const struct program *f, mode_t mode)
{
	const char *path = folder_write(&folder, "program", f, sizeof(*f));

	chmod(path, mode);
	return shim_suits_file(path);
}

static void programs_that_cannot_have_it_are_refused(void **state)
{
	struct program f = make_program();

	(void)state;
	assert_int_equal(suits(&f, 0755), 0);
	f.p[1].p_type = PT_NULL;
	assert_says(suits(&f, 0755), -ENOTSUP, "statically");
	f = make_program();
	strcpy(f.loader, "/lib/ld-musl-x86_64.so.1");
	assert_says(suits(&f, 0755), -ENOTSUP, "musl");
	strcpy(f.loader, "/system/bin/linker64");
	assert_says(suits(&f, 0755), -ENOTSUP, "/system/bin/linker64");
	memset(f.loader, 'x', sizeof(f.loader));
	assert_says(suits(&f, 0755), -EINVAL, "broken");
	f = make_program();
	f.e.e_machine = EM_RISCV;
	assert_says(suits(&f, 0755), -ENOTSUP, "another machine");
	memset(&f, 0x7f, 4);
	assert_int_equal(suits(&f, 0755), 0); /* the shell's, then */
}

static void programs_with_other_allocators_are_refused(void **state)
{
	static const char *const sanitizers[] = { "__asan_init", "__hwasan_init", "__msan_init",
						  "__tsan_init", "__lsan_init" };
	struct program f = make_program();
	size_t i;

	(void)state;
	f.symbols[1].st_shndx = 1;
	assert_says(suits(&f, 0755), -ENOTSUP, "an allocator of its own");
	f.symbols[1].st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC); /* some other function */
	assert_int_equal(suits(&f, 0755), 0);
	f = make_program();
	f.s[1].sh_type = SHT_SYMTAB;
	f.symbols[1].st_shndx = 1;
	assert_says(suits(&f, 0755), -ENOTSUP, "an allocator of its own");
	for (i = 0; i < sizeof(sanitizers) / sizeof(sanitizers[0]); i++) {
		f = make_program();
		strcpy(f.names + 1, sanitizers[i]);
		assert_says(suits(&f, 0755), -ENOTSUP, sanitizers[i]);
	}
	strcpy(f.names + 1, "__ubsan_init"); /* that one has none */
	assert_int_equal(suits(&f, 0755), 0);
	f.symbols[1].st_name = 0x7fffffff; /* broken: not known */
	assert_int_equal(suits(&f, 0755), 0);
}

static void programs_that_change_user_are_refused(void **state)
{
	struct program f = make_program();
	const char *path;

	(void)state;
	if (geteuid())
		skip();
	/* For root, root's own change nothing. */
	assert_int_equal(suits(&f, 04755), 0);
	assert_int_equal(suits(&f, 02755), 0);
	path = folder_path(&folder, "program");
	assert_int_equal(chown(path, 65534, 65534), 0);
	chmod(path, 04755);
	assert_says(shim_suits_file(path), -ENOTSUP, "set-user-ID");
	chmod(path, 02755);
	assert_says(shim_suits_file(path), -ENOTSUP, "set-group-ID");
	chmod(path, 02745); /* without the group's x: mandatory locking once */
	assert_int_equal(shim_suits_file(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_library_is_placed_whole_and_removed),
		cmocka_unit_test(what_is_left_is_said),
		cmocka_unit_test_setup_teardown(folders_of_others_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_system_without_programs_is_passed_over,
						set_up, tear_down),
		cmocka_unit_test(the_library_comes_before_others),
		cmocka_unit_test(settings_are_written_as_they_are_read),
		cmocka_unit_test(a_command_is_started_with_its_environment),
		cmocka_unit_test(ordinary_commands_suit),
		cmocka_unit_test_setup_teardown(a_path_is_searched_as_exec_does, set_up, tear_down),
		cmocka_unit_test_setup_teardown(scripts_are_what_runs_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(programs_that_cannot_have_it_are_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(programs_with_other_allocators_are_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(programs_that_change_user_are_refused, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
