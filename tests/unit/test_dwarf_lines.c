/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "tests/unit/lines_file.h"
#include "user/base/array.h"

static bool ends_with(const char *text, const char *end)
{
	size_t len = text ? strlen(text) : 0, n = strlen(end);

	return len >= n && !strcmp(text + len - n, end);
}

/* Is the loop of the program at some address of 'outermost', with all its callers? */
static void finds_the_loop(const char *file)
{
	_cleanup_(file_release) struct file f;
	struct code_line lines[CODE_LINES_MAX];
	uint64_t start, end, at, in_loop = 0;

	open_file(file, &f);
	range_of(file, "outermost", &start, &end);
	for (at = start; at < end; at++) {
		int n = look_up(&f, at, lines);

		assert_true(n >= 1);
		assert_string_equal(lines[n - 1].function, "outermost");
		assert_true(ends_with(lines[n - 1].file, "/program.c"));
		if (n != 3 || lines[0].line != 5)
			continue;
		in_loop++;
		assert_string_equal(lines[0].function, "innermost");
		assert_true(ends_with(lines[0].file, "/program.c"));
		assert_string_equal(lines[1].function, "middle");
		assert_int_equal(lines[1].line, 12);
		assert_int_equal(lines[2].line, 17);
	}
	assert_true(in_loop > 0);
	range_of(file, "main", &start, &end);
	assert_int_equal(look_up(&f, start, lines), 1);
	assert_string_equal(lines[0].function, "main");
	assert_true(lines[0].line >= 19 && lines[0].line <= 22);
}

static void inlined_functions_have_their_callers_and_lines(void **state)
{
	(void)state;
	finds_the_loop("program");
}

static void all_versions_of_dwarf_and_both_compilers_are_understood(void **state)
{
	static const char *const compilers[] = { "gcc", "clang" };
	unsigned int version;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(compilers); i++) {
		for (version = 2; version <= 5; version++) {
			assert_int_equal(run("%s -O2 -g -gdwarf-%u program.c -o versioned",
					     compilers[i], version),
					 0);
			finds_the_loop("versioned");
		}
	}
	assert_int_equal(run("gcc -O2 -g -gdwarf64 program.c -o versioned"), 0);
	finds_the_loop("versioned");
}

static void compressed_sections_are_read(void **state)
{
	(void)state;
	assert_int_equal(run("objcopy --compress-debug-sections=zlib program packed"), 0);
	finds_the_loop("packed");
	assert_int_equal(run("objcopy --compress-debug-sections=zlib-gnu program packed"), 0);
	finds_the_loop("packed");
}

static void position_dependent_programs_are_understood(void **state)
{
	(void)state;
	assert_int_equal(run("gcc -O2 -g -no-pie program.c -o fixed"), 0);
	finds_the_loop("fixed");
}

static void lines_come_from_the_separate_debug_file(void **state)
{
	_cleanup_(file_release) struct file f;
	struct code_line lines[CODE_LINES_MAX];
	uint64_t start, end;

	(void)state;
	assert_int_equal(run("objcopy --only-keep-debug program split.debug && "
			     "objcopy --strip-debug --add-gnu-debuglink=split.debug program split"),
			 0);
	finds_the_loop("split");
	/* One that is not its own: that of another build. */
	assert_int_equal(run("gcc -O1 -g -Wl,--build-id program.c -o other && "
			     "objcopy --only-keep-debug other split.debug"),
			 0);
	open_file("split", &f);
	range_of("split", "main", &start, &end);
	assert_int_equal(look_up(&f, start, lines), 0);
}

static void a_file_without_debug_information_has_no_lines(void **state)
{
	_cleanup_(file_release) struct file f;
	struct code_line lines[CODE_LINES_MAX];

	(void)state;
	assert_int_equal(run("gcc -O2 program.c -o plain"), 0);
	open_file("plain", &f);
	assert_int_equal(look_up(&f, 0x1040, lines), 0);
	assert_false(f.lines.failed);
}

static void an_address_outside_of_all_code_has_no_lines(void **state)
{
	_cleanup_(file_release) struct file f;
	struct code_line lines[CODE_LINES_MAX];

	(void)state;
	open_file("program", &f);
	assert_int_equal(look_up(&f, 0, lines), 0);
	assert_int_equal(look_up(&f, 1, lines), 0);
	assert_int_equal(look_up(&f, UINT64_MAX, lines), 0);
}

