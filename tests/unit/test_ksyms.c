/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/sym/ksyms.h"

#define GOOD "tests/data/kallsyms.good"

static int load_text(const char *text, size_t len, struct ksyms **ret)
{
	_cleanup_(closep) int fd = memfd_create("kallsyms", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return ksyms_load_fd(fd, "kallsyms", ret);
}

static void expect(const struct ksyms *syms, uint64_t address, const char *name, const char *module,
		   uint64_t offset)
{
	struct ksym k;

	assert_true(ksyms_find(syms, address, &k));
	assert_string_equal(k.name, name);
	assert_string_equal(k.module, module);
	assert_int_equal(k.offset, offset);
}

static void expect_none(const struct ksyms *syms, uint64_t address)
{
	struct ksym k;

	assert_false(ksyms_find(syms, address, &k));
}

static void hidden_addresses_are_refused(void **state)
{
	struct ksyms *syms = NULL;

	(void)state;
	assert_int_equal(ksyms_load("tests/data/kallsyms.hidden", &syms), -EACCES);
	assert_null(syms); /* ret untouched on failure */
	assert_non_null(strstr(err_text(), "kptr_restrict"));
}

static void functions_are_found_in_the_kernel_modules_and_bpf(void **state)
{
	_cleanup_(ksyms_freep) struct ksyms *syms = NULL;

	(void)state;
	assert_int_equal(ksyms_load(GOOD, &syms), 0);
	expect(syms, 0xffffffff81000100, "do_one_initcall", "[kernel]", 0);
	expect(syms, 0xffffffff8100017f, "do_one_initcall", "[kernel]", 0x7f);
	expect(syms, 0xffffffffc0b00010, "nft_do_chain", "[nf_tables]", 0x10);
	expect(syms, 0xffffffffc0a00004, "ext4_first", "[ext4]", 4); /* although out of order */
	expect(syms, 0xffffffffc0a00084, "ext4_second", "[ext4]", 4);
	expect(syms, 0xffffffffc0c00000, "bpf_prog_6deef7357e7b4530_on_switch", "[bpf]", 0);
	expect(syms, 0xffffffffc0c00090, "bpf_prog_0123456789abcdef", "[bpf]", 0x10);
}

static void the_best_of_several_names_is_chosen(void **state)
{
	_cleanup_(ksyms_freep) struct ksyms *syms = NULL;

	(void)state;
	assert_int_equal(ksyms_load(GOOD, &syms), 0);
	expect(syms, 0xffffffff81000000, "startup_64", "[kernel]", 0);
	expect(syms, 0xffffffff81000180, "weak_one", "[kernel]", 0);
	expect(syms, 0xffffffff81000200, "do_read", "[kernel]", 0);
}

static void what_is_between_functions_has_no_name(void **state)
{
	_cleanup_(ksyms_freep) struct ksyms *syms = NULL;

	(void)state;
	assert_int_equal(ksyms_load(GOOD, &syms), 0);
	expect_none(syms, 0);
	expect_none(syms, 0x1000);
	expect_none(syms, 0xffffffff80ffffff);
	expect(syms, 0xffffffff810003ff, "last_function", "[kernel]", 0xff);
	expect_none(syms, 0xffffffff81000400); /* data */
	expect_none(syms, 0xffffffffc0a01000);
	expect_none(syms, 0xffffffffc0b80000); /* far behind the last of a module */
	expect_none(syms, UINT64_MAX);
}

static void one_function_has_one_number(void **state)
{
	_cleanup_(ksyms_freep) struct ksyms *syms = NULL;
	struct ksym a, b, c;

	(void)state;
	assert_int_equal(ksyms_load(GOOD, &syms), 0);
	assert_true(ksyms_find(syms, 0xffffffff81000100, &a));
	assert_true(ksyms_find(syms, 0xffffffff81000150, &b));
	assert_true(ksyms_find(syms, 0xffffffff81000200, &c));
	assert_int_equal(a.id, b.id);
	assert_int_not_equal(a.id, c.id);
}

static void a_list_may_end_anywhere(void **state)
{
	char text[4096];
	size_t len, i;
	FILE *f = fopen(GOOD, "re");
	struct ksym k;

	(void)state;
	assert_non_null(f);
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	for (i = 0; i < len; i++) {
		_cleanup_(ksyms_freep) struct ksyms *syms = NULL;
		int err = load_text(text, i, &syms);

		assert_true(err == 0 || err == -ENODATA || err == -EACCES);
		/* A name that was cut must not be shown as one. */
		if (!err && ksyms_find(syms, 0xffffffffc0c00080, &k) && k.offset == 0)
			assert_string_equal(k.name, "bpf_prog_0123456789abcdef");
	}
}

static void broken_lines_are_left_out(void **state)
{
	static const char text[] = "\n"
				   "garbage\n"
				   "ffffffff81000000\n"
				   "ffffffff81000000 t\n"
				   "ffffffff81000000 t \n"
				   "ffffffff81000000 tt name\n"
				   "ffffffff810000000000 t too_long_a_number\n"
				   "ffffffff81000000 t bad\x01name\n"
				   "ffffffff81000000 t nul\0name\n"
				   "ffffffff81000010 t good\n"
				   "ffffffff81000020 t in_no_module\t[open\n";
	_cleanup_(ksyms_freep) struct ksyms *syms = NULL;

	(void)state;
	assert_int_equal(load_text(text, sizeof(text) - 1, &syms), 0);
	assert_int_equal(ksyms_count(syms), 2);
	expect(syms, 0xffffffff81000010, "good", "[kernel]", 0);
	expect(syms, 0xffffffff81000020, "in_no_module", "[kernel]", 0);
}

static void a_name_beyond_all_bounds_is_left_out(void **state)
{
	_cleanup_(ksyms_freep) struct ksyms *syms = NULL;
	static char text[40000];
	size_t len;

	(void)state;
	len = snprintf(text, sizeof(text), "ffffffff81000000 t ");
	memset(text + len, 'a', 30000);
	strcpy(text + len + 30000, "\nffffffff81000010 t good\n");
	assert_int_equal(load_text(text, strlen(text), &syms), 0);
	assert_int_equal(ksyms_count(syms), 1);
}

static void nothing_in_it_is_said(void **state)
{
	struct ksyms *syms = NULL;

	(void)state;
	assert_int_equal(load_text("", 0, &syms), -ENODATA);
	assert_int_equal(load_text("text\n", 5, &syms), -ENODATA);
	assert_int_equal(load_text("ffffffff81000000 D data\n", 24, &syms), -ENODATA);
	assert_int_equal(ksyms_load("tests/data/there-is-none", &syms), -ENOENT);
	assert_null(syms);
}

static void this_kernel_s_own_list_is_read(void **state)
{
	_cleanup_(ksyms_freep) struct ksyms *syms = NULL;
	int err = ksyms_load("/proc/kallsyms", &syms);

	(void)state;
	if (err == -EACCES || err == -ENOENT)
		skip();
	assert_int_equal(err, 0);
	assert_true(ksyms_count(syms) > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hidden_addresses_are_refused),
		cmocka_unit_test(functions_are_found_in_the_kernel_modules_and_bpf),
		cmocka_unit_test(the_best_of_several_names_is_chosen),
		cmocka_unit_test(what_is_between_functions_has_no_name),
		cmocka_unit_test(one_function_has_one_number),
		cmocka_unit_test(a_list_may_end_anywhere),
		cmocka_unit_test(broken_lines_are_left_out),
		cmocka_unit_test(a_name_beyond_all_bounds_is_left_out),
		cmocka_unit_test(nothing_in_it_is_said),
		cmocka_unit_test(this_kernel_s_own_list_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
