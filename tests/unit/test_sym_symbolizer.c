/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "tests/unit/test_sym_folder.h"
#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/str.h"
#include "user/elf/elf_image.h"
#include "user/sym/mapped_file.h"
#include "user/sym/open_regular.h"
#include "user/sym/sym.h"

static const char sleeper[] = "#include <unistd.h>\n"
			      "int nap(void) { return pause(); }\n"
			      "int main(void) { return nap(); }\n";

/* One that says which it is by the name of its function. */
static const char impostor[] = "#include <unistd.h>\n"
			       "int impostor(void) { return pause(); }\n"
			       "int main(void) { return impostor(); }\n";

/* A mapping whose path is its own. */
struct mapping {
	struct sym_mapping m;
	char path[512];
};

static struct symbolizer *symbolizer(enum demangle demangle)
{
	struct symbolizer_options options = {
		.kallsyms = "tests/data/kallsyms.good",
		.debug_directory = in_folder("no-debug-files"),
		.demangle = demangle,
	};
	struct symbolizer *s = NULL;

	assert_int_equal(symbolizer_new(&options, &s), 0);
	return s;
}

static bool parse_mapping(const char *line, struct mapping *ret)
{
	unsigned int major_number, minor_number;
	struct sym_mapping *m = &ret->m;

	*ret = (struct mapping){ 0 };
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*4s %" SCNx64 " %x:%x %" SCNu64 " %511[^\n]",
		   &m->start, &m->end, &m->pgoff, &major_number, &minor_number, &m->ino,
		   ret->path) < 6)
		return false;
	m->dev = makedev(major_number, minor_number);
	return true;
}

/* The mapping of a process that an address is in. */
static bool mapping_at(pid_t pid, uint64_t address, struct mapping *ret)
{
	char path[64], line[1024];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		found = parse_mapping(line, ret) && address >= ret->m.start && address < ret->m.end;
	fclose(f);
	ret->m.path = ret->path;
	ret->m.pid = pid;
	return found;
}

static bool find_code(pid_t pid, const char *path, struct mapping *ret)
{
	char maps[64], line[1024];
	bool found = false;
	FILE *f;

	snprintf(maps, sizeof(maps), "/proc/%d/maps", pid);
	f = fopen(maps, "re");
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, " r-xp ") && parse_mapping(line, ret) &&
			!strncmp(ret->path, path, strlen(path));
	fclose(f);
	ret->m.path = ret->path;
	ret->m.pid = pid;
	return found;
}

/* The executable mapping of a process whose path begins with 'path'; waits until it is there. */
static bool code_of(pid_t pid, const char *path, struct mapping *ret)
{
	int i;

	for (i = 0; i < 1000; i++) {
		if (find_code(pid, path, ret))
			return true;
		usleep(1000);
	}
	return false;
}

static struct symbol name_of(struct symbolizer *s, const struct mapping *m, uint64_t address)
{
	struct symbol symbol = { 0 };

	symbolizer_user(s, &m->m, address, &symbol);
	assert_non_null(symbol.name);
	assert_non_null(symbol.module);
	return symbol;
}

/* Whether some function of the mapping has that name. */
static bool has_function(struct symbolizer *s, const struct mapping *m, const char *name)
{
	uint64_t at;

	for (at = m->m.start; at < m->m.end; at++) {
		struct symbol symbol = name_of(s, m, at);

		if (symbol.named && !strcmp(symbol.name, name))
			return true;
	}
	return false;
}

static pid_t start(const char *program)
{
	char path[512], exe[512], link[64];
	pid_t pid;
	int i;

	snprintf(path, sizeof(path), "%s", in_folder(program));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
		execl(path, path, NULL);
		_exit(1);
	}
	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	for (i = 0; i < 1000; i++) {
		ssize_t n = readlink(link, exe, sizeof(exe) - 1);

		exe[n < 0 ? 0 : n] = '\0';
		if (!strcmp(exe, path))
			return pid;
		usleep(1000);
	}
	fail_msg("'%s' does not start", path);
	return -1;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int make_programs(void **state)
{
	if (make_folder(state))
		return -1;
	write_text("sleeper.c", sleeper);
	write_text("impostor.c", impostor);
	return run("gcc -O1 -fno-inline -Wl,--build-id sleeper.c -o sleeper && "
		   "gcc -O1 -fno-inline -Wl,--build-id impostor.c -o impostor");
}

