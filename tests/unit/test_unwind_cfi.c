/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/frames.h"

/* The table of one function of 64 bytes with these instructions. */
static struct unwind_table *function(const uint8_t *code, size_t len)
{
	struct frames f;

	frames_init(&f, true);
	frames_fde(&f, frames_x86_cie(&f), TEXT, 64, code, len);
	return frames_table(&f);
}

static void assert_cfa(const struct unwind_table *t, uint64_t offset, uint8_t reg, int32_t add)
{
	const struct ft_unwind_rule *r = frames_at(t, offset);

	assert_int_equal(r->cfa, FT_CFA_REG);
	assert_int_equal(r->cfa_reg, reg);
	assert_int_equal(r->cfa_offset, add);
}

static void assert_ra(const struct unwind_table *t, uint64_t offset, uint8_t how, int16_t add)
{
	assert_int_equal(frames_at(t, offset)->ra, how);
	assert_int_equal(frames_at(t, offset)->ra_offset, add);
}

static void assert_fp(const struct unwind_table *t, uint64_t offset, uint8_t how, int16_t add)
{
	assert_int_equal(frames_at(t, offset)->fp_bx & 15, how);
	assert_int_equal(frames_at(t, offset)->fp_offset, add);
}

static void assert_bx(const struct unwind_table *t, uint64_t offset, uint8_t how, int16_t add)
{
	assert_int_equal(frames_at(t, offset)->fp_bx >> 4, how);
	assert_int_equal(frames_at(t, offset)->bx_offset, add);
}

static void a_frame_pointer_is_followed_from_its_push_to_its_pop(void **state)
{
	struct unwind_table *t =
		function(BYTES(DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 16, DW_CFA_offset | 6,
			       2, DW_CFA_advance_loc | 3, DW_CFA_def_cfa_register, 6,
			       DW_CFA_advance_loc | 40, DW_CFA_restore | 6, DW_CFA_def_cfa, 7, 8));

	(void)state;
	assert_cfa(t, 0, 7, 8);
	assert_ra(t, 0, FT_SAVED_AT_CFA, -8);
	assert_fp(t, 0, FT_SAVED_SAME, 0);
	assert_bx(t, 0, FT_SAVED_SAME, 0);
	assert_cfa(t, 1, 7, 16);
	assert_fp(t, 1, FT_SAVED_AT_CFA, -16);
	assert_cfa(t, 4, 6, 16);
	assert_cfa(t, 43, 6, 16);
	assert_cfa(t, 44, 7, 8);
	assert_fp(t, 44, FT_SAVED_SAME, 0);
	assert_cfa(t, 63, 7, 8);
	assert_int_equal(unwind_table_find(t, TEXT + 64), FT_RULE_NO_CFI);
	assert_int_equal(t->n_rows, 5);
	unwind_table_free(t);
}

static void addresses_advance_in_every_width(void **state)
{
	struct unwind_table *t = function(
		BYTES(DW_CFA_advance_loc1, 2, DW_CFA_def_cfa_offset, 16, DW_CFA_advance_loc2, 3, 0,
		      DW_CFA_def_cfa_offset, 24, DW_CFA_advance_loc4, 4, 0, 0, 0,
		      DW_CFA_def_cfa_offset, 32, 0x1d, 5, 0, 0, 0, 0, 0, 0, 0,
		      DW_CFA_def_cfa_offset, 40, DW_CFA_advance_loc, DW_CFA_def_cfa_offset, 48));

	(void)state;
	assert_cfa(t, 1, 7, 8);
	assert_cfa(t, 2, 7, 16);
	assert_cfa(t, 5, 7, 24);
	assert_cfa(t, 8, 7, 24);
	assert_cfa(t, 9, 7, 32);
	assert_cfa(t, 14, 7, 48); /* of two for the same address the last counts */
	unwind_table_free(t);
}

/* A function whose instructions set that address after 5 bytes. */
static struct unwind_table *function_that_sets(uint64_t address)
{
	struct frames f;
	int32_t to;
	size_t at;

	frames_init(&f, true);
	frames_fde(&f, frames_x86_cie(&f), TEXT, 64,
		   BYTES(DW_CFA_advance_loc | 5, DW_CFA_set_loc, 0, 0, 0, 0, DW_CFA_def_cfa_offset,
			 16));
	for (at = f.len - 1; f.bytes[at] != DW_CFA_set_loc; at--)
		;
	to = address - (FRAME + at + 1);
	memcpy(f.bytes + at + 1, &to, sizeof(to));
	return frames_table(&f);
}

