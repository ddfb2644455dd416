/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_sym: what looking up names costs, in processor time. Prints one line per measure, "name
 * value unit".
 *
 *   bench_sym [ELF-FILE]            default: this program's C library
 *   bench_sym --names ELF-FILE...   100,000 distinct addresses over these files, names only
 *   bench_sym --lines ELF-FILE...   the same with source lines and inlined functions
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/mman.h>
#include <time.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/elf/elf_image.h"
#include "user/sym/ksyms.h"
#include "user/sym/sym.h"

#define LOOKUPS	    1000000
#define ADDRESSES   100000
#define FAKE_KSYMS  200000
#define FAKE_BASE   0xffffffff81000000ull
#define FAKE_STRIDE 96

/* Processor time: what others do on the machine is not what a lookup costs. */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static uint64_t next_random(void)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static void report(const char *what, double seconds, double n)
{
	printf("%s %.1f ns\n", what, seconds * 1e9 / n);
}

/* As many lines as a distribution's kernel has, in memory: parsing without the kernel's part. */
static int fake_kallsyms(void)
{
	int fd = memfd_create("kallsyms", MFD_CLOEXEC), i;
	FILE *f = fd < 0 ? NULL : fdopen(dup(fd), "w");

	if (!f)
		return errf(-errno, "cannot make a file in memory: %m");
	for (i = 0; i < FAKE_KSYMS; i++)
		fprintf(f, "%016" PRIx64 " t some_function_name_%d%s\n",
			(uint64_t)(FAKE_BASE + (uint64_t)i * FAKE_STRIDE), i,
			i > FAKE_KSYMS / 2 ? "\t[some_module]" : "");
	fclose(f);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int bench_fake_kernel(void)
{
	_cleanup_(ksyms_freep) struct ksyms *syms = NULL;
	_cleanup_(closep) int fd = fake_kallsyms();
	double start = now();
	size_t i, found = 0;
	struct ksym k;
	int err = fd < 0 ? fd : ksyms_load_fd(fd, "kallsyms", &syms);

	if (err)
		return err;
	printf("kallsyms_parse_200k %.1f ms\n", (now() - start) * 1e3);
	start = now();
	for (i = 0; i < LOOKUPS; i++)
		found += ksyms_find(
			syms, FAKE_BASE + next_random() % ((uint64_t)FAKE_KSYMS * FAKE_STRIDE), &k);
	report("ksyms_find", now() - start, LOOKUPS);
	return found == LOOKUPS ? 0 : errf(-EIO, "%zu lookups found nothing", LOOKUPS - found);
}

static int bench_kernel(void)
{
	struct symbolizer_options options = { .demangle = DEMANGLE_SHORT };
	_cleanup_(symbolizer_freep) struct symbolizer *s = NULL;
	double start = now();
	struct symbol symbol;
	size_t i;
	int err = symbolizer_new(&options, &s);

	if (err)
		return err;
	symbolizer_kernel(s, FAKE_BASE, &symbol);
	printf("kallsyms_load_live %.1f ms\n", (now() - start) * 1e3);
	start = now();
	for (i = 0; i < LOOKUPS; i++)
		symbolizer_kernel(s, FAKE_BASE + next_random() % (12 << 20), &symbol);
	report("symbolizer_kernel", now() - start, LOOKUPS);
	return 0;
}

/* The executable segment as a process would have it mapped. */
static int mapping_of(const char *path, struct sym_mapping *ret)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	_cleanup_(closep) int fd = file_open(path, FILE_TRUSTED);
	struct stat st;
	size_t i;
	int err = fd < 0 ? fd : elf_image_open(fd, path, &image);

	if (err)
		return err;
	if (fstat(fd, &st))
		return errf(-errno, "cannot look at '%s': %m", path);
	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || !p->p_filesz)
			continue;
		*ret = (struct sym_mapping){ .start = 0x7f0000000000,
					     .end = 0x7f0000000000 + p->p_filesz,
					     .pgoff = p->p_offset & ~4095ull,
					     .ino = st.st_ino,
					     .path = path };
		return 0;
	}
	return errf(-ENOEXEC, "'%s' has no code", path);
}

