/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk of user stacks on arm64. */
#define __TARGET_ARCH_arm64
#include "tests/native/walk_tests.h"

/* Modes of arch/arm64/include/uapi/asm/ptrace.h. */
#define PSTATE_EL0T 0x0
#define PSTATE_USR  0x10 /* 32-bit code */
#define PSTATE_EL1H 0x5

static __u64 pstate_of(enum mode mode)
{
	return mode == MODE_USER ? PSTATE_EL0T : mode == MODE_USER32 ? PSTATE_USR : PSTATE_EL1H;
}

static struct pt_regs make_regs(enum mode mode, __u64 pc, __u64 fp)
{
	struct regs_abi abi = {
		.pc = pc,
		.sp = FAKE_USER_BASE,
		.pstate = 0x60000000 | pstate_of(mode), /* with condition flags */
	};
	struct pt_regs regs = { { 0 } };

	abi.regs[29] = fp;
	memcpy(&regs, &abi, sizeof(abi));
	return regs;
}

/* Pointer authentication puts its code into bits 54 to 48 where addresses have 48 bits. */
static __u64 signed_return(__u64 pc)
{
	return 0x007f000000000000ULL | pc;
}

static void authentication_codes_are_stripped(void **state)
{
	(void)state;
	assert_int_equal(regs_strip(signed_return(CODE)), CODE);
	/* The highest address stays whole. */
	assert_int_equal(regs_strip(signed_return(0x0000fffffffffffcULL)), 0x0000fffffffffffcULL);
}

static void a_null_return_address_is_the_root_even_if_signed(void **state)
{
	struct ft_stack stack;

	(void)state;
	put_record(0, address_of(2), signed_return(0));
	stack = walk_from(MODE_USER, CODE, address_of(0));
	assert_stack(&stack, 1, FT_END_NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WALK_TESTS,
		cmocka_unit_test(authentication_codes_are_stripped),
		WALK_TEST(a_null_return_address_is_the_root_even_if_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
