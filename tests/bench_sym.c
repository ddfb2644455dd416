/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_sym: what looking up names costs, in processor time. Prints one line per measure, "name
 * value unit". bench_sym [ELF-FILE]     default: this program's C library
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

int main(int argc, char **argv)
{
	_cleanup_(freep) char *path = NULL;
	const char *given = argv[0];
	Dl_info info;
	int err;

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