static int __attribute__((noinline)) a_local_function(int x)
{
	return x + getpid();
}

static void our_own_functions_have_their_names(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	uint64_t address = (uintptr_t)a_local_function;
	struct symbol symbol;
	struct mapping m;

	(void)state;
	assert_true(a_local_function(1) > 0);
	assert_true(mapping_at(getpid(), address, &m));
	symbolizer_prepare(s, &m.m);
	symbol = name_of(s, &m, address + 1);
	assert_string_equal(symbol.name, "a_local_function");
	assert_string_equal(symbol.module, m.path);
	assert_int_equal(symbol.offset, 1);
	assert_true(symbol.named);
	assert_false(symbol.is_jit);
	assert_int_equal(symbolizer_files_failed(s), 0);
}

static void library_functions_have_their_names(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	uint64_t address = (uintptr_t)dlsym(RTLD_NEXT, "strtoul");
	struct mapping m;

	(void)state;
	assert_true(address && mapping_at(getpid(), address, &m));
	assert_non_null(strstr(name_of(s, &m, address).name, "strtoul"));
}

static void the_same_address_has_the_same_string(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct mapping m;
	const char *first;
	uint64_t at;

	(void)state;
	assert_true(mapping_at(getpid(), (uintptr_t)a_local_function, &m));
	for (at = m.m.start; at < m.m.end; at += 511) {
		first = name_of(s, &m, at).name;
		assert_ptr_equal(first, name_of(s, &m, at).name);
	}
}

static void what_has_no_name_can_still_be_found(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct symbol symbol;
	pid_t pid = start("sleeper");
	struct mapping m;
	char want[64];

	(void)state;
	assert_true(code_of(pid, folder, &m));
	/* The page is longer than the code: behind its end there is nothing. */
	symbol = name_of(s, &m, m.m.end - 1);
	snprintf(want, sizeof(want), "[sleeper+0x%" PRIx64 "]", m.m.pgoff + 4095);
	assert_string_equal(symbol.name, want);
	assert_string_equal(symbol.module, in_folder("sleeper"));
	assert_false(symbol.named);
	assert_int_equal(symbol.offset, 0);
	end(pid);
}

static void a_virtual_address_is_shown_where_it_is_known(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct mapping m = {
		.m = { .start = 0x7f0000000000, .end = 0x7f0000010000, .pgoff = 0, .path = m.path }
	};

	(void)state;
	assert_int_equal(run("printf '.text\\n.globl _start\\n_start: nop\\n.data\\n.fill 64\\n' "
			     ">at.s && as at.s -o at.o && "
			     "ld -Ttext=0x500000 -s at.o -o at && cp at fixed"),
			 0);
	snprintf(m.path, sizeof(m.path), "%s", in_folder("fixed"));
	m.m.pgoff = 0x1000;
	assert_string_equal(name_of(s, &m, m.m.start).name, "[fixed+0x500000]");
	/* Beyond all segments there is only the offset. */
	assert_string_equal(name_of(s, &m, m.m.start + 0x8000).name, "[fixed+0x9000]");
}

static void a_deleted_program_has_names_as_long_as_it_runs(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct mapping m;
	pid_t pid;

	(void)state;
	assert_int_equal(run("cp sleeper deleted"), 0);
	pid = start("deleted");
	assert_int_equal(run("rm deleted"), 0);
	assert_true(code_of(pid, folder, &m));
	assert_non_null(strstr(m.path, " (deleted)"));
	assert_true(has_function(s, &m, "nap"));
	assert_string_equal(name_of(s, &m, m.m.start).module, in_folder("deleted"));
	end(pid);
}

