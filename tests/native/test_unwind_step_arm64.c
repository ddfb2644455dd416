/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps from frame to frame on arm64. */
#define __TARGET_ARCH_arm64
#include "tests/native/step_tests.h"

static __u32 add_leaf(void)
{
	return add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_REG, .cfa_reg = UNWIND_SP });
}

/* Further out it holds whatever the frames in between have left there. */
static void the_link_register_counts_in_innermost_and_interrupted_frames(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w;

	(void)state;
	add_leaf();
	entry.regs[FT_ARM64_LR] = CODE + 77;
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, CODE + 77);
	assert_int_equal(w.sp, stack_at(20));
	w = begin(&entry);
	w.known = UNWIND_INTERRUPTED;
	w.restored[FT_ARM64_LR] = CODE + 88;
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, CODE + 88);
	world.rules[2].cfa_offset = 16;
	w = begin_as_caller(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_RULE_UNSUPPORTED);
}

static void a_frame_record_is_read_at_once(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w = begin(&entry);

	(void)state;
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_REG,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = 32,
					  .ra = FT_SAVED_AT_CFA,
					  .ra_offset = -24,
					  .fp_bx = FT_SAVED_AT_CFA,
					  .fp_offset = -32 });
	world.stack[20] = stack_at(60);
	world.stack[21] = CODE + 77;
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, CODE + 77);
	assert_int_equal(w.fp, stack_at(60));
	assert_int_equal(world.n_reads, 1);
}

/* x0-x30 and sp are 312 bytes into an rt_sigframe. */
static void a_signal_frame_brings_all_registers_back(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w = begin_as_caller(&entry);
	__u32 i;

	(void)state;
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_DEREF | FT_CFA_SIGNAL,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = 312 + 31 * 8,
					  .ra = FT_SAVED_AT_SP,
					  .ra_offset = 312 + 32 * 8,
					  .fp_bx = FT_SAVED_AT_SP,
					  .fp_offset = 312 + 29 * 8 });
	add_leaf();
	for (i = 0; i < 31; i++)
		world.stack[59 + i] = 2000 + i;
	world.stack[59 + FT_ARM64_LR] = ROOT;
	world.stack[59 + FT_ARM64_SP] = stack_at(10);
	world.stack[59 + 32] = FUNCTION(1);
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, FUNCTION(1));
	assert_int_equal(w.known, UNWIND_INTERRUPTED);
	assert_int_equal(w.sp, stack_at(10));
	assert_int_equal(w.fp, 2029);
	for (i = 0; i < 29; i++)
		assert_int_equal(unwind_reg(&entry, &w, i), 2000 + i);
	/* It was interrupted in a leaf. */
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, ROOT);
	assert_int_equal(w.known, UNWIND_CALLER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STEP_TESTS,
		STEP_TEST(the_link_register_counts_in_innermost_and_interrupted_frames),
		STEP_TEST(a_frame_record_is_read_at_once),
		STEP_TEST(a_signal_frame_brings_all_registers_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
