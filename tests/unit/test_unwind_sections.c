/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/frames.h"

#include <endian.h>
#include <errno.h>
#include <zlib.h>

#include "user/base/err.h"

/* --- where it comes from ------------------------------------------------------------------ */

static void debug_frame_is_read_where_there_is_no_other(void **state)
{
	struct unwind_table *t = NULL;
	struct frames f;
	size_t at;

	(void)state;
	frames_init(&f, false);
	/* Its CIE may come behind. */
	frames_fde(&f, 40, TEXT, 0x40, BYTES(DW_CFA_def_cfa_offset, 24));
	at = frames_x86_cie(&f);
	memcpy(f.bytes + 4, &at, 4);
	frames_function(&f, at, -TEXT, 0x40, 32); /* at address 0: what the linker dropped */
	t = frames_table(&f);
	assert_int_equal(t->n_fdes, 1);
	assert_int_equal(t->n_outside, 0);
	assert_int_equal(frames_cfa_at(t, 0), 24);
	unwind_table_free(t);
}

static void debug_frame_fills_what_eh_frame_lacks(void **state)
{
	struct frames_file file = { .machine = 0 };
	struct unwind_table *t = NULL;
	struct frames f, debug;
	size_t cie;

	(void)state;
	frames_init(&debug, false);
	cie = frames_x86_cie(&debug);
	frames_function(&debug, cie, 0x000, 0x80, 80);
	frames_function(&debug, cie, 0x0f0, 0x20, 81); /* overlaps from before */
	frames_function(&debug, cie, 0x130, 0x40, 83); /* from behind */
	frames_function(&debug, cie, 0x200, 0x40, 84);
	frames_init(&f, true);
	frames_function(&f, frames_x86_cie(&f), 0x100, 0x40, 16);
	file.second = &debug;
	assert_int_equal(frames_build(&file, &f, &t), 0);
	assert_int_equal(t->n_fdes, 3);
	assert_int_equal(frames_cfa_at(t, 0), 80);
	assert_true(frames_nothing_at(t, 0xf0));
	assert_int_equal(frames_cfa_at(t, 0x100), 16);
	assert_int_equal(frames_cfa_at(t, 0x13f), 16);
	assert_true(frames_nothing_at(t, 0x140));
	assert_int_equal(frames_cfa_at(t, 0x200), 84);
	unwind_table_free(t);
	free(debug.bytes);
}

/* Replaces the section by its compressed form behind a header. */
static void compress_frames(struct frames *f, const void *header, size_t len)
{
	uLongf packed = MAX_FRAME - len;
	uint8_t *bytes = calloc(1, MAX_FRAME);

	assert_non_null(bytes);
	memcpy(bytes, header, len);
	assert_int_equal(compress(bytes + len, &packed, f->bytes, f->len), Z_OK);
	free(f->bytes);
	f->bytes = bytes;
	f->len = len + packed;
}

static int build_compressed(bool gnu, uint64_t size, uint32_t type, struct unwind_table **ret)
{
	struct frames_file file = { .section = gnu ? ".zdebug_frame" : ".debug_frame",
				    .section_flags = gnu ? 0 : SHF_COMPRESSED };
	struct frames f;

	frames_init(&f, false);
	frames_function(&f, frames_x86_cie(&f), 0, 0x40, 24);
	size = size ? size : f.len;
	if (gnu) {
		uint8_t header[12] = "ZLIB";
		uint64_t big = htobe64(size);

		memcpy(header + 4, &big, 8);
		compress_frames(&f, header, sizeof(header));
	} else {
		Elf64_Chdr header = { .ch_type = type, .ch_size = size, .ch_addralign = 8 };

		compress_frames(&f, &header, sizeof(header));
	}
	return frames_build(&file, &f, ret);
}

static void compressed_sections_are_read(void **state)
{
	struct unwind_table *t = NULL;

	(void)state;
	assert_int_equal(build_compressed(false, 0, ELFCOMPRESS_ZLIB, &t), 0);
	assert_int_equal(frames_cfa_at(t, 0x3f), 24);
	unwind_table_free(t);
	t = NULL;
	assert_int_equal(build_compressed(true, 0, 0, &t), 0);
	assert_int_equal(frames_cfa_at(t, 0x3f), 24);
	unwind_table_free(t);
}