static void a_deleted_program_is_found_by_exe_if_its_mapping_was_split(void **state)
{
	struct mapping m;
	pid_t pid;
	int fd;

	(void)state;
	assert_int_equal(run("cp sleeper split"), 0);
	pid = start("split");
	assert_int_equal(run("rm split"), 0);
	assert_true(code_of(pid, folder, &m));
	m.m.end += 4096; /* no such range: no such file in map_files */
	fd = mapped_file_open(&m.m);
	assert_true(fd >= 0);
	close(fd);
	end(pid);
}

static void a_prepared_file_has_names_when_all_is_gone(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct mapping m;
	pid_t pid;

	(void)state;
	assert_int_equal(run("cp sleeper shortlived"), 0);
	pid = start("shortlived");
	assert_true(code_of(pid, folder, &m));
	symbolizer_prepare(s, &m.m);
	end(pid);
	assert_int_equal(run("rm shortlived"), 0);
	assert_true(has_function(s, &m, "nap"));
	assert_int_equal(symbolizer_files_failed(s), 0);
}

static void a_file_that_cannot_be_found_is_counted_once(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct mapping m;
	pid_t pid;

	(void)state;
	assert_int_equal(run("cp sleeper lost"), 0);
	pid = start("lost");
	assert_true(code_of(pid, folder, &m));
	end(pid);
	assert_int_equal(run("rm lost"), 0);
	assert_int_equal(symbolizer_files_failed(s), 0);
	assert_string_equal(name_of(s, &m, m.m.start + 8).name, "[lost+0x1008]");
	name_of(s, &m, m.m.start + 16);
	assert_int_equal(symbolizer_files_failed(s), 1);
}

static void another_file_at_the_path_is_not_believed(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct mapping m;
	pid_t pid;

	(void)state;
	assert_int_equal(run("cp sleeper replaced"), 0);
	pid = start("replaced");
	assert_true(code_of(pid, folder, &m));
	end(pid);
	assert_int_equal(run("cp impostor new && mv new replaced"), 0);
	assert_false(has_function(s, &m, "impostor"));
	assert_int_equal(symbolizer_files_failed(s), 1);
}

static void read_build_id(const char *name, struct sym_mapping *m)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	_cleanup_(closep) int fd = open(in_folder(name), O_RDONLY | O_CLOEXEC);

	assert_int_equal(elf_image_open(fd, name, &image), 0);
	assert_int_equal(image->build_id_len, 20);
	memcpy(m->build_id, image->build_id, 20);
	m->build_id_len = 20;
}

static void a_build_id_decides_which_file_is_right(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct mapping m;
	pid_t pid;

	(void)state;
	assert_int_equal(run("cp sleeper moved"), 0);
	pid = start("moved");
	assert_true(code_of(pid, folder, &m));
	end(pid);
	/* As the kernel says it with build IDs: without inode. A copy is as good. */
	m.m.ino = m.m.dev = 0;
	read_build_id("sleeper", &m.m);
	assert_int_equal(run("cp impostor moved"), 0);
	assert_false(has_function(s, &m, "impostor"));
	assert_int_equal(run("cp sleeper moved"), 0);
	m.m.pid = getpid(); /* the same process is not tried again */
	assert_true(has_function(s, &m, "nap"));
	assert_int_equal(symbolizer_files_failed(s), 0); /* it was found in the end */
}

/* The same inode, written over: only the build ID can tell. */
static void a_file_that_was_overwritten_is_not_believed(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct mapping m;
	pid_t pid;

	(void)state;
	assert_int_equal(run("cp sleeper overwritten"), 0);
	pid = start("overwritten");
	assert_true(code_of(pid, folder, &m));
	read_build_id("sleeper", &m.m);
	end(pid);
	assert_int_equal(run("cat impostor >overwritten"), 0);
	assert_false(has_function(s, &m, "impostor"));
}

static void what_is_no_regular_file_is_not_opened(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct mapping m = { .m = { .start = 0x10000, .end = 0x20000, .path = m.path } };

	(void)state;
	snprintf(m.path, sizeof(m.path), "%s", in_folder("fifo"));
	assert_int_equal(mkfifo(m.path, 0600), 0);
	assert_int_equal(open_regular(m.path, true), -EINVAL);
	assert_string_equal(name_of(s, &m, 0x10004).name, "[fifo+0x4]");
	assert_int_equal(open_regular("/dev/null", true), -EINVAL);
	assert_int_equal(open_regular(folder, true), -EINVAL);
	assert_int_equal(symbolizer_files_failed(s), 1);
}

