/* SPDX-License-Identifier: BSD-2-Clause */
/* lines_file: a program with inlined functions, and looking up its lines. */
#pragma once

#include <fcntl.h>
#include <inttypes.h>

#include "tests/unit/test_sym_folder.h"
#include "user/sym/sym_lines.h"

/* The loop is line 5; line 12 calls it, line 17 calls that, both inlined. */
static const char program[] =
	"static inline __attribute__((always_inline)) unsigned innermost(unsigned x)\n" /* 1 */
	"{\n"
	"	x++;\n"
	"	while (x % 7u)\n"
	"		x = x * 1103515245u + 12345u;\n" /* 5 */
	"	return x;\n"
	"}\n"
	"static inline __attribute__((always_inline)) unsigned middle(unsigned x)\n"
	"{\n"
	"	if (x & 1)\n" /* 10 */
	"		x++;\n"
	"	return innermost(x);\n"
	"}\n"
	"__attribute__((noinline)) unsigned outermost(unsigned x)\n"
	"{\n" /* 15 */
	"	x |= 8;\n"
	"	return middle(x) * 3;\n"
	"}\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	(void)argv;\n"
	"	return (int)outermost(argc);\n"
	"}\n";

struct file {
	struct elf_image *image;
	int fd;
	struct sym_lines lines;
	struct debug_search search;
	struct lines_worker *worker;
};

static inline void file_release(struct file *f)
{
	sym_lines_release(&f->lines);
	lines_worker_free(f->worker);
	elf_image_free(f->image);
	closep(&f->fd);
}

static inline void open_file(const char *name, struct file *ret)
{
	*ret = (struct file){ .search = { .directory = folder, .path = in_folder(name) } };
	ret->fd = open(in_folder(name), O_RDONLY | O_CLOEXEC);
	assert_true(ret->fd >= 0);
	assert_int_equal(elf_image_open(ret->fd, in_folder(name), &ret->image), 0);
	sym_lines_init(&ret->lines);
	assert_int_equal(lines_worker_new(0, &ret->worker), 0);
	sym_lines_locate(&ret->lines, ret->image, ret->fd, NULL, &ret->search);
}

static inline int look_up(struct file *f, uint64_t address, struct code_line *ret)
{
	return sym_lines_find(&f->lines, address, &f->search, f->worker, ret);
}

/* Start and end of a function, as nm(1) says. */
static inline void range_of(const char *file, const char *function, uint64_t *ret_start,
			    uint64_t *ret_end)
{
	char command[512], have[256];
	uint64_t start, size;
	FILE *nm;

	snprintf(command, sizeof(command), "nm -S %s", in_folder(file));
	nm = popen(command, "re");
	assert_non_null(nm);
	*ret_start = *ret_end = 0;
	while (fgets(command, sizeof(command), nm)) {
		if (sscanf(command, "%" SCNx64 " %" SCNx64 " %*c %255s", &start, &size, have) ==
			    3 &&
		    !strcmp(have, function)) {
			*ret_start = start;
			*ret_end = start + size;
		}
	}
	pclose(nm);
	assert_int_not_equal(*ret_start, 0);
}

static inline int make_program(void **state)
{
	if (make_folder(state))
		return -1;
	write_text("program.c", program);
	return run("gcc -O2 -g -Wl,--build-id program.c -o program");
}