static void compressed_sections_that_lie_are_refused(void **state)
{
	struct unwind_table *t = NULL;

	(void)state;
	assert_int_equal(build_compressed(false, 1ull << 62, ELFCOMPRESS_ZLIB, &t), -EFBIG);
	assert_int_equal(build_compressed(false, 100 << 20, ELFCOMPRESS_ZLIB, &t), -EFBIG);
	assert_int_equal(build_compressed(true, UINT64_MAX, 0, &t), -EFBIG);
	assert_int_equal(build_compressed(false, 8, ELFCOMPRESS_ZLIB, &t), -EINVAL);
	assert_int_equal(build_compressed(false, 0, 77, &t), -EINVAL);
	assert_null(t);
}

static void without_sections_the_segments_lead_to_it(void **state)
{
	struct frames_file file = { .no_sections = true };
	struct unwind_table *t = NULL;
	struct frames f;
	size_t cie;

	(void)state;
	frames_init(&f, true);
	cie = frames_x86_cie(&f);
	frames_function(&f, cie, 0, 0x40, 24);
	frames_u32(&f, 0); /* not the last: .eh_frame_hdr says that there are two */
	frames_function(&f, cie, 0x100, 0x40, 32);
	frames_u32(&f, 0);
	frames_function(&f, cie, 0x200, 0x40, 40); /* what is behind it only looks like one */
	assert_int_equal(frames_build(&file, &f, &t), 0);
	assert_int_equal(t->n_fdes, 2);
	assert_int_equal(frames_cfa_at(t, 0x3f), 24);
	assert_int_equal(frames_cfa_at(t, 0x100), 32);
	assert_true(frames_nothing_at(t, 0x200));
	unwind_table_free(t);
}

static void without_a_count_the_first_terminator_is_the_end(void **state)
{
	struct frames_file file = { .no_sections = true, .no_count = true };
	struct unwind_table *t = NULL;
	struct frames f;
	size_t cie;

	(void)state;
	frames_init(&f, true);
	cie = frames_x86_cie(&f);
	frames_function(&f, cie, 0, 0x40, 24);
	frames_u32(&f, 0);
	frames_function(&f, cie, 0x100, 0x40, 32);
	assert_int_equal(frames_build(&file, &f, &t), 0);
	assert_int_equal(t->n_fdes, 1);
	unwind_table_free(t);
}

/* --- what is hostile or broken ------------------------------------------------------------ */

static void terminators_in_the_middle_are_stepped_over(void **state)
{
	struct unwind_table *t = NULL;
	struct frames f;
	size_t cie;

	(void)state;
	frames_init(&f, true);
	frames_u32(&f, 0);
	cie = frames_x86_cie(&f);
	frames_u32(&f, 0);
	frames_function(&f, cie, 0x100, 0x40, 24);
	frames_u32(&f, 0);
	t = frames_table(&f);
	assert_int_equal(frames_cfa_at(t, 0x100), 24);
	assert_int_equal(t->n_broken, 0);
	unwind_table_free(t);
}

static void a_length_of_64_bits_is_read(void **state)
{
	struct unwind_table *t = NULL;
	struct frames f;
	size_t cie, at;

	(void)state;
	frames_init(&f, true);
	cie = frames_x86_cie(&f);
	at = f.len;
	frames_u32(&f, 0xffffffff);
	frames_u64(&f, 16);
	frames_u32(&f, f.len - cie);
	frames_u32(&f, TEXT + 0x40 - (FRAME + f.len));
	frames_u32(&f, 0x40);
	frames_put(&f, BYTES(0, DW_CFA_def_cfa_offset, 24, 0));
	assert_int_equal(f.len - at, 28);
	frames_function(&f, cie, 0x100, 0x40, 32);
	t = frames_table(&f);
	assert_int_equal(frames_cfa_at(t, 0x40), 24);
	assert_int_equal(frames_cfa_at(t, 0x100), 32);
	unwind_table_free(t);
}

static void a_length_beyond_the_end_ends_the_section(void **state)
{
	struct unwind_table *t = NULL;
	struct frames f;
	size_t cie;

	(void)state;
	frames_init(&f, true);
	cie = frames_x86_cie(&f);
	frames_function(&f, cie, 0, 0x40, 24);
	frames_u32(&f, 0xfffffff0);
	frames_function(&f, cie, 0x100, 0x40, 32);
	t = frames_table(&f);
	assert_int_equal(t->n_broken, 1);
	assert_int_equal(frames_cfa_at(t, 0), 24);
	assert_true(frames_nothing_at(t, 0x100));
	unwind_table_free(t);
}

