/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk_tests: the walk of user stacks (bpf/ustack.bpf.h) and the registers that it starts from
 * (bpf/regs.bpf.h), the same for each architecture. The includer says which that is, and provides
 * make_regs(), and signed_return(), which disguises a return address as the CPU would.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "bpf/ustack.bpf.h"

enum mode { MODE_USER, MODE_USER32, MODE_KERNEL };

static struct pt_regs make_regs(enum mode mode, __u64 pc, __u64 fp);
static __u64 signed_return(__u64 pc);

#define CODE 0x400000ULL

static __u64 address_of(__u32 word)
{
	return FAKE_USER_BASE + 8ull * word;
}

/* A frame record at that word of the user's memory. */
static void put_record(__u32 word, __u64 fp, __u64 ret)
{
	fake.user[word] = fp;
	fake.user[word + 1] = ret;
}

/* 'n' records, two words each, the last of which ends the chain. Return addresses count up. */
static __u64 put_chain(__u32 n)
{
	__u32 i;

	for (i = 0; i < n; i++)
		put_record(2 * i, i + 1 < n ? address_of(2 * i + 2) : 0,
			   signed_return(CODE + i + 1));
	return address_of(0);
}

static struct ft_stack walk_from(enum mode mode, __u64 pc, __u64 fp)
{
	struct pt_regs context = make_regs(mode, pc, fp);
	struct user_regs regs;
	struct regs_abi saved;
	struct ft_stack stack;

	memset(&stack, 0xaa, sizeof(stack));
	regs_take((const void *)&context, &regs);
	regs_to_user(fake.current, &regs, &saved);
	frame_pointer_walk(&regs, &stack);
	return stack;
}

static struct mm_struct memory;
static struct task_struct task;
static struct pt_regs saved;

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&saved, 0, sizeof(saved));
	task = (struct task_struct){ .pid = 7, .tgid = 7, .mm = &memory };
	fake.current = &task;
	fake.saved = &saved;
	return 0;
}

static void assert_stack(const struct ft_stack *stack, __u32 n, __u32 end)
{
	__u32 i;

	assert_int_equal(stack->n, n);
	assert_int_equal(stack->end, end);
	for (i = 0; i < n; i++)
		assert_int_equal(stack->pcs[i], CODE + i);
}

static void a_chain_that_ends_in_null_reached_the_root(void **state)
{
	struct ft_stack stack = walk_from(MODE_USER, CODE, put_chain(5));

	(void)state;
	assert_stack(&stack, 6, FT_END_NULL);
}

static void no_frame_pointer_is_a_root_of_one_frame(void **state)
{
	struct ft_stack stack = walk_from(MODE_USER, CODE, 0);

	(void)state;
	assert_stack(&stack, 1, FT_END_NULL);
}

static void a_null_return_address_is_the_root(void **state)
{
	struct ft_stack stack;

	(void)state;
	put_record(0, address_of(2), signed_return(CODE + 1));
	put_record(2, address_of(4), 0);
	stack = walk_from(MODE_USER, CODE, address_of(0));
	assert_stack(&stack, 2, FT_END_NULL);
}

static void a_frame_pointer_that_goes_down_is_broken(void **state)
{
	struct ft_stack stack;

	(void)state;
	put_record(8, address_of(4), signed_return(CODE + 1));
	put_record(4, 0, signed_return(CODE + 2));
	stack = walk_from(MODE_USER, CODE, address_of(8));
	assert_stack(&stack, 2, FT_END_FRAME_POINTER);
}

static void a_record_that_points_to_itself_is_broken(void **state)
{
	struct ft_stack stack;

	(void)state;
	put_record(8, address_of(8), signed_return(CODE + 1));
	stack = walk_from(MODE_USER, CODE, address_of(8));
	assert_stack(&stack, 2, FT_END_FRAME_POINTER);
}

static void a_misaligned_frame_pointer_is_broken(void **state)
{
	struct ft_stack stack = walk_from(MODE_USER, CODE, address_of(0) + 4);

	(void)state;
	assert_stack(&stack, 1, FT_END_FRAME_POINTER);
}

static void memory_that_cannot_be_read_ends_the_walk(void **state)
{
	struct ft_stack stack;

	(void)state;
	put_record(0, address_of(FAKE_USER_WORDS), signed_return(CODE + 1));
	stack = walk_from(MODE_USER, CODE, address_of(0));
	assert_stack(&stack, 2, FT_END_READ_FAILED);
	/* Half a record is none. */
	stack = walk_from(MODE_USER, CODE, address_of(FAKE_USER_WORDS - 1));
	assert_stack(&stack, 1, FT_END_READ_FAILED);
	stack = walk_from(MODE_USER, CODE, ~7ULL);
	assert_stack(&stack, 1, FT_END_READ_FAILED);
}