static void what_is_over_the_budget_is_said_to_be(void **state)
{
	_cleanup_(file_release) struct file f, spent;
	struct code_line lines[CODE_LINES_MAX];
	uint64_t start, end;

	(void)state;
	range_of("program", "main", &start, &end);
	open_file("program", &f);
	f.worker->budget.file_bytes = 100;
	assert_int_equal(look_up(&f, start, lines), -EDQUOT);
	assert_false(f.lines.failed);
	open_file("program", &spent);
	assert_true(look_up(&spent, start, lines) > 0);
	spent.worker->budget.cpu_ns = 0;
	/* What has been read costs nothing. */
	assert_true(look_up(&spent, start, lines) > 0);
	range_of("program", "outermost", &start, &end);
	assert_int_equal(look_up(&spent, start, lines), -EDQUOT);
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

static struct lines_worker *patient_worker(void)
{
	struct lines_worker *worker;

	assert_int_equal(lines_worker_new(UINT64_MAX, &worker), 0);
	worker->budget.request_ns = 500000000;
	return worker;
}

/* How many lookups in the function found something. */
static size_t look_everywhere(const char *name, struct lines_worker **worker, uint64_t start,
			      uint64_t end)
{
	_cleanup_(file_release) struct file f;
	struct code_line lines[CODE_LINES_MAX];
	size_t found = 0;
	uint64_t at;

	open_file(name, &f);
	lines_worker_free(f.worker);
	f.worker = *worker;
	for (at = start; at < end; at += 7)
		sym_lines_want(&f.lines, at);
	for (at = start; at < end; at += 7)
		found += look_up(&f, at, lines) > 0;
	f.worker = NULL;
	if ((*worker)->deaths) {
		lines_worker_free(*worker);
		*worker = patient_worker();
	}
	return found;
}

/*
 * Each byte of each section in turn is another one. Nothing that is wrong may be more than wrong:
 * whatever libdw makes of it, there is an answer.
 */
static void broken_bytes_cost_lines_and_no_more(void **state)
{
	static const char *const sections[] = { ".debug_info", ".debug_abbrev", ".debug_line",
						".debug_line_str", ".debug_rnglists" };
	static const uint8_t values[] = { 0x00, 0xff, 0x7f, 0x01, 0x80 };
	_cleanup_(lines_worker_freep) struct lines_worker *worker = patient_worker();
	uint8_t bytes[4096];
	uint64_t start, end;
	size_t i, k, size, found = 0;
	long offset;

	(void)state;
	range_of("program", "outermost", &start, &end);
	assert_int_equal(run("cp program broken"), 0);
	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		size = section_of("program", sections[i], &offset, bytes, sizeof(bytes));
		for (k = 0; k < size; k++) {
			patch("broken", offset + (long)k, &values[k % ARRAY_SIZE(values)], 1);
			found += look_everywhere("broken", &worker, start, end);
			patch("broken", offset + (long)k, &bytes[k], 1);
		}
	}
	assert_true(found > 100); /* most of it was still understood */
	finds_the_loop("broken"); /* all was put right again */
}

/* Hand-made: entries that say that their sibling is one before them (DW_FORM_ref4 is 0x13). */
static const char circle[] = "	.text\n"
			     "f:	.skip 16\n"
			     "	.section .debug_abbrev,\"\",@progbits\n"
			     "	.byte 1, 0x11, 1, 0x11, 0x01, 0x12, 0x06, 0, 0\n"
			     "	.byte 2, 0x13, 1, 0x01, 0x13, 0, 0\n"
			     "	.byte 3, 0x2e, 0, 0x11, 0x01, 0x12, 0x06, 0x03, 0x08, 0, 0\n"
			     "	.byte 0\n"
			     "	.section .debug_info,\"\",@progbits\n"
			     "s:	.long e - v\n"
			     "v:	.short 4\n"
			     "	.long 0\n"
			     "	.byte 8\n"
			     "	.byte 1\n	.quad f\n	.long 16\n"
			     "b:	.byte 2\n	.long b - s\n"
			     "	.byte 2\n	.long b - s\n"
			     "	.byte 0\n	.byte 0\n"
			     "	.byte 3\n	.quad f\n	.long 16\n	.asciz \"f\"\n"
			     "	.byte 0\n"
			     "e:\n";

static void a_sibling_that_points_backwards_is_not_followed(void **state)
{
	_cleanup_(file_release) struct file f;
	struct code_line lines[CODE_LINES_MAX];
	uint64_t address = 0;
	size_t i;

	(void)state;
	write_text("circle.s", circle);
	assert_int_equal(run("as --64 circle.s -o circle.o && ld -e 0 circle.o -o circle"), 0);
	open_file("circle", &f);
	for (i = 0; i < f.image->n_shdrs; i++) {
		if (!strcmp(elf_image_section_name(f.image, &f.image->shdrs[i]), ".text"))
			address = f.image->shdrs[i].sh_addr;
	}
	/* The walk ends there; what comes after it is not known. */
	assert_int_equal(look_up(&f, address + 4, lines), 0);
	assert_int_equal(f.worker->deaths, 0);
}