/* One good function beside what is broken: only that is left out. */
static void assert_left_out(struct frames *f, size_t n_broken)
{
	struct unwind_table *t = NULL;

	frames_function(f, frames_x86_cie(f), 0x100, 0x40, 32);
	t = frames_table(f);
	assert_int_equal(t->n_fdes, 1);
	assert_int_equal(t->n_broken, n_broken);
	assert_int_equal(frames_cfa_at(t, 0x100), 32);
	assert_true(frames_nothing_at(t, 0));
	unwind_table_free(t);
}

static void a_function_whose_cie_is_none_is_left_out(void **state)
{
	struct frames f;
	size_t cie;

	(void)state;
	frames_init(&f, true);
	frames_fde(&f, f.len, TEXT, 0x40, BYTES(DW_CFA_nop)); /* itself */
	cie = frames_x86_cie(&f);
	frames_fde(&f, cie + 4, TEXT, 0x40, BYTES(DW_CFA_nop)); /* the middle of one */
	frames_fde(&f, cie - 8, TEXT, 0x40, BYTES(DW_CFA_nop));
	frames_fde(&f, f.len + 1000, TEXT, 0x40, BYTES(DW_CFA_nop));
	assert_left_out(&f, 4);
}

static void a_cie_that_is_not_known_takes_its_functions_along(void **state)
{
	static const char *const augmentations[] = { "zX", "X", "zRX", "armcc+", "zRQ" };
	struct frames f;
	size_t i, cie;

	(void)state;
	for (i = 0; i < 5; i++) {
		frames_init(&f, true);
		cie = frames_cie(&f, augmentations[i], 16, BYTES(X86_ENTRY));
		frames_function(&f, cie, 0, 0x40, 24);
		assert_left_out(&f, 2);
	}
	frames_init(&f, true);
	cie = frames_x86_cie(&f);
	f.bytes[cie + 8] = 2; /* version */
	frames_function(&f, cie, 0, 0x40, 24);
	assert_left_out(&f, 2);
	frames_init(&f, true);
	cie = frames_cie(&f, "zR", FT_X86_RBP, BYTES(X86_ENTRY));
	frames_function(&f, cie, 0, 0x40, 24);
	assert_left_out(&f, 2);
	frames_init(&f, true);
	cie = frames_cie(&f, "zR", 16, BYTES(DW_CFA_restore_state));
	frames_function(&f, cie, 0, 0x40, 24);
	assert_left_out(&f, 2);
}

static void entries_that_are_too_short_are_left_out(void **state)
{
	struct frames f;
	size_t cie, at;
	uint32_t len;

	(void)state;
	for (len = 1; len < 12; len++) {
		frames_init(&f, true);
		cie = frames_x86_cie(&f);
		at = f.len;
		frames_u32(&f, len);
		frames_u32(&f, f.len - cie);
		frames_u64(&f, 0);
		f.len = at + 4 + len;
		assert_left_out(&f, 1);
	}
}

static void a_personality_is_skipped_in_any_encoding(void **state)
{
	static const uint8_t encodings[] = { DW_EH_PE_absptr, DW_EH_PE_omit,
					     DW_EH_PE_indirect | DW_EH_PE_pcrel | DW_EH_PE_sdata4,
					     DW_EH_PE_udata2, DW_EH_PE_aligned };
	struct unwind_table *t = NULL;
	struct frames f;
	size_t i, at, len;

	(void)state;
	for (i = 0; i < sizeof(encodings); i++) {
		len = encodings[i] == DW_EH_PE_absptr	 ? 8
		      : encodings[i] == DW_EH_PE_omit	 ? 0
		      : encodings[i] == DW_EH_PE_udata2	 ? 2
		      : encodings[i] == DW_EH_PE_aligned ? 8 + (-(FRAME + 19) & 7)
							 : 4;
		frames_init(&f, true);
		at = f.len;
		frames_u32(&f, 0);
		frames_u32(&f, 0);
		frames_put(&f, BYTES(1, 'z', 'P', 'L', 'R', 0, 1, 0x78, 16, 3 + len, encodings[i]));
		assert_int_equal(f.len, 19);
		f.len += len;
		frames_put(&f, BYTES(DW_EH_PE_omit, DW_EH_PE_pcrel | DW_EH_PE_sdata4, X86_ENTRY));
		frames_end(&f, at);
		frames_function(&f, at, 0, 0x40, 24);
		t = frames_table(&f);
		assert_int_equal(frames_cfa_at(t, 0), 24);
		unwind_table_free(t);
	}
}