static void an_address_can_be_set(void **state)
{
	struct unwind_table *t = function_that_sets(TEXT + 10);

	(void)state;
	assert_cfa(t, 9, 7, 8);
	assert_cfa(t, 10, 7, 16);
	unwind_table_free(t);
}

static void an_address_is_never_set_back(void **state)
{
	struct unwind_table *t = function_that_sets(TEXT + 4);

	(void)state;
	assert_int_equal(t->n_broken, 1);
	assert_cfa(t, 4, 7, 8);
	assert_int_equal(frames_at(t, 5)->cfa, FT_CFA_UNSUPPORTED);
	unwind_table_free(t);
}

static void a_remembered_state_comes_back_with_its_cfa(void **state)
{
	struct unwind_table *t =
		function(BYTES(DW_CFA_def_cfa_offset, 16, DW_CFA_offset | 3, 2,
			       DW_CFA_remember_state, DW_CFA_advance_loc | 1, DW_CFA_def_cfa, 6, 32,
			       DW_CFA_same_value, 3, DW_CFA_advance_loc | 1, DW_CFA_restore_state));

	(void)state;
	assert_cfa(t, 1, 6, 32);
	assert_bx(t, 1, FT_SAVED_SAME, 0);
	assert_cfa(t, 2, 7, 16);
	assert_bx(t, 2, FT_SAVED_AT_CFA, -16);
	unwind_table_free(t);
}

static void registers_are_saved_in_every_way(void **state)
{
	struct unwind_table *t = function(
		BYTES(DW_CFA_offset_extended, 6, 3, DW_CFA_offset_extended_sf, 3, 0x7c, /* -4 */
		      DW_CFA_advance_loc | 1, DW_CFA_GNU_negative_offset_extended, 6, 3,
		      DW_CFA_val_offset, 3, 2, DW_CFA_advance_loc | 1, DW_CFA_val_offset_sf, 6,
		      0x7e, DW_CFA_register, 3, 12, DW_CFA_register, 16, 5, DW_CFA_advance_loc | 1,
		      DW_CFA_undefined, 6, DW_CFA_restore_extended, 16, DW_CFA_GNU_args_size, 16,
		      DW_CFA_advance_loc | 1, DW_CFA_offset | 12, 5, DW_CFA_undefined, 16));

	(void)state;
	assert_fp(t, 0, FT_SAVED_AT_CFA, -24);
	assert_bx(t, 0, FT_SAVED_AT_CFA, 32);
	assert_fp(t, 1, FT_SAVED_AT_CFA, 24);
	assert_bx(t, 1, FT_SAVED_CFA_PLUS, -16);
	assert_fp(t, 2, FT_SAVED_CFA_PLUS, 16);
	assert_bx(t, 2, FT_SAVED_UNSUPPORTED, 0); /* only a return address is followed there */
	assert_ra(t, 2, FT_SAVED_IN_REG, 5);
	assert_fp(t, 3, FT_SAVED_UNDEFINED, 0);
	assert_ra(t, 3, FT_SAVED_AT_CFA, -8);
	assert_int_equal(unwind_table_find(t, TEXT + 4), FT_RULE_ROOT);
	assert_int_equal(t->n_unsupported, 0);
	unwind_table_free(t);
}

static void the_cfa_is_defined_in_every_way(void **state)
{
	struct unwind_table *t = function(
		BYTES(DW_CFA_def_cfa_sf, 10, 0x7e, DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset_sf,
		      0x7d, DW_CFA_advance_loc | 1, DW_CFA_def_cfa_expression, 3, DW_OP_breg6, 0x78,
		      DW_OP_deref, DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 8,
		      DW_CFA_advance_loc | 1, DW_CFA_def_cfa, 17, 8, DW_CFA_advance_loc | 1,
		      DW_CFA_def_cfa, 7, 0x80, 0x80, 0x80, 0x80, 0x10, DW_CFA_advance_loc | 1,
		      DW_CFA_def_cfa_expression, 2, DW_OP_breg6, 0x10));

	(void)state;
	assert_cfa(t, 0, 10, 16);
	assert_cfa(t, 1, 10, 24);
	assert_int_equal(frames_at(t, 2)->cfa, FT_CFA_DEREF);
	assert_int_equal(frames_at(t, 2)->cfa_reg, 6);
	assert_int_equal(frames_at(t, 2)->cfa_offset, -8);
	assert_int_equal(frames_at(t, 2)->cfa_add, 0);
	assert_int_equal(frames_at(t, 3)->cfa,
			 FT_CFA_UNSUPPORTED); /* of an expression: no offset */
	assert_int_equal(frames_at(t, 4)->cfa, FT_CFA_UNSUPPORTED); /* no general register */
	assert_int_equal(frames_at(t, 5)->cfa, FT_CFA_UNSUPPORTED); /* more than 31 bits */
	assert_cfa(t, 6, 6, 16);
	assert_int_equal(t->n_unsupported, 3);
	unwind_table_free(t);
}