/* What dwz makes: names that stand in a file that several share. */
static void the_supplementary_file_has_names(void **state)
{
	_cleanup_(file_release) struct file f = {
		.fd = -1, .lines = { .source = { .fd = -1, .alt_fd = -1 } }
	};
	struct code_line lines[CODE_LINES_MAX];
	uint64_t start, end;

	(void)state;
	if (run("dwz --version >dwz.out 2>&1"))
		skip();
	assert_int_equal(run("cp program one && cp program two && dwz -m shared one two && "
			     "readelf -S one | grep -q gnu_debugaltlink"),
			 0);
	finds_the_loop("one");
	/* Another file in its place is none. */
	assert_int_equal(run("cp program shared"), 0);
	open_file("one", &f);
	range_of("one", "main", &start, &end);
	assert_int_equal(look_up(&f, start, lines), 0);
}

/* As Debian's packages of debug files have it: separate, and a link to a common file by a path. */
static void a_separate_debug_file_may_need_a_supplementary_one(void **state)
{
	_cleanup_(file_release) struct file f = {
		.fd = -1, .lines = { .source = { .fd = -1, .alt_fd = -1 } }
	};
	struct code_line lines[CODE_LINES_MAX];
	uint64_t start, end;

	(void)state;
	if (run("dwz --version >dwz.out 2>&1"))
		skip();
	assert_int_equal(
		run("for i in 3 4; do cp program $i && objcopy --only-keep-debug $i $i.debug || "
		    "exit 1; done; mkdir .dwz && "
		    "dwz -m .dwz/common -M \"$PWD/.dwz/common\" 3.debug 4.debug && "
		    "objcopy --strip-debug --add-gnu-debuglink=3.debug 3"),
		0);
	finds_the_loop("3");
	assert_int_equal(run("rm .dwz/common"), 0);
	open_file("3", &f);
	range_of("3", "main", &start, &end);
	assert_int_equal(look_up(&f, start, lines), 0);
}

static void deep_inlining_keeps_the_innermost_and_the_function(void **state)
{
	_cleanup_(file_release) struct file f;
	struct code_line lines[CODE_LINES_MAX];
	uint64_t start, end, at;
	int deepest = 0, i;
	FILE *out;

	(void)state;
	out = fopen(in_folder("deep.c"), "we");
	assert_non_null(out);
	fputs("static inline __attribute__((always_inline)) unsigned f0(unsigned x)\n"
	      "{ for (unsigned i = 0; i < x; i++) x = x * 3 + i; return x; }\n",
	      out);
	for (i = 1; i < 40; i++)
		fprintf(out,
			"static inline __attribute__((always_inline)) unsigned f%d(unsigned x)\n"
			"{ return f%d(x); }\n",
			i, i - 1);
	fputs("__attribute__((noinline)) unsigned whole(unsigned x) { return f39(x); }\n"
	      "int main(int c, char **v) { (void)v; return (int)whole(c); }\n",
	      out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(run("gcc -O2 -g deep.c -o deep"), 0);
	open_file("deep", &f);
	range_of("deep", "whole", &start, &end);
	for (at = start; at < end; at++) {
		int n = look_up(&f, at, lines);

		assert_string_equal(lines[n - 1].function, "whole");
		if (n > 1)
			assert_string_equal(lines[0].function, "f0");
		if (n > deepest)
			deepest = n;
	}
	assert_int_equal(deepest, CODE_LINES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inlined_functions_have_their_callers_and_lines),
		cmocka_unit_test(all_versions_of_dwarf_and_both_compilers_are_understood),
		cmocka_unit_test(compressed_sections_are_read),
		cmocka_unit_test(position_dependent_programs_are_understood),
		cmocka_unit_test(lines_come_from_the_separate_debug_file),
		cmocka_unit_test(a_file_without_debug_information_has_no_lines),
		cmocka_unit_test(an_address_outside_of_all_code_has_no_lines),
		cmocka_unit_test(what_is_over_the_budget_is_said_to_be),
		cmocka_unit_test(broken_bytes_cost_lines_and_no_more),
		cmocka_unit_test(a_sibling_that_points_backwards_is_not_followed),
		cmocka_unit_test(the_supplementary_file_has_names),
		cmocka_unit_test(a_separate_debug_file_may_need_a_supplementary_one),
		cmocka_unit_test(deep_inlining_keeps_the_innermost_and_the_function),
	};

	return cmocka_run_group_tests(tests, make_program, remove_folder);
}
