/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/frames.h"

#include <dlfcn.h>
#include <sys/auxv.h>

#include "user/base/file.h"
#include "user/unwind/special_code.h"

#define PAGE (1u << FT_PAGE_SHIFT)

static void the_table_covers_the_code_in_whole_pages(void **state)
{
	struct unwind_table *t = NULL;
	struct frames f;

	(void)state;
	frames_init(&f, true);
	frames_function(&f, frames_x86_cie(&f), 0x100, 0x20, 16);
	t = frames_table(&f);
	assert_int_equal(t->start, TEXT);
	assert_int_equal(t->end, TEXT + 16 * PAGE);
	assert_int_equal(t->n_pages, 16);
	assert_int_equal(t->n_fdes, 1);
	assert_true(frames_nothing_at(t, 0xff));
	assert_int_equal(frames_cfa_at(t, 0x100), 16);
	assert_int_equal(frames_cfa_at(t, 0x11f), 16);
	assert_true(frames_nothing_at(t, 0x120));
	assert_int_equal(unwind_table_find(t, TEXT - 1), FT_RULE_NO_CFI);
	assert_int_equal(unwind_table_find(t, TEXT + 16 * PAGE), FT_RULE_NO_CFI);
	assert_int_equal(unwind_table_find(t, 0), FT_RULE_NO_CFI);
	assert_int_equal(unwind_table_find(t, UINT64_MAX), FT_RULE_NO_CFI);
	unwind_table_free(t);
}

static void a_page_points_to_the_row_that_holds_at_its_start(void **state)
{
	struct unwind_table *t = NULL;
	struct frames f;
	size_t cie;

	(void)state;
	frames_init(&f, true);
	cie = frames_x86_cie(&f);
	frames_function(&f, cie, 0x10, 3 * PAGE, 16); /* into page 3 */
	frames_function(&f, cie, 4 * PAGE, 0x40, 24); /* at the start of page 4 */
	frames_function(&f, cie, 4 * PAGE + 0x40, 0x40, 32);
	t = frames_table(&f);
	assert_int_equal(t->n_rows, 6);
	assert_int_equal(t->pages[0].row, 0);
	assert_int_equal(t->pages[0].n, 1);
	assert_int_equal(t->pages[1].row, 1);
	assert_int_equal(t->pages[1].n, 0);
	assert_int_equal(t->pages[2].row, 1);
	assert_int_equal(t->pages[3].row, 1);
	assert_int_equal(t->pages[3].n, 1);
	assert_int_equal(t->pages[4].row, 3);
	assert_int_equal(t->pages[4].n, 2);
	assert_int_equal(t->pages[5].row, 5);
	assert_int_equal(t->pages[15].row, 5);
	assert_int_equal(t->pages[15].n, 0);
	assert_int_equal(FT_ROW_LOW(t->rows[1]), (TEXT + 0x10) & 0xffff);
	assert_int_equal(FT_ROW_RULE(t->rows[5]), FT_RULE_NO_CFI);
	assert_int_equal(frames_cfa_at(t, 3 * PAGE + 0xf), 16);
	assert_true(frames_nothing_at(t, 3 * PAGE + 0x10));
	unwind_table_free(t);
}

static void padding_belongs_to_the_function_before_it(void **state)
{
	struct unwind_table *t = NULL;
	struct frames f;
	size_t cie;

	(void)state;
	frames_init(&f, true);
	cie = frames_x86_cie(&f);
	frames_function(&f, cie, 0x100, 0x11, 16);
	frames_function(&f, cie, 0x120, 0x10, 24); /* 15 bytes behind */
	frames_function(&f, cie, 0x140, 0x10, 24); /* 16 */
	t = frames_table(&f);
	assert_int_equal(frames_cfa_at(t, 0x11f), 16);
	assert_true(frames_nothing_at(t, 0x130));
	assert_true(frames_nothing_at(t, 0x13f));
	assert_int_equal(frames_cfa_at(t, 0x140), 24);
	unwind_table_free(t);
}

static void rows_that_say_the_same_are_one(void **state)
{
	struct unwind_table *t = NULL;
	struct frames f;
	size_t cie, i;

	(void)state;
	frames_init(&f, true);
	cie = frames_x86_cie(&f);
	for (i = 0; i < 64; i++)
		frames_function(&f, cie, i * 0x20, 0x1c, 16);
	t = frames_table(&f);
	assert_int_equal(t->n_fdes, 64);
	assert_int_equal(t->n_rows, 2);
	unwind_table_free(t);
}

