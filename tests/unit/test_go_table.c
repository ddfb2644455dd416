/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "tests/unit/test_sym_folder.h"
#include "user/base/array.h"
#include "user/sym/elf_symbols.h"
#include "user/sym/go_lines.h"

/*
 * A program with Go's note and table, by the assembler: V is the version of Go (2, 16, 18, 20), and
 * the two functions of 32 bytes are on the lines 10 and 15, and 30.
 */
static const char program[] =
	"	.globl _start\n"
	"_start:\n"
	"one:	.skip 32\n"
	"two:	.skip 32\n"
	"end:\n"
	"	.section .note.go.buildid,\"a\",@note\n"
	"	.long 4, 4, 4\n	.ascii \"Go\\0\\0\"\n	.long 0\n"
	"	.section .gopclntab,\"a\",@progbits\n"
	"	.balign 32\n"
	"t:\n"
	"	.if V == 20\n	.long 0xfffffff1\n	.endif\n"
	"	.if V == 18\n	.long 0xfffffff0\n	.endif\n"
	"	.if V == 16\n	.long 0xfffffffa\n	.endif\n"
	"	.if V == 2\n	.long 0xfffffffb\n	.endif\n"
	"	.byte 0, 0, 1, 8\n"
	"	.quad 2\n"
	"	.if V >= 16\n	.quad 1\n"
	"	.if V >= 18\n	.quad one\n	.endif\n"
	"	.quad names - t, units - t, files - t, values - t, funcs - t\n"
	"	.endif\n"
	"	.macro entry at, function\n"
	"	.if V >= 18\n	.long \\at - one, \\function - funcs\n	.endif\n"
	"	.if V == 16\n	.quad \\at, \\function - funcs\n	.endif\n"
	"	.if V == 2\n	.quad \\at, \\function - t\n	.endif\n"
	"	.endm\n"
	"	.macro last\n"
	"	.if V >= 18\n	.long end - one\n	.else\n	.quad end\n	.endif\n"
	"	.endm\n"
	"	.macro func at, name, lines, parts\n"
	"	.if V >= 18\n	.long \\at - one\n	.else\n	.quad \\at\n	.endif\n"
	"	.if V >= 16\n	.long \\name - names\n	.else\n	.long \\name - t\n	.endif\n"
	"	.long 0, 0, 0, in_file - values, \\lines - values, \\parts, 0\n"
	"	.if V >= 20\n	.long 8\n	.endif\n"
	"	.byte 0, 0, 0, 0\n"
	"	.endm\n"
	"funcs:	entry one, f1\n	entry two, f2\n	last\n"
	"f1:	func one, n1, lines_1, 0\n"
	"f2:	func two, n2, lines_2, 0\n"
	"names:	.byte 0\n"
	"n1:	.asciz \"main.one\"\n"
	"n2:	.asciz \"main.(*T).two[...]\"\n"
	"units:	.long 0\n"
	"files:	.asciz \"/src/main.go\"\n"
	"values:	.byte 0\n"
	/* From -1 on: a difference (its sign in the lowest bit), bytes of code. */
	"in_file:	.byte 2, 32, 0\n"
	"lines_1:	.byte 22, 16, 10, 16, 0\n"
	"lines_2:	.byte 62, 32, 0\n";

struct file {
	struct elf_image *image;
	struct elf_symbols *symbols;
	int fd;
};

static void file_release(struct file *f)
{
	elf_symbols_free(f->symbols);
	elf_image_free(f->image);
	close(f->fd);
}

static void open_file(const char *name, struct file *ret)
{
	*ret = (struct file){ .fd = open(in_folder(name), O_RDONLY | O_CLOEXEC) };
	assert_true(ret->fd >= 0);
	assert_int_equal(elf_image_open(ret->fd, name, &ret->image), 0);
	assert_int_equal(elf_symbols_load(ret->image, NULL, &ret->symbols), 0);
}

static void assemble(int version)
{
	write_text("program.s", program);
	assert_int_equal(run("as --64 --defsym V=%d program.s -o program.o && "
			     "ld -s program.o -o program",
			     version),
			 0);
}

static void has_both_names(const struct file *f)
{
	struct elf_function function;

	assert_true(elf_symbols_find(f->symbols, f->image->entry + 31, &function));
	assert_string_equal(function.name, "main.one");
	assert_int_equal(function.offset, 31);
	assert_true(elf_symbols_find(f->symbols, f->image->entry + 32, &function));
	assert_string_equal(function.name, "main.(*T).two[...]");
	assert_false(elf_symbols_find(f->symbols, f->image->entry + 64, &function));
	assert_false(f->symbols->is_partial);
}

