/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk of user stacks on x86-64. */
#define __TARGET_ARCH_x86
#include "tests/native/walk_tests.h"

/* Selectors of arch/x86/include/asm/segment.h. */
#define USER_CS	  0x33
#define USER32_CS 0x23
#define KERNEL_CS 0x10

static __u16 selector_of(enum mode mode)
{
	return mode == MODE_USER ? USER_CS : mode == MODE_USER32 ? USER32_CS : KERNEL_CS;
}

static struct pt_regs make_regs(enum mode mode, __u64 pc, __u64 fp)
{
	struct regs_abi abi = {
		.ip = pc,
		.bp = fp,
		.sp = FAKE_USER_BASE,
		.cs = selector_of(mode),
	};
	struct pt_regs regs = { { 0 } };

	memcpy(&regs, &abi, sizeof(abi));
	return regs;
}

static __u64 signed_return(__u64 pc)
{
	return pc;
}

/* Kernels from 6.9 on keep other things beside the selector in the word. */
static void only_sixteen_bits_of_cs_are_the_selector(void **state)
{
	struct regs_abi abi = { .ip = CODE, .cs = 0xdead00000000ULL | USER32_CS };
	struct user_regs regs;

	(void)state;
	regs_take(&abi, &regs);
	assert_true(regs.is_user);
	assert_true(regs.compat);
	abi.cs = 0xdead00010000ULL | KERNEL_CS;
	regs_take(&abi, &regs);
	assert_false(regs.is_user);
	assert_false(regs.compat);
}

/* By their DWARF numbers, whatever the order of struct pt_regs. */
static void all_registers_are_taken(void **state)
{
	struct regs_abi abi = {
		.ax = 100,
		.dx = 101,
		.cx = 102,
		.bx = 103,
		.si = 104,
		.di = 105,
		.bp = 106,
		.sp = 107,
		.r8 = 108,
		.r9 = 109,
		.r10 = 110,
		.r11 = 111,
		.r12 = 112,
		.r13 = 113,
		.r14 = 114,
		.r15 = 115,
		.ip = 116,
		.cs = USER_CS,
	};
	struct user_regs regs;
	__u64 i;

	(void)state;
	regs_take(&abi, &regs);
	for (i = 0; i < 16; i++)
		assert_int_equal(regs.entry.regs[i], 100 + i);
	assert_int_equal(regs.entry.pc, 116);
	assert_true(regs.is_user);
	assert_false(regs.compat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WALK_TESTS,
		cmocka_unit_test(only_sixteen_bits_of_cs_are_the_selector),
		cmocka_unit_test(all_registers_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