static void functions_may_come_in_any_order(void **state)
{
	struct unwind_table *t = NULL;
	struct frames f;
	size_t cie, i;

	(void)state;
	frames_init(&f, true);
	cie = frames_x86_cie(&f);
	for (i = 0; i < 1000; i++)
		frames_function(&f, cie, i * 379 % 1000 * 0x40, 0x40, 16 + i * 379 % 1000 % 100);
	t = frames_table(&f);
	for (i = 0; i < 1000; i++)
		assert_int_equal(frames_cfa_at(t, i * 0x40), 16 + i % 100);
	assert_int_equal(t->n_overlaps, 0);
	unwind_table_free(t);
}

static void of_two_functions_the_one_that_begins_last_holds(void **state)
{
	struct unwind_table *t = NULL;
	struct frames f;
	size_t cie;

	(void)state;
	frames_init(&f, true);
	cie = frames_x86_cie(&f);
	frames_function(&f, cie, 0x140, 0x20, 24); /* inside the next one */
	frames_fde(&f, cie, TEXT + 0x100, 0x100,
		   BYTES(DW_CFA_def_cfa_offset, 16, DW_CFA_advance_loc1, 0x48,
			 DW_CFA_def_cfa_offset, 40)); /* the second row is in what is cut off */
	frames_function(&f, cie, 0x100, 0x200,
			32); /* begins where another one does, that was first */
	t = frames_table(&f);
	assert_int_equal(t->n_fdes, 2);
	assert_int_equal(t->n_overlaps, 2);
	assert_int_equal(frames_cfa_at(t, 0x13f), 16);
	assert_int_equal(frames_cfa_at(t, 0x140), 24);
	assert_int_equal(frames_cfa_at(t, 0x15f), 24);
	assert_true(frames_nothing_at(t, 0x160));
	unwind_table_free(t);
}

static void functions_outside_of_the_code_are_left_out(void **state)
{
	struct unwind_table *t = NULL;
	struct frames f;
	size_t cie;

	(void)state;
	frames_init(&f, true);
	cie = frames_x86_cie(&f);
	frames_function(&f, cie, -0x10, 0x100, 16);
	frames_function(&f, cie, 16 * PAGE, 0x100, 16);
	frames_function(&f, cie, 0x80, 0, 16);
	frames_function(&f, cie, 15 * PAGE, 0x7fffffff, 24); /* cut at the end */
	t = frames_table(&f);
	assert_int_equal(t->n_fdes, 1);
	assert_int_equal(t->n_outside, 2);
	assert_int_equal(t->n_broken, 0);
	assert_true(frames_nothing_at(t, 0x80));
	assert_int_equal(frames_cfa_at(t, 16 * PAGE - 1), 24);
	unwind_table_free(t);
}

static void an_entry_point_without_information_is_a_root(void **state)
{
	struct frames_file file = { .entry = TEXT + 0x200 };
	struct unwind_table *t = NULL;
	struct frames f;
	size_t cie;

	(void)state;
	frames_init(&f, true);
	cie = frames_x86_cie(&f);
	frames_function(&f, cie, 0x100, 0x20, 16);
	frames_function(&f, cie, 0x230, 0x20, 16);
	assert_int_equal(frames_build(&file, &f, &t), 0);
	assert_true(frames_nothing_at(t, 0x1ff));
	assert_int_equal(unwind_table_find(t, TEXT + 0x200), FT_RULE_ROOT);
	assert_int_equal(unwind_table_find(t, TEXT + 0x22f), FT_RULE_ROOT);
	assert_int_equal(frames_cfa_at(t, 0x230), 16);
	assert_int_equal(t->n_special, 1);
	unwind_table_free(t);

	t = NULL;
	file.entry = TEXT + 0x300;
	frames_init(&f, true);
	frames_function(&f, frames_x86_cie(&f), 0x100, 0x20, 16);
	assert_int_equal(frames_build(&file, &f, &t), 0);
	assert_int_equal(unwind_table_find(t, TEXT + 0x37f), FT_RULE_ROOT);
	assert_true(frames_nothing_at(t, 0x380));
	unwind_table_free(t);
}