static void a_deeper_chain_is_cut_and_says_so(void **state)
{
	struct ft_stack stack = walk_from(MODE_USER, CODE, put_chain(FT_MAX_FRAMES));

	(void)state;
	assert_stack(&stack, FT_MAX_FRAMES, FT_END_DEPTH);
}

static void the_deepest_chain_that_fits_is_complete(void **state)
{
	struct ft_stack stack = walk_from(MODE_USER, CODE, put_chain(FT_MAX_FRAMES - 1));

	(void)state;
	assert_stack(&stack, FT_MAX_FRAMES, FT_END_NULL);
}

static void code_of_32_bits_has_its_pc_alone(void **state)
{
	struct ft_stack stack = walk_from(MODE_USER32, CODE, put_chain(5));

	(void)state;
	assert_stack(&stack, 1, FT_END_RULE_UNSUPPORTED);
}

static void in_the_kernel_the_saved_registers_count(void **state)
{
	struct ft_stack stack;

	(void)state;
	saved = make_regs(MODE_USER, CODE, put_chain(3));
	stack = walk_from(MODE_KERNEL, 0xffffffff81000000, 0x1234567890);
	assert_stack(&stack, 4, FT_END_NULL);
}

static void without_the_helper_they_are_at_the_top_of_the_kernel_stack(void **state)
{
	static __u64 kernel_stack[16384 / 8];
	struct ft_stack stack;

	(void)state;
	assert_int_equal(cfg_kernel_stack_bytes, sizeof(kernel_stack));
	saved = make_regs(MODE_USER, CODE, put_chain(3));
	memcpy((char *)kernel_stack + sizeof(kernel_stack) - sizeof(saved), &saved, sizeof(saved));
	memset(&saved, 0, sizeof(saved));
	task.stack = kernel_stack;
	fake.lacks_task_pt_regs = true;
	stack = walk_from(MODE_KERNEL, 0xffffffff81000000, 0);
	assert_stack(&stack, 4, FT_END_NULL);
}

static void kernel_threads_have_no_user_stack(void **state)
{
	struct ft_stack stack;

	(void)state;
	saved = make_regs(MODE_USER, CODE, put_chain(3));
	task.flags = FT_PF_KTHREAD;
	stack = walk_from(MODE_KERNEL, 0xffffffff81000000, 0);
	assert_stack(&stack, 0, FT_END_NONE);
}

static void tasks_without_memory_have_no_user_stack(void **state)
{
	struct ft_stack stack;

	(void)state;
	saved = make_regs(MODE_USER, CODE, put_chain(3));
	task.mm = NULL;
	stack = walk_from(MODE_KERNEL, 0xffffffff81000000, 0);
	assert_stack(&stack, 0, FT_END_NONE);
}

static void saved_registers_of_kernel_mode_are_not_taken(void **state)
{
	struct ft_stack stack;

	(void)state;
	saved = make_regs(MODE_KERNEL, CODE, put_chain(3));
	stack = walk_from(MODE_KERNEL, 0xffffffff81000000, 0);
	assert_stack(&stack, 0, FT_END_NONE);
}

static void registers_that_cannot_be_read_are_no_user_stack(void **state)
{
	struct ft_stack stack;

	(void)state;
	saved = make_regs(MODE_USER, CODE, put_chain(3));
	fake.saved = NULL; /* an address that cannot be read */
	stack = walk_from(MODE_KERNEL, 0xffffffff81000000, 0);
	assert_stack(&stack, 0, FT_END_NONE);
}

#define WALK_TEST(name) cmocka_unit_test_setup(name, set_up)
#define WALK_TESTS                                                                     \
	WALK_TEST(a_chain_that_ends_in_null_reached_the_root),                         \
		WALK_TEST(no_frame_pointer_is_a_root_of_one_frame),                    \
		WALK_TEST(a_null_return_address_is_the_root),                          \
		WALK_TEST(a_frame_pointer_that_goes_down_is_broken),                   \
		WALK_TEST(a_record_that_points_to_itself_is_broken),                   \
		WALK_TEST(a_misaligned_frame_pointer_is_broken),                       \
		WALK_TEST(memory_that_cannot_be_read_ends_the_walk),                   \
		WALK_TEST(a_deeper_chain_is_cut_and_says_so),                          \
		WALK_TEST(the_deepest_chain_that_fits_is_complete),                    \
		WALK_TEST(code_of_32_bits_has_its_pc_alone),                           \
		WALK_TEST(in_the_kernel_the_saved_registers_count),                    \
		WALK_TEST(without_the_helper_they_are_at_the_top_of_the_kernel_stack), \
		WALK_TEST(kernel_threads_have_no_user_stack),                          \
		WALK_TEST(tasks_without_memory_have_no_user_stack),                    \
		WALK_TEST(saved_registers_of_kernel_mode_are_not_taken),               \
		WALK_TEST(registers_that_cannot_be_read_are_no_user_stack)