static void line_is(const struct go_lines *lines, uint64_t address, const char *function,
		    uint32_t line)
{
	struct code_line found[CODE_LINES_MAX];

	assert_int_equal(go_lines_find(lines, address, found), 1);
	assert_string_equal(found[0].function, function);
	assert_string_equal(found[0].file, "/src/main.go");
	assert_int_equal(found[0].line, line);
}

static void a_stripped_program_has_the_names_of_its_table(void **state)
{
	static const int versions[] = { 2, 16, 18, 20 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		_cleanup_(file_release) struct file f;

		assemble(versions[i]);
		open_file("program", &f);
		has_both_names(&f);
	}
}

static void its_lines_are_known_from_1_16_on(void **state)
{
	static const int versions[] = { 16, 18, 20 };
	struct code_line found[CODE_LINES_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		_cleanup_(file_release) struct file f;
		_cleanup_(go_lines_freep) struct go_lines *lines = NULL;

		assemble(versions[i]);
		open_file("program", &f);
		assert_int_equal(go_lines_new(f.image, &lines), 0);
		line_is(lines, f.image->entry, "main.one", 10);
		line_is(lines, f.image->entry + 15, "main.one", 10);
		line_is(lines, f.image->entry + 16, "main.one", 15);
		line_is(lines, f.image->entry + 32, "main.(*T).two[...]", 30);
		assert_int_equal(go_lines_find(lines, f.image->entry + 64, found), 0);
		assert_int_equal(go_lines_find(lines, 0, found), 0);
	}
}

static void old_tables_have_names_only(void **state)
{
	_cleanup_(file_release) struct file f;
	struct go_lines *lines;

	(void)state;
	assemble(2);
	open_file("program", &f);
	assert_int_equal(go_lines_new(f.image, &lines), -ENOENT);
}

static size_t section_of(const char *name, const char *section, long *ret_offset, uint8_t *bytes,
			 size_t max)
{
	_cleanup_(file_release) struct file f;
	const Elf64_Shdr *shdr;
	Elf_Data *data;

	open_file(name, &f);
	shdr = elf_image_section(f.image, section);
	assert_non_null(shdr);
	assert_int_equal(elf_image_data(f.image, shdr, max, &data), 0);
	memcpy(bytes, data->d_buf, data->d_size);
	*ret_offset = (long)shdr->sh_offset;
	return data->d_size;
}

static void without_section_headers_the_table_is_found_by_how_it_begins(void **state)
{
	static const uint8_t nothing[8];
	_cleanup_(file_release) struct file f, no_note;

	(void)state;
	assemble(20);
	patch("program", offsetof(Elf64_Ehdr, e_shoff), nothing, 8);
	patch("program", offsetof(Elf64_Ehdr, e_shnum), nothing, 2);
	patch("program", offsetof(Elf64_Ehdr, e_shstrndx), nothing, 2);
	open_file("program", &f);
	has_both_names(&f);
	/* Not every program is searched: without the note it is not Go's. */
	assert_int_equal(run("sed -i 's/Go\\x00\\x00/No\\x00\\x00/' program"), 0);
	open_file("program", &no_note);
	assert_int_equal(no_note.symbols->table.n, 0);
}

/* Each byte of the table in turn is another one; the sanitizers see what comes of it. */
static void broken_tables_cost_names_and_no_more(void **state)
{
	static const uint8_t values[] = { 0xff, 0x00, 0x7f, 0x80 };
	struct code_line found[CODE_LINES_MAX];
	uint8_t table[1024];
	size_t i, k, n = 0, size;
	long offset;

	(void)state;
	assemble(20);
	size = section_of("program", ".gopclntab", &offset, table, sizeof(table));
	for (k = 0; k < size; k++) {
		for (i = 0; i < ARRAY_SIZE(values); i++) {
			_cleanup_(file_release) struct file f;
			_cleanup_(go_lines_freep) struct go_lines *lines = NULL;
			uint64_t at;

			patch("program", offset + (long)k, &values[i], 1);
			open_file("program", &f);
			if (go_lines_new(f.image, &lines))
				continue;
			for (at = 0; at < 64; at += 8)
				n += go_lines_find(lines, f.image->entry + at, found) > 0;
		}
		patch("program", offset + (long)k, &table[k], 1);
	}
	assert_true(n > size); /* most of it was still a table */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stripped_program_has_the_names_of_its_table),
		cmocka_unit_test(its_lines_are_known_from_1_16_on),
		cmocka_unit_test(old_tables_have_names_only),
		cmocka_unit_test(without_section_headers_the_table_is_found_by_how_it_begins),
		cmocka_unit_test(broken_tables_cost_names_and_no_more),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