static void a_plt_has_one_rule_for_both_halves_of_its_entries(void **state)
{
	struct unwind_table *t = function(
		BYTES(DW_CFA_def_cfa_expression, 11, DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15,
		      DW_OP_and, DW_OP_lit11, DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus));

	(void)state;
	assert_int_equal(frames_at(t, 0)->cfa, FT_CFA_PLT);
	assert_int_equal(frames_at(t, 0)->cfa_offset, 8);
	assert_int_equal(frames_at(t, 0)->cfa_add, 11);
	assert_int_equal(t->n_rows, 2);
	unwind_table_free(t);
}

static void expressions_say_where_registers_are(void **state)
{
	struct unwind_table *t = function(BYTES(
		DW_CFA_expression, 6, 2, DW_OP_breg6, 0x70, DW_CFA_expression, 3, 3, DW_OP_breg7,
		0x80, 1, DW_CFA_expression, 16, 2, DW_OP_plus_uconst, 24, DW_CFA_advance_loc | 1,
		DW_CFA_expression, 6, 2, DW_OP_breg10, 0, DW_CFA_val_expression, 3, 2, DW_OP_breg7,
		0, DW_CFA_val_expression, 16, 2, DW_OP_plus_uconst, 8, DW_CFA_advance_loc | 1,
		DW_CFA_expression, 16, 1, DW_OP_deref));

	(void)state;
	assert_fp(t, 0, FT_SAVED_AT_FP, -16);
	assert_bx(t, 0, FT_SAVED_AT_SP, 128);
	assert_ra(t, 0, FT_SAVED_AT_CFA, 24);
	assert_fp(t, 1, FT_SAVED_UNSUPPORTED, 0);
	assert_bx(t, 1, FT_SAVED_UNSUPPORTED, 0);
	assert_ra(t, 1, FT_SAVED_CFA_PLUS, 8);
	assert_ra(t, 2, FT_SAVED_UNSUPPORTED, 0);
	assert_int_equal(t->n_unsupported, 1);
	unwind_table_free(t);
}

static void an_offset_that_a_rule_has_no_room_for_is_unsupported(void **state)
{
	struct unwind_table *t = function(
		BYTES(DW_CFA_offset | 6, 0x80, 0x20, DW_CFA_offset | 3, 0x82, 0x20,
		      DW_CFA_offset_extended, 16, 0x82, 0x20, DW_CFA_advance_loc | 1,
		      DW_CFA_def_cfa_expression, 6, DW_OP_breg7, 8, DW_OP_deref, DW_OP_const2u, 0,
		      0x80, DW_CFA_advance_loc | 1, DW_CFA_def_cfa_expression, 7, DW_OP_breg7, 8,
		      DW_OP_deref, DW_OP_const2u, 0, 0x80, DW_OP_plus));

	(void)state;
	assert_fp(t, 0, FT_SAVED_AT_CFA, -32768);
	assert_bx(t, 0, FT_SAVED_UNSUPPORTED, 0);
	assert_ra(t, 0, FT_SAVED_UNSUPPORTED, 0);
	assert_int_equal(frames_at(t, 1)->cfa, FT_CFA_UNSUPPORTED);
	assert_int_equal(frames_at(t, 2)->cfa, FT_CFA_UNSUPPORTED);
	unwind_table_free(t);
}