static void an_entry_point_with_information_stays_as_it_is(void **state)
{
	struct frames_file file = { .entry = TEXT + 0x100 };
	struct unwind_table *t = NULL;
	struct frames f;

	(void)state;
	frames_init(&f, true);
	frames_function(&f, frames_x86_cie(&f), 0x100, 0x200, 16);
	assert_int_equal(frames_build(&file, &f, &t), 0);
	assert_int_equal(frames_cfa_at(t, 0x100), 16);
	assert_int_equal(t->n_special, 0);
	unwind_table_free(t);
}

static const uint8_t x86_restore_rt[] = { 0x90, 0x90, 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };
static const uint8_t arm64_restore_rt[] = { 0x1f, 0x20, 0x03, 0xd5, 0x68, 0x11,
					    0x80, 0xd2, 0x01, 0,    0,	  0xd4 };

static struct unwind_table *table_of_code(uint16_t machine, const uint8_t *code, size_t len)
{
	struct frames_file file = { .machine = machine, .code = code, .code_len = len };
	struct unwind_table *t = NULL;
	struct frames f;

	frames_init(&f, true);
	frames_function(&f, frames_x86_cie(&f), 0x100, 0x20, 16);
	assert_int_equal(frames_build(&file, &f, &t), 0);
	return t;
}

static void a_signal_trampoline_is_known_by_its_instructions(void **state)
{
	struct unwind_table *t = table_of_code(EM_X86_64, x86_restore_rt, sizeof(x86_restore_rt));
	const struct ft_unwind_rule *r = frames_at(t, 2);

	(void)state;
	assert_true(frames_nothing_at(t, 0));
	assert_ptr_equal(frames_at(t, 1), r); /* callers are looked up one byte before */
	assert_ptr_equal(frames_at(t, 10), r);
	assert_true(frames_nothing_at(t, 11));
	assert_int_equal(r->cfa, FT_CFA_DEREF | FT_CFA_SIGNAL);
	assert_int_equal(r->cfa_offset, 160);
	assert_int_equal(r->ra_offset, 168);
	assert_int_equal(r->fp_offset, 120);
	assert_int_equal(r->bx_offset, 128);
	unwind_table_free(t);

	t = table_of_code(EM_AARCH64, arm64_restore_rt, sizeof(arm64_restore_rt));
	r = frames_at(t, 4);
	assert_ptr_equal(frames_at(t, 0), r);
	assert_ptr_equal(frames_at(t, 11), r);
	assert_true(frames_nothing_at(t, 12));
	assert_int_equal(r->cfa, FT_CFA_DEREF | FT_CFA_SIGNAL);
	assert_int_equal(r->cfa_reg, FT_ARM64_SP);
	assert_int_equal(r->cfa_offset, 560);
	assert_int_equal(r->ra_offset, 568);
	assert_int_equal(r->fp_offset, 544);
	unwind_table_free(t);
}

static void segments_that_share_much_code_are_not_all_searched(void **state)
{
	const size_t len = 3 << 20;
	uint8_t *code = calloc(1, len);
	struct frames_file file = { .code = code, .code_len = len };
	struct special_code special;
	struct frames f;

	(void)state;
	assert_non_null(code);
	memcpy(code, x86_restore_rt, sizeof(x86_restore_rt));
	frames_init(&f, true);
	frames_open(&file, &f);
	file.image->phdrs[2] = file.image->phdrs[0];
	file.image->phdrs[2].p_vaddr += 1 << 30;
	special_code_find(&special, file.image);
	assert_int_equal(special.n, 1);
	assert_int_equal(special.at[0].code, TEXT + 2);
	frames_close(&file);
	free(f.bytes);
	free(code);
}

static void a_trampoline_with_information_stays_as_it_is(void **state)
{
	struct frames_file file = { .code = x86_restore_rt, .code_len = sizeof(x86_restore_rt) };
	struct unwind_table *t = NULL;
	struct frames f;

	(void)state;
	frames_init(&f, true);
	frames_function(&f, frames_x86_cie(&f), 0, 0x20, 16);
	assert_int_equal(frames_build(&file, &f, &t), 0);
	assert_int_equal(frames_cfa_at(t, 2), 16);
	assert_int_equal(t->n_special, 0);
	unwind_table_free(t);
}

/* The table of a file of this machine that this process has mapped. */
static struct unwind_table *table_of_mapped(const void *address, struct elf_image **image)
{
	struct unwind_rules *rules = NULL;
	struct unwind_table *t = NULL;
	Dl_info info;
	int fd;