static void one_file_does_not_take_all_rules(void **state)
{
	struct unwind_table *t = NULL;
	struct frames f;
	size_t cie, i;

	(void)state;
	frames_init(&f, true);
	cie = frames_x86_cie(&f);
	for (i = 0; i < 5000; i++)
		frames_fde(&f, cie, TEXT + 8 * i, 8,
			   BYTES(DW_CFA_def_cfa_offset, 0x80 | (i & 127), i >> 7));
	t = frames_table(&f);
	assert_int_equal(frames_cfa_at(t, 8 * 100), 100);
	assert_int_equal(frames_at(t, 8 * 4999)->cfa, FT_CFA_UNSUPPORTED);
	assert_int_equal(t->n_no_room, 5000 - 4095); /* one was for this */
	unwind_table_free(t);
}

static int build_with(struct frames_file file, size_t n_functions)
{
	struct unwind_table *t = NULL;
	struct frames f;
	int err;

	frames_init(&f, true);
	if (n_functions)
		frames_function(&f, frames_x86_cie(&f), 0, 0x40, 24);
	err = frames_build(&file, &f, &t);
	assert_true(err ? !t && *err_text() : !!t);
	unwind_table_free(t);
	return err;
}

static void files_that_have_nothing_or_too_much_are_refused(void **state)
{
	(void)state;
	assert_int_equal(build_with((struct frames_file){ .machine = 0 }, 1), 0);
	assert_int_equal(build_with((struct frames_file){ .machine = 0 }, 0), -ENODATA);
	assert_int_equal(build_with((struct frames_file){ .machine = EM_386 }, 1), -ENOTSUP);
	assert_int_equal(build_with((struct frames_file){ .memsz = 512 << 20 }, 1), 0);
	assert_int_equal(build_with((struct frames_file){ .memsz = (512 << 20) + 1 }, 1), -EFBIG);
	assert_int_equal(build_with((struct frames_file){ .memsz = 1ull << 63 }, 1), -EFBIG);
	assert_int_equal(build_with((struct frames_file){ .memsz = -TEXT }, 1), -EINVAL);
	assert_int_equal(build_with((struct frames_file){ .memsz = UINT64_MAX }, 1), -EINVAL);
	/* A little code that begins somewhere needs no more; a lot of it is not worth its pages. */
	assert_int_equal(build_with((struct frames_file){ .entry = TEXT }, 0), 0);
	assert_int_equal(build_with((struct frames_file){ .entry = TEXT, .memsz = 8 << 20 }, 0),
			 -ENODATA);
}

static void a_section_with_broken_entries_only_is_broken(void **state)
{
	struct frames_file file = { .machine = 0 };
	struct unwind_table *t = NULL;
	struct frames f;

	(void)state;
	frames_init(&f, true);
	frames_fde(&f, 0, TEXT, 0x40, BYTES(DW_CFA_nop));
	assert_int_equal(frames_build(&file, &f, &t), -EINVAL);
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(debug_frame_is_read_where_there_is_no_other),
		cmocka_unit_test(debug_frame_fills_what_eh_frame_lacks),
		cmocka_unit_test(compressed_sections_are_read),
		cmocka_unit_test(compressed_sections_that_lie_are_refused),
		cmocka_unit_test(without_sections_the_segments_lead_to_it),
		cmocka_unit_test(without_a_count_the_first_terminator_is_the_end),
		cmocka_unit_test(terminators_in_the_middle_are_stepped_over),
		cmocka_unit_test(a_length_of_64_bits_is_read),
		cmocka_unit_test(a_length_beyond_the_end_ends_the_section),
		cmocka_unit_test(a_function_whose_cie_is_none_is_left_out),
		cmocka_unit_test(a_cie_that_is_not_known_takes_its_functions_along),
		cmocka_unit_test(entries_that_are_too_short_are_left_out),
		cmocka_unit_test(a_personality_is_skipped_in_any_encoding),
		cmocka_unit_test(one_file_does_not_take_all_rules),
		cmocka_unit_test(files_that_have_nothing_or_too_much_are_refused),
		cmocka_unit_test(a_section_with_broken_entries_only_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