static void what_is_far_from_the_cfa_is_found_from_its_register(void **state)
{
	/* 64 KiB of frame, the saved registers at its lower end. */
	struct unwind_table *t = function(BYTES(
		DW_CFA_def_cfa_offset, 0x80, 0x80, 4, DW_CFA_offset | 6, 0xfe, 0x3f,
		DW_CFA_offset | 16, 0xff, 0x3f, DW_CFA_advance_loc | 1, DW_CFA_def_cfa_register, 6,
		DW_CFA_advance_loc | 1, DW_CFA_def_cfa_register, 10));

	(void)state;
	assert_cfa(t, 0, 7, 65536);
	assert_fp(t, 0, FT_SAVED_AT_SP, 16);
	assert_ra(t, 0, FT_SAVED_AT_SP, 8);
	assert_fp(t, 1, FT_SAVED_AT_FP, 16);
	assert_ra(t, 1, FT_SAVED_AT_FP, 8);
	assert_ra(t, 2, FT_SAVED_UNSUPPORTED, 0);
	unwind_table_free(t);
}

static void a_signal_frame_is_marked(void **state)
{
	struct unwind_table *t = NULL;
	struct frames f;

	(void)state;
	frames_init(&f, true);
	frames_fde(&f, frames_cie(&f, "zRS", 16, BYTES(X86_ENTRY)), TEXT, 64, BYTES(DW_CFA_nop));
	t = frames_table(&f);
	assert_int_equal(frames_at(t, 0)->cfa, FT_CFA_REG | FT_CFA_SIGNAL);
	unwind_table_free(t);
}

static void on_arm64_the_return_address_begins_in_the_link_register(void **state)
{
	struct frames_file file = { .machine = EM_AARCH64 };
	struct unwind_table *t = NULL;
	struct frames f;

	(void)state;
	frames_init(&f, true);
	/* paciasp; stp x29, x30, [sp, #-32]! */
	frames_fde(&f, frames_cie(&f, "zRB", 30, BYTES(DW_CFA_def_cfa, 31, 0)), TEXT, 64,
		   BYTES(DW_CFA_advance_loc | 4, 0x2d, DW_CFA_advance_loc | 4,
			 DW_CFA_def_cfa_offset, 32, DW_CFA_offset | 29, 4, DW_CFA_offset | 30, 3,
			 DW_CFA_offset | 19, 2, DW_CFA_advance_loc | 4, DW_CFA_def_cfa_register, 29,
			 DW_CFA_advance_loc | 4, 0x2c, DW_CFA_restore | 30));
	assert_int_equal(frames_build(&file, &f, &t), 0);
	assert_cfa(t, 0, 31, 0);
	assert_ra(t, 4, FT_SAVED_SAME, 0);
	assert_fp(t, 4, FT_SAVED_SAME, 0);
	assert_int_equal(frames_at(t, 4), frames_at(t, 0));
	assert_cfa(t, 8, 31, 32);
	assert_fp(t, 8, FT_SAVED_AT_CFA, -32);
	assert_ra(t, 8, FT_SAVED_AT_CFA, -24);
	assert_int_equal(frames_at(t, 8)->fp_bx >> 4, 0);
	assert_cfa(t, 12, 29, 32);
	assert_ra(t, 16, FT_SAVED_SAME, 0);
	unwind_table_free(t);
}

static void on_arm64_a_cfa_below_the_return_address_is_raised(void **state)
{
	struct frames_file file = { .machine = EM_AARCH64 };
	struct unwind_table *t = NULL;
	struct frames f;

	(void)state;
	frames_init(&f, true);
	/* _dl_runtime_resolve: lr is at 8 above the CFA, since the PLT has pushed 16 bytes. */
	frames_fde(&f, frames_cie(&f, "zR", 30, BYTES(DW_CFA_def_cfa, 31, 0)), TEXT, 64,
		   BYTES(DW_CFA_offset_extended_sf, 30, 0x7f, DW_CFA_advance_loc | 4,
			 DW_CFA_def_cfa_offset, 0xd0, 1, DW_CFA_advance_loc | 4, DW_CFA_offset | 30,
			 0));
	assert_int_equal(frames_build(&file, &f, &t), 0);
	assert_cfa(t, 0, 31, 16);
	assert_ra(t, 0, FT_SAVED_AT_CFA, -8);
	assert_cfa(t, 4, 31, 0xe0);
	assert_ra(t, 4, FT_SAVED_AT_CFA, -8);
	assert_cfa(t, 8, 31, 0xe0);
	assert_ra(t, 8, FT_SAVED_AT_CFA, -16);
	unwind_table_free(t);
}