	if (!dladdr(address, &info))
		return NULL;
	fd = file_open(info.dli_fname, FILE_TRUSTED);
	assert_true(fd >= 0);
	assert_int_equal(elf_image_open(fd, info.dli_fname, image), 0);
	(*image)->own_fd = fd;
	assert_int_equal(unwind_rules_new(frames_rules, FT_UNWIND_MAX_RULES, &rules), 0);
	assert_int_equal(unwind_table_build(*image, rules, &t), 0);
	unwind_rules_free(rules);
	return t;
}

/* What is written down for code without information is what the C library says of the same code. */
static void the_c_library_s_trampoline_has_the_same_rule(void **state)
{
	struct elf_image *image = NULL;
	struct unwind_table *t;
	const uint8_t *hit = NULL;
	Elf_Data *data;
	struct ft_unwind_rule known;
	size_t i;

	(void)state;
	t = table_of_code(EM_X86_64, x86_restore_rt, sizeof(x86_restore_rt));
	known = *frames_at(t, 2);
	unwind_table_free(t);
	t = table_of_mapped((const void *)&getauxval, &image);
	/* musl says nothing of its own. */
	if (!t || !image || image->machine != EM_X86_64 || !strstr(image->name, "libc.so.6")) {
		unwind_table_free(t);
		elf_image_free(image);
		skip();
		return;
	}
	for (i = 0; i < image->n_phdrs && !hit; i++) {
		if (image->phdrs[i].p_type != PT_LOAD || !(image->phdrs[i].p_flags & PF_X))
			continue;
		assert_int_equal(
			elf_image_bytes_at(image, image->phdrs[i].p_vaddr, SIZE_MAX, &data), 0);
		hit = memmem(data->d_buf, data->d_size, x86_restore_rt + 2,
			     sizeof(x86_restore_rt) - 2);
		if (hit) {
			uint64_t at = image->phdrs[i].p_vaddr + (hit - (uint8_t *)data->d_buf);

			assert_memory_equal(&frames_rules[unwind_table_find(t, at)], &known,
					    sizeof(known));
			assert_memory_equal(&frames_rules[unwind_table_find(t, at - 1)], &known,
					    sizeof(known));
		}
	}
	assert_non_null(hit);
	assert_int_equal(t->n_special, 0);
	unwind_table_free(t);
	elf_image_free(image);
}

static void the_dynamic_loader_s_entry_is_a_root(void **state)
{
	struct elf_image *image = NULL;
	struct unwind_table *t = table_of_mapped((const void *)getauxval(AT_BASE), &image);

	(void)state;
	if (!t || !image) {
		unwind_table_free(t);
		elf_image_free(image);
		skip();
		return;
	}
	assert_true(image->entry);
	/* The call in _start and those in _dl_start_user, which lies behind it. */
	assert_int_equal(unwind_table_find(t, image->entry), FT_RULE_ROOT);
	assert_int_equal(unwind_table_find(t, image->entry + 8), FT_RULE_ROOT);
	if (image->machine == EM_X86_64)
		assert_int_equal(unwind_table_find(t, image->entry + 0x30), FT_RULE_ROOT);
	unwind_table_free(t);
	elf_image_free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_covers_the_code_in_whole_pages),
		cmocka_unit_test(a_page_points_to_the_row_that_holds_at_its_start),
		cmocka_unit_test(padding_belongs_to_the_function_before_it),
		cmocka_unit_test(rows_that_say_the_same_are_one),
		cmocka_unit_test(functions_may_come_in_any_order),
		cmocka_unit_test(of_two_functions_the_one_that_begins_last_holds),
		cmocka_unit_test(functions_outside_of_the_code_are_left_out),
		cmocka_unit_test(an_entry_point_without_information_is_a_root),
		cmocka_unit_test(an_entry_point_with_information_stays_as_it_is),
		cmocka_unit_test(a_signal_trampoline_is_known_by_its_instructions),
		cmocka_unit_test(segments_that_share_much_code_are_not_all_searched),
		cmocka_unit_test(a_trampoline_with_information_stays_as_it_is),
		cmocka_unit_test(the_c_library_s_trampoline_has_the_same_rule),
		cmocka_unit_test(the_dynamic_loader_s_entry_is_a_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
