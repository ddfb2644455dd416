/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps from frame to frame on x86-64. */
#define __TARGET_ARCH_x86
#include "tests/native/step_tests.h"

static void the_plt_has_a_frame_for_each_half_of_its_entries(void **state)
{
	struct unwind_entry entry = make_entry(0, stack_at(20));
	struct unwind_walk w;
	__u32 at;

	(void)state;
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_PLT,
					  .cfa_offset = 8,
					  .cfa_add = 11,
					  .ra = FT_SAVED_AT_CFA,
					  .ra_offset = -8 });
	world.stack[20] = CODE + 100;
	world.stack[21] = CODE + 200;
	for (at = 0; at < 16; at++) {
		entry.pc = FUNCTION(0) + at;
		w = begin(&entry);
		assert_int_equal(unwind_step(NULL, &entry, &w), 0);
		assert_int_equal(w.pc, at < 11 ? CODE + 100 : CODE + 200);
		assert_int_equal(w.sp, at < 11 ? stack_at(21) : stack_at(22));
	}
}

static void rbx_is_followed_over_frames(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w = begin(&entry);

	(void)state;
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_REG,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = 16,
					  .ra = FT_SAVED_AT_CFA,
					  .ra_offset = -8,
					  .fp_bx = FT_SAVED_AT_CFA << 4,
					  .bx_offset = -16 });
	add_rule((struct ft_unwind_rule){
		.cfa = FT_CFA_REG, .cfa_reg = FT_X86_RBX, .ra = FT_SAVED_AT_CFA, .ra_offset = -8 });
	world.stack[20] = stack_at(40);
	world.stack[21] = FUNCTION(1) + 3;
	world.stack[39] = ROOT;
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, ROOT);
	assert_int_equal(w.sp, stack_at(40));
}

/* The kernel has put the registers of who was interrupted there: struct sigcontext. */
static void a_signal_frame_brings_all_registers_back(void **state)
{
	static const __u8 order[] = { 8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7 };
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w = begin_as_caller(&entry);
	__u32 i;

	(void)state;
	/* As the C library describes __restore_rt: rsp at 160, rip at 168 bytes. */
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_DEREF | FT_CFA_SIGNAL,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = 160,
					  .ra = FT_SAVED_AT_SP,
					  .ra_offset = 168,
					  .fp_bx = FT_SAVED_AT_SP | FT_SAVED_AT_SP << 4,
					  .fp_offset = 120,
					  .bx_offset = 128 });
	for (i = 0; i < 16; i++)
		world.stack[25 + i] = 2000 + order[i];
	world.stack[40] = stack_at(10); /* on another stack, further down */
	world.stack[41] = FUNCTION(1);
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.known, UNWIND_INTERRUPTED);
	assert_int_equal(w.pc, FUNCTION(1));
	assert_int_equal(w.sp, stack_at(10));
	assert_int_equal(w.fp, 2006);
	assert_int_equal(w.bx, 2003);
	for (i = 0; i < 16; i++)
		assert_int_equal(unwind_reg(&entry, &w, i), i == 7 ? stack_at(10) : 2000 + i);
	/* And then no more. */
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_REG,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = 16,
					  .ra = FT_SAVED_AT_CFA,
					  .ra_offset = -8 });
	world.stack[11] = ROOT;
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.known, UNWIND_CALLER);
	assert_int_equal(unwind_reg(&entry, &w, 12), 0);
}

/* --- leaves without call frame information -------------------------------------------------- */

static __u32 leaf(const char *before, size_t len, struct unwind_walk *ret)
{
	struct unwind_entry entry = make_entry(JIT + 100, stack_at(20));

	memset(world.code, 0x90, sizeof(world.code));
	memcpy(world.code + 200 - len, before, len);
	world.stack[20] = JIT + 200;
	entry.regs[UNWIND_FP] = stack_at(30);
	world.stack[31] = ROOT;
	*ret = begin(&entry);
	return unwind_step(NULL, &entry, ret);
}

static void a_leaf_returns_to_behind_a_call(void **state)
{
	static const struct {
		const char *code;
		size_t len;
	} calls[] = {
		{ "\xe8\x01\x02\x03\x04", 5 },
		{ "\xff\xd0", 2 },		       /* call *%rax */
		{ "\x41\xff\xd7", 3 },		       /* call *%r15 */
		{ "\xff\x50\x08", 3 },		       /* call *8(%rax) */
		{ "\xff\x54\x24\x08", 4 },	       /* call *8(%rsp) */
		{ "\xff\x15\x01\x02\x03\x04", 6 },     /* call *x(%rip) */
		{ "\xff\x94\xc8\x01\x02\x03\x04", 7 }, /* call *x(%rax,%rcx,8) */
	};
	struct unwind_walk w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		assert_int_equal(leaf(calls[i].code, calls[i].len, &w), 0);
		assert_int_equal(w.pc, JIT + 200);
		assert_int_equal(w.sp, stack_at(21));
		assert_int_equal(w.fp, stack_at(30));
		assert_int_equal(w.known, UNWIND_CALLER);
	}
}

static void what_is_behind_no_call_is_no_return_address(void **state)
{
	struct unwind_walk w;

	(void)state;
	assert_int_equal(leaf("\x90", 1, &w), 0);
	assert_int_equal(w.pc, ROOT);
	assert_int_equal(w.sp, stack_at(32));
	assert_int_equal(leaf("\xff\xe0", 2, &w), 0); /* jmp *%rax */
	assert_int_equal(w.pc, ROOT);
	assert_int_equal(leaf("\xe8\x01\x02\x03", 4, &w), 0); /* too short */
	assert_int_equal(w.pc, ROOT);
}

static void only_an_innermost_frame_is_a_leaf(void **state)
{
	struct unwind_entry entry = make_entry(JIT + 100, stack_at(20));
	struct unwind_walk w;

	(void)state;
	memset(world.code, 0xe8, sizeof(world.code));
	world.stack[20] = JIT + 200;
	world.stack[31] = ROOT;
	entry.regs[UNWIND_FP] = stack_at(30);
	w = begin_as_caller(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, ROOT);
	w = begin(&entry);
	w.known = UNWIND_INTERRUPTED;
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, JIT + 200);
}

/* What is on top of the stack need not be code, and the walk is where it was then. */
static void a_leaf_looks_at_nothing_that_is_not_mapped(void **state)
{
	static const __u64 tops[] = { 0, 8, 4095, 0x1234567, JIT + 4, UINT64_MAX };
	struct unwind_entry entry = make_entry(JIT + 100, stack_at(20));
	struct unwind_walk w;
	size_t i;

	(void)state;
	memset(world.code, 0xe8, sizeof(world.code));
	entry.regs[UNWIND_FP] = 0;
	for (i = 0; i < sizeof(tops) / sizeof(*tops); i++) {
		world.stack[20] = tops[i];
		w = begin(&entry);
		assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_NULL);
		assert_int_equal(w.pc, JIT + 100);
		assert_int_equal(w.at.start, JIT);
	}
	entry.regs[UNWIND_SP] = 1;
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STEP_TESTS,
		STEP_TEST(the_plt_has_a_frame_for_each_half_of_its_entries),
		STEP_TEST(rbx_is_followed_over_frames),
		STEP_TEST(a_signal_frame_brings_all_registers_back),
		STEP_TEST(a_leaf_returns_to_behind_a_call),
		STEP_TEST(what_is_behind_no_call_is_no_return_address),
		STEP_TEST(only_an_innermost_frame_is_a_leaf),
		STEP_TEST(a_leaf_looks_at_nothing_that_is_not_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