static void links_are_followed_only_when_asked_for(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(run("ln -sf sleeper link"), 0);
	assert_int_equal(open_regular(in_folder("link"), false), -EINVAL);
	fd = open_regular(in_folder("link"), true);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(open_regular_in(getpid(), in_folder("link"), false), -EINVAL);
	fd = open_regular_in(getpid(), in_folder("link"), true);
	assert_true(fd >= 0);
	close(fd);
}

/* A process in a root of its own, where /tmp leads to ours by an absolute link and by "..". */
static void links_do_not_lead_out_of_a_process_s_root(void **state)
{
	int ready[2], fd;
	char c;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip(); /* chroot is root's */
	assert_int_equal(run("mkdir -p jail/inside && echo secret >outside && "
			     "ln -s %s jail/absolute && ln -s ../../../../.. jail/up && "
			     "echo in >jail/inside/file",
			     folder),
			 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (chroot(in_folder("jail")) || write(ready[1], "y", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_true(open_regular_in(pid, "/absolute/outside", true) < 0);
	assert_true(open_regular_in(pid, "/up/etc/passwd", true) < 0);
	fd = open_regular_in(pid, "/up/inside/file", true);
	assert_true(fd >= 0);
	close(fd);
	close(ready[0]);
	close(ready[1]);
	end(pid);
}

static void a_broken_file_costs_only_its_own_names(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct mapping bad = { .m = { .start = 0x10000, .end = 0x20000, .path = bad.path } };
	struct mapping m;

	(void)state;
	assert_int_equal(run("head -c 3000 sleeper >truncated"), 0);
	snprintf(bad.path, sizeof(bad.path), "%s", in_folder("truncated"));
	assert_string_equal(name_of(s, &bad, 0x11000).name, "[truncated+0x1000]");
	assert_int_equal(symbolizer_files_failed(s), 1);
	assert_true(mapping_at(getpid(), (uintptr_t)a_local_function, &m));
	assert_true(name_of(s, &m, (uintptr_t)a_local_function).named);
	assert_int_equal(symbolizer_files_failed(s), 1);
}

static void anonymous_memory_has_an_offset(void **state)
{
	static const struct {
		const char *path, *name, *module;
	} cases[] = {
		{ "", "[anon+0x123]", "[anon]" },
		{ NULL, "[anon+0x123]", "[anon]" },
		{ "//anon", "[anon+0x123]", "[anon]" },
		{ "/dev/zero (deleted)", "[anon+0x123]", "[anon]" },
		{ "[heap]", "[heap+0x123]", "[heap]" },
		{ "[stack]", "[stack+0x123]", "[stack]" },
		{ "[anon:v8]", "[anon:v8+0x123]", "[anon:v8]" },
		{ "[", "[+0x123]", "[" },
	};
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct symbol symbol;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sym_mapping m = {
			.start = 0x10000, .end = 0x20000, .pgoff = 0x5000, .path = cases[i].path
		};

		symbolizer_prepare(s, &m);
		symbolizer_user(s, &m, 0x10123, &symbol);
		assert_string_equal(symbol.name, cases[i].name);
		assert_string_equal(symbol.module, cases[i].module);
		assert_false(symbol.named);
		assert_string_equal(symbolizer_build_id(s, &m), "");
		assert_false(symbolizer_is_entry(s, &m, 0x10123));
	}
	assert_int_equal(symbolizer_files_failed(s), 0);
}

static void the_vdso_has_names(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	uint64_t base = getauxval(AT_SYSINFO_EHDR);
	struct mapping m = { 0 }, small;

	(void)state;
	if (!base)
		skip();
	assert_true(mapping_at(getpid(), base, &m));
	assert_string_equal(m.path, "[vdso]");
#ifdef __aarch64__
	assert_true(has_function(s, &m, "__kernel_clock_gettime"));
#else
	assert_true(has_function(s, &m, "__vdso_clock_gettime"));
#endif
	assert_string_equal(name_of(s, &m, m.m.start).name, "[vdso+0x0]");
	assert_string_equal(name_of(s, &m, m.m.start).module, "[vdso]");
	/* A 32-bit process has another one. */
	small = m;
	small.m.start = 0xf7f00000;
	small.m.end = small.m.start + (m.m.end - m.m.start);
	assert_false(has_function(s, &small, "__vdso_clock_gettime"));
	assert_false(has_function(s, &small, "__kernel_clock_gettime"));
	assert_int_equal(symbolizer_files_failed(s), 0);
}

static void kernel_addresses_have_names(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct symbol symbol;

	(void)state;
	symbolizer_kernel(s, 0xffffffff81000104, &symbol);
	assert_string_equal(symbol.name, "do_one_initcall");
	assert_string_equal(symbol.module, "[kernel]");
	assert_int_equal(symbol.offset, 4);
	assert_true(symbol.named);
	symbolizer_kernel(s, 0xffffffffc0b00000, &symbol);
	assert_string_equal(symbol.module, "[nf_tables]");
	symbolizer_kernel(s, 0xffffffff80000000, &symbol);
	assert_string_equal(symbol.name, "[kernel+0xffffffff80000000]");
	assert_string_equal(symbol.module, "[kernel]");
	assert_false(symbol.named);
	assert_int_equal(symbolizer_files_failed(s), 0);
}

static void hidden_kernel_symbols_are_counted(void **state)
{
	struct symbolizer_options options = { .kallsyms = "tests/data/kallsyms.hidden" };
	_cleanup_(symbolizer_freep) struct symbolizer *s = NULL;
	struct symbol symbol;

	(void)state;
	assert_int_equal(symbolizer_new(&options, &s), 0);
	symbolizer_kernel(s, 0xffffffff81000104, &symbol);
	assert_string_equal(symbol.name, "[kernel+0xffffffff81000104]");
	assert_int_equal(symbolizer_files_failed(s), 1);
}

static void a_jit_s_functions_are_marked(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	_cleanup_(str_release) struct str path = { 0 };
	struct sym_mapping m = { .start = 0x10000, .end = 0x20000, .path = "//anon" };
	struct sym_mapping memfd = {
		.start = 0x30000, .end = 0x40000, .ino = 1, .path = "/memfd:doublemapper (deleted)"
	};
	pid_t pid = start("sleeper");
	struct symbol symbol;
	FILE *f;

	(void)state;
	assert_int_equal(str_addf(&path, "/tmp/perf-%d.map", pid), 0);
	f = fopen(path.data, "wex");
	assert_non_null(f);
	fprintf(f, "10100 40 Interpreter\n10200 40 _ZN3jit3fooEv\n30000 10 Twice\n");
	fclose(f);
	m.pid = memfd.pid = pid;
	symbolizer_prepare(s, &m);
	end(pid);
	unlink(path.data);
	symbolizer_user(s, &m, 0x10104, &symbol);
	assert_string_equal(symbol.name, "Interpreter");
	assert_string_equal(symbol.module, "[jit]");
	assert_int_equal(symbol.offset, 4);
	assert_true(symbol.named && symbol.is_jit);
	symbolizer_user(s, &m, 0x10200, &symbol);
	assert_string_equal(symbol.name, "jit::foo");
	symbolizer_user(s, &m, 0x10300, &symbol);
	assert_string_equal(symbol.name, "[anon+0x300]");
	assert_false(symbol.is_jit);
	symbolizer_user(s, &memfd, 0x30008, &symbol);
	assert_string_equal(symbol.name, "Twice");
	assert_int_equal(symbolizer_files_failed(s), 0);
}

static void write_jit_name(pid_t pid, const char *name)
{
	assert_int_equal(run("echo '10000 1000 %s' >/tmp/perf-%d.map", name, pid), 0);
}

static const char *jit_name(struct symbolizer *s, pid_t pid, uint64_t image)
{
	struct sym_mapping m = {
		.start = 0x10000, .end = 0x20000, .path = "//anon", .pid = pid, .image = image
	};
	struct symbol symbol;

	symbolizer_user(s, &m, 0x10004, &symbol);
	return symbol.name;
}

static void a_jit_s_names_are_not_those_of_the_next_image(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	pid_t pid = start("sleeper");
	uint64_t second = UINT64_MAX - 2, third = UINT64_MAX - 1; /* after the first reading */
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", pid);
	write_jit_name(pid, "_ZN3one1fEv");
	symbolizer_read_perf_map(s, pid, 1000);
	unlink(path);
	symbolizer_read_perf_map(s, pid, second);
	assert_string_equal(jit_name(s, pid, 1000), "one::f");
	assert_string_equal(jit_name(s, pid, second), "[anon+0x4]");
	write_jit_name(pid, "_ZN3two1fEv");
	symbolizer_read_perf_map(s, pid, third);
	/* Also while there is a map, which is the newest one's. */
	assert_string_equal(jit_name(s, pid, third), "two::f");
	assert_string_equal(jit_name(s, pid, 1000), "one::f");
	assert_string_equal(jit_name(s, pid, second), "[anon+0x4]");
	assert_string_equal(jit_name(s, pid, 500), "[anon+0x4]");
	end(pid);
	unlink(path);
	assert_int_equal(symbolizer_files_failed(s), 0);
}

/* The exec was before the reading, but was not known then. */
static void a_perf_map_is_that_of_an_image_known_later(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	pid_t pid = start("sleeper");
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", pid);
	write_jit_name(pid, "compiled");
	symbolizer_read_perf_map(s, pid, 0);
	end(pid);
	unlink(path);
	assert_string_equal(jit_name(s, pid, 1000), "compiled");
	assert_string_equal(jit_name(s, pid, UINT64_MAX), "[anon+0x4]");
}

static void somebody_else_s_perf_map_is_counted(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct symbol symbol;
	char path[64];
	pid_t pid;
	struct sym_mapping m = { .start = 0x10000, .end = 0x20000, .path = "//anon" };

	(void)state;
	if (geteuid() != 0)
		skip(); /* only root can give files away */
	pid = start("sleeper");
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", pid);
	assert_int_equal(run("echo '10000 1000 forged' >%s && chown 12345 %s", path, path), 0);
	m.pid = pid;
	symbolizer_read_perf_map(s, pid, 0);
	symbolizer_user(s, &m, 0x10004, &symbol);
	assert_string_equal(symbol.name, "[anon+0x4]");
	assert_int_equal(symbolizer_files_failed(s), 1);
	unlink(path);
	end(pid);
}

static const char *mangled_name(enum demangle demangle, struct symbolizer **ret)
{
	struct mapping m = { .m = { .start = 0x10000, .end = 0x20000, .path = m.path } };
	struct symbol symbol;

	*ret = symbolizer(demangle);
	snprintf(m.path, sizeof(m.path), "%s", in_folder("mangled"));
	m.m.pgoff = 0x1000;
	symbol = name_of(*ret, &m, 0x10000);
	assert_true(symbol.named);
	return symbol.name;
}

static void names_are_demangled_as_asked_for(void **state)
{
	struct symbolizer *s;

	(void)state;
	assert_int_equal(run("printf '.globl _ZN3foo3barEi\\n_ZN3foo3barEi: nop\\n' >mangled.s && "
			     "as mangled.s -o mangled.o && ld -e 0 mangled.o -o mangled"),
			 0);
	assert_string_equal(mangled_name(DEMANGLE_SHORT, &s), "foo::bar");
	symbolizer_free(s);
	assert_string_equal(mangled_name(DEMANGLE_FULL, &s), "foo::bar(int)");
	symbolizer_free(s);
	assert_string_equal(mangled_name(DEMANGLE_NONE, &s), "_ZN3foo3barEi");
	symbolizer_free(s);
}

static void the_build_id_is_hexadecimal(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct mapping m;
	const char *id;
	pid_t pid = start("sleeper");
	struct sym_mapping given = { .start = 1,
				     .end = 2,
				     .path = "/nowhere",
				     .build_id = { 0xab, 0x01, 0xff },
				     .build_id_len = 3 };

	(void)state;
	assert_true(code_of(pid, folder, &m));
	id = symbolizer_build_id(s, &m.m);
	assert_int_equal(strlen(id), 40);
	assert_int_equal(run("readelf -n sleeper | grep -q 'Build ID: %s'", id), 0);
	assert_ptr_equal(symbolizer_build_id(s, &m.m), id);
	assert_true(has_function(s, &m, "nap")); /* after its headers were read alone */
	assert_string_equal(symbolizer_build_id(s, &given), "ab01ff");
	given.path = "/elsewhere";
	given.build_id_len = 0;
	assert_string_equal(symbolizer_build_id(s, &given), "");
	end(pid);
}

static void only_the_start_code_is_an_entry(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	pid_t pid = start("sleeper");
	uint64_t at, first = 0, n = 0;
	struct mapping m;

	(void)state;
	assert_true(code_of(pid, folder, &m));
	for (at = m.m.start; at < m.m.end; at++) {
		bool is_start = !strcmp(name_of(s, &m, at).name, "_start");

		if (is_start && !first)
			first = at;
		assert_int_equal(symbolizer_is_entry(s, &m.m, at), is_start);
		n += is_start;
	}
	assert_true(first && n > 16 && n < 64);
	end(pid);
}

static int count_open(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void many_open_files_are_not_kept(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = symbolizer(DEMANGLE_SHORT);
	struct mapping m = { .m = { .start = 0x10000, .end = 0x20000, .path = m.path } };
	struct rlimit limit;
	int before, i;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < 1500)
		skip(); /* this system keeps us from it */
	limit.rlim_cur = 1500;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(run("mkdir many && cd many && for i in $(seq 0 1099); do "
			     "ln ../sleeper $i; done"),
			 0);
	before = count_open();
	for (i = 0; i < 1100; i++) {
		snprintf(m.path, sizeof(m.path), "%s/many/%d", folder, i);
		symbolizer_prepare(s, &m.m);
	}
	assert_int_equal(count_open() - before, 1024);
	/* One that was not kept has names all the same. */
	m.m.pgoff = 0x1000;
	assert_true(has_function(s, &m, "nap"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_functions_have_their_names),
		cmocka_unit_test(library_functions_have_their_names),
		cmocka_unit_test(the_same_address_has_the_same_string),
		cmocka_unit_test(what_has_no_name_can_still_be_found),
		cmocka_unit_test(a_virtual_address_is_shown_where_it_is_known),
		cmocka_unit_test(a_deleted_program_has_names_as_long_as_it_runs),
		cmocka_unit_test(a_deleted_program_is_found_by_exe_if_its_mapping_was_split),
		cmocka_unit_test(a_prepared_file_has_names_when_all_is_gone),
		cmocka_unit_test(a_file_that_cannot_be_found_is_counted_once),
		cmocka_unit_test(another_file_at_the_path_is_not_believed),
		cmocka_unit_test(a_build_id_decides_which_file_is_right),
		cmocka_unit_test(a_file_that_was_overwritten_is_not_believed),
		cmocka_unit_test(what_is_no_regular_file_is_not_opened),
		cmocka_unit_test(links_are_followed_only_when_asked_for),
		cmocka_unit_test(links_do_not_lead_out_of_a_process_s_root),
		cmocka_unit_test(a_broken_file_costs_only_its_own_names),
		cmocka_unit_test(anonymous_memory_has_an_offset),
		cmocka_unit_test(the_vdso_has_names),
		cmocka_unit_test(kernel_addresses_have_names),
		cmocka_unit_test(hidden_kernel_symbols_are_counted),
		cmocka_unit_test(a_jit_s_functions_are_marked),
		cmocka_unit_test(a_jit_s_names_are_not_those_of_the_next_image),
		cmocka_unit_test(a_perf_map_is_that_of_an_image_known_later),
		cmocka_unit_test(somebody_else_s_perf_map_is_counted),
		cmocka_unit_test(names_are_demangled_as_asked_for),
		cmocka_unit_test(the_build_id_is_hexadecimal),
		cmocka_unit_test(only_the_start_code_is_an_entry),
		cmocka_unit_test(many_open_files_are_not_kept),
	};

	return cmocka_run_group_tests(tests, make_programs, remove_folder);
}