static int bench_elf(const char *path)
{
	struct symbolizer_options options = { .demangle = DEMANGLE_SHORT };
	_cleanup_(symbolizer_freep) struct symbolizer *s = NULL;
	struct symbol symbol;
	struct sym_mapping m = { 0 };
	double start;
	size_t i, named = 0;
	int err = mapping_of(path, &m);

	if (!err)
		err = symbolizer_new(&options, &s);
	if (err)
		return err;
	start = now();
	symbolizer_user(s, &m, m.start, &symbol);
	printf("elf_load %.1f ms\n", (now() - start) * 1e3);
	start = now();
	for (i = 0; i < LOOKUPS; i++) {
		symbolizer_user(s, &m, m.start + next_random() % (m.end - m.start), &symbol);
		named += symbol.named;
	}
	report("symbolizer_user_first", now() - start, LOOKUPS);
	printf("symbolizer_user_named %.1f percent\n", 100.0 * named / LOOKUPS);
	start = now();
	for (i = 0; i < LOOKUPS; i++)
		symbolizer_user(s, &m, m.start + (i % 65536) * 16 % (m.end - m.start), &symbol);
	report("symbolizer_user_again", now() - start, LOOKUPS);
	return 0;
}

struct many {
	struct symbolizer *s;
	size_t addresses, named, frames;
	bool lines;
};

/* Addresses all over the file's code, 'n' of them, each once; first all are wanted, as when a
 * recording is named. */
static int look_up_in(struct many *m, const char *path, size_t n)
{
	struct code_line lines[CODE_LINES_MAX];
	struct sym_mapping mapping = { 0 };
	struct symbol symbol;
	uint64_t step, at;
	unsigned int pass;
	int err = mapping_of(path, &mapping);

	if (err)
		return err;
	step = (mapping.end - mapping.start) / n + 1;
	for (pass = m->lines ? 0 : 1; pass < 2; pass++) {
		for (at = mapping.start; at < mapping.end; at += step) {
			uint64_t address = at + (at * 2654435761u >> 7) % step;

			if (!pass) {
				symbolizer_want_lines(m->s, &mapping, address);
				continue;
			}
			symbolizer_user(m->s, &mapping, address, &symbol);
			m->named += symbol.named;
			m->addresses++;
			if (m->lines)
				m->frames += symbolizer_lines(m->s, &mapping, address, lines);
		}
	}
	return 0;
}

static int bench_many(bool lines, char **paths, size_t n_paths)
{
	struct symbolizer_options options = { .no_lines = !lines, .no_debuginfod = true };
	_cleanup_(symbolizer_freep) struct symbolizer *s = NULL;
	struct many m = { .lines = lines };
	struct symbolizer_counts counts;
	double start = now();
	size_t i;
	int err = n_paths ? symbolizer_new(&options, &s) : errf(-EINVAL, "which files?");

	m.s = s;
	for (i = 0; i < n_paths && !err; i++)
		err = look_up_in(&m, paths[i], ADDRESSES / n_paths);
	if (err)
		return err;
	counts = symbolizer_counts(s);
	printf("many_%s %.3f s\n", lines ? "lines" : "names", now() - start);
	printf("many_%s_addresses %zu count\n", lines ? "lines" : "names", m.addresses);
	printf("many_%s_named %.1f percent\n", lines ? "lines" : "names",
	       100.0 * m.named / m.addresses);
	if (lines)
		printf("many_with_lines %.1f percent\nmany_frames %.2f count\nmany_over_budget "
		       "%" PRIu64 " count\n",
		       100.0 * counts.with_lines / m.addresses, (double)m.frames / m.addresses,
		       counts.over_budget);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_(freep) char *path = NULL;
	const char *given = argv[0];
	Dl_info info;
	int err;

	if (argc > 1 && (!strcmp(argv[1], "--names") || !strcmp(argv[1], "--lines"))) {
		err = bench_many(argv[1][2] == 'l', argv + 2, argc - 2);
		if (err)
			fprintf(stderr, "bench_sym: %s\n", err_text());
		return err ? 3 : 0;
	}
	if (argc > 1)
		given = argv[1];
	else if (dladdr(&printf, &info))
		given = info.dli_fname;
	path = realpath(given, NULL); /* the kernel never names a mapping by a link */
	err = path ? bench_fake_kernel() : errf(-errno, "cannot find '%s': %m", given);
	if (!err)
		err = bench_kernel();
	if (!err)
		err = bench_elf(path);
	if (err)
		fprintf(stderr, "bench_sym: %s\n", err_text());
	return err ? 3 : 0;
}