static void on_x86_a_return_address_is_in_no_register_by_itself(void **state)
{
	struct unwind_table *t = function(
		BYTES(DW_CFA_same_value, 16, DW_CFA_advance_loc | 1, DW_CFA_register, 16, 40));

	(void)state;
	assert_ra(t, 0, FT_SAVED_UNSUPPORTED, 0);
	assert_ra(t, 1, FT_SAVED_UNSUPPORTED, 0);
	unwind_table_free(t);
}

static void the_column_of_the_return_address_is_the_cies(void **state)
{
	struct unwind_table *t = NULL;
	struct frames f;

	(void)state;
	frames_init(&f, true);
	frames_fde(&f, frames_cie(&f, "zR", 11, BYTES(DW_CFA_def_cfa, 7, 8)), TEXT, 16,
		   BYTES(DW_CFA_advance_loc | 1, DW_CFA_offset | 11, 2));
	t = frames_table(&f);
	assert_ra(t, 0, FT_SAVED_IN_REG, 11);
	assert_ra(t, 1, FT_SAVED_AT_CFA, -16);
	unwind_table_free(t);
}

/* What is known before broken instructions holds; then nothing does. */
static void assert_broken_from(uint64_t offset, const uint8_t *code, size_t len)
{
	struct unwind_table *t = function(code, len);

	if (offset)
		assert_cfa(t, 0, 7, 8);
	assert_int_equal(frames_at(t, offset)->cfa, FT_CFA_UNSUPPORTED);
	assert_int_equal(frames_at(t, 63)->cfa, FT_CFA_UNSUPPORTED);
	assert_int_equal(t->n_broken, 1);
	assert_int_equal(t->n_unsupported, 1);
	unwind_table_free(t);
}

static void broken_instructions_end_what_is_known(void **state)
{
	uint8_t deep[80];

	(void)state;
	assert_broken_from(2, BYTES(DW_CFA_advance_loc | 2, DW_CFA_restore_state));
	assert_broken_from(2, BYTES(DW_CFA_advance_loc | 2, 0x17));
	assert_broken_from(2, BYTES(DW_CFA_advance_loc | 2, 0x3f));
	assert_broken_from(2, BYTES(DW_CFA_advance_loc | 2, DW_CFA_def_cfa_expression, 0x7f, 1));
	assert_broken_from(0, BYTES(DW_CFA_advance_loc, DW_CFA_def_cfa_offset, 0x80, 0x80, 0x80,
				    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1));
	memset(deep, DW_CFA_remember_state, sizeof(deep));
	deep[0] = DW_CFA_advance_loc | 2;
	assert_broken_from(2, deep, sizeof(deep));
}

static void what_comes_behind_the_function_does_not_matter(void **state)
{
	struct unwind_table *t = function(BYTES(DW_CFA_advance_loc | 63, DW_CFA_def_cfa_offset, 16,
						DW_CFA_advance_loc4, 0xff, 0xff, 0xff, 0xff,
						DW_CFA_def_cfa_offset, 24, 0x17));

	(void)state;
	assert_cfa(t, 62, 7, 8);
	assert_cfa(t, 63, 7, 16);
	assert_int_equal(unwind_table_find(t, TEXT + 64), FT_RULE_NO_CFI);
	assert_int_equal(t->n_broken, 0);
	unwind_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_pointer_is_followed_from_its_push_to_its_pop),
		cmocka_unit_test(addresses_advance_in_every_width),
		cmocka_unit_test(an_address_can_be_set),
		cmocka_unit_test(an_address_is_never_set_back),
		cmocka_unit_test(a_remembered_state_comes_back_with_its_cfa),
		cmocka_unit_test(registers_are_saved_in_every_way),
		cmocka_unit_test(the_cfa_is_defined_in_every_way),
		cmocka_unit_test(a_plt_has_one_rule_for_both_halves_of_its_entries),
		cmocka_unit_test(expressions_say_where_registers_are),
		cmocka_unit_test(an_offset_that_a_rule_has_no_room_for_is_unsupported),
		cmocka_unit_test(what_is_far_from_the_cfa_is_found_from_its_register),
		cmocka_unit_test(a_signal_frame_is_marked),
		cmocka_unit_test(on_arm64_the_return_address_begins_in_the_link_register),
		cmocka_unit_test(on_arm64_a_cfa_below_the_return_address_is_raised),
		cmocka_unit_test(on_x86_a_return_address_is_in_no_register_by_itself),
		cmocka_unit_test(the_column_of_the_return_address_is_the_cies),
		cmocka_unit_test(broken_instructions_end_what_is_known),
		cmocka_unit_test(what_comes_behind_the_function_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
