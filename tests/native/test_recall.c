/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks that are recalled instead of walked: they are those that a walk would find. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "tests/native/random.h"

#define FT_COLLECTOR FT_COLLECTOR_IO

int user_stack_frames(__u32 place);

/* The loader sets cfg_* before the programs are loaded; here they are plain variables. */
#define const
#include "bpf/sample.bpf.h"
#undef const

#include "tests/native/program_tables.h"

static struct fake_map *recall_map;

static int set_up(void **state)
{
	(void)state;
	set_up_program();
	fake_map_resize(stack_map, 4096);
	recall_map = FAKE_MAP(recalls);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_maps_release();
	return 0;
}

struct taken {
	__u64 number;
	__u64 was_recalled;
};

/* A sample of the task as it is in a system call. */
static struct taken take(void)
{
	struct sample *s = sample_take();
	struct taken t;

	assert_non_null(s);
	assert_int_equal(sample_task(s), 0);
	sample_user_stack(s);
	assert_int_equal(sample_keep(s, 0), 0);
	t = (struct taken){ s->origin.user_stack, s->recalled };
	sample_release(s);
	return t;
}

/* The same without a memory. */
static __u64 take_anew(void)
{
	struct taken t;

	fake_map_resize(recall_map, recall_map->max_entries);
	t = take();
	assert_int_equal(t.was_recalled, 0);
	return t.number;
}

/* 'depth' callers, of frames of 16 bytes from word 'sp' of the stack on. */
static void call(__u32 depth, __u32 sp)
{
	__u32 i;

	for (i = 1; i < depth; i++)
		fake.user[sp + 2 * i - 1] = CODE + 0x25 + 16 * (i % 40);
	fake.user[sp + 2 * depth - 1] = CODE + 5; /* of where it starts */
	saved = make_regs(USER_CS, CODE + 0x10, sp);
}

static void the_same_stack_is_recalled(void **state)
{
	struct taken first, second;

	(void)state;
	put_process(&memory, 2);
	call(10, 20);
	first = take();
	second = take();
	assert_int_equal(first.was_recalled, 0);
	assert_int_equal(second.was_recalled, first.number);
	assert_int_equal(second.number, first.number);
	assert_int_equal(stack_map->n, 1);
}

static void one_other_return_address_is_another_stack(void **state)
{
	__u32 depth, i;

	(void)state;
	put_process(&memory, 2);
	for (depth = 2; depth <= 40; depth += 19) {
		for (i = 1; i < depth; i++) {
			struct taken before, after;

			call(depth, 20);
			before = take();
			fake.user[20 + 2 * i - 1] += 16;
			after = take();
			assert_int_equal(after.was_recalled, 0);
			assert_int_not_equal(after.number, before.number);
			assert_int_equal(after.number, take_anew());
		}
	}
}

static __u64 *saved_reg(size_t offset)
{
	return &saved.words[offset / 8];
}

static void registers_that_programs_count_in_do_not_matter(void **state)
{
	(void)state;
	put_process(&memory, 2);
	call(10, 20);
	take();
	*saved_reg(offsetof(struct regs_abi, bp)) = 8;
	assert_int_not_equal(take().was_recalled, 0);
	*saved_reg(offsetof(struct regs_abi, bx)) = 8;
	assert_int_not_equal(take().was_recalled, 0);
}

/* Of the innermost function. */
static void frames_are_found_by(__u8 number, __u64 *reg)
{
	__u64 here = FAKE_USER_BASE + 8 * 20;
	struct taken before;

	rule(3)->cfa_reg = number;
	call(10, 20);
	*reg = here;
	before = take();
	assert_int_equal(before.was_recalled, 0);
	assert_int_equal(take().was_recalled, before.number);
	*reg = here + 16; /* it has left out a caller */
	assert_int_equal(take().was_recalled, 0);
	assert_int_not_equal(take().number, before.number);
}

static void registers_that_frames_are_found_by_matter(void **state)
{
	(void)state;
	put_process(&memory, 2);
	frames_are_found_by(FT_X86_RBP, saved_reg(offsetof(struct regs_abi, bp)));
	fake_map_resize(recall_map, recall_map->max_entries);
	frames_are_found_by(FT_X86_RBX, saved_reg(offsetof(struct regs_abi, bx)));
	rule(3)->cfa_reg = 12; /* one that is not kept */
	call(10, 20);
	*saved_reg(offsetof(struct regs_abi, r12)) = FAKE_USER_BASE + 8 * 20;
	take_anew();
	assert_int_equal(take().was_recalled, 0);
}

static void another_thread_or_memory_has_its_own(void **state)
{
	struct mm_struct other = { 0 };

	(void)state;
	put_process(&memory, 2);
	call(10, 20);
	take();
	task.pid = 8;
	assert_int_equal(take().was_recalled, 0);
	task.pid = 7;
	task.mm = &other;
	put_process(&other, 2);
	assert_int_equal(take().was_recalled, 0);
}

/* It is unwound late, or it ends where nobody knows what comes next. */
static void stacks_without_a_root_are_not_remembered(void **state)
{
	(void)state;
	call(10, 20); /* of a process that is not known */
	take();
	assert_int_equal(recall_map->n, 0);
	put_process(&memory, 2);
	fake.ring_is_full = true;
	fake.user[20 + 7] = 0x666666;
	take();
	assert_int_equal(recall_map->n, 0);
	call(RECALL_FRAMES + 1, 20);
	take();
	assert_int_equal(recall_map->n, 0);
	call(RECALL_FRAMES, 20);
	take();
	assert_int_equal(recall_map->n, 1);
}

static void memory_that_cannot_be_read_recalls_nothing(void **state)
{
	struct taken first;

	(void)state;
	put_process(&memory, 2);
	call(10, 20);
	first = take();
	saved = make_regs(USER_CS, CODE + 0x10, 1 << 20);
	assert_int_equal(take().was_recalled, 0);
	call(10, 20);
	assert_int_equal(take().number, first.number);
}

/* Whatever is on the stack: what is recalled is what a walk finds. */
static void recalled_stacks_are_those_of_a_walk(void **state)
{
	__u32 round, i, recalled = 0;

	(void)state;
	put_process(&memory, 2);
	fake.ring_is_full = true;
	for (round = 0; round < 4000; round++) {
		struct taken t;

		if (!(round % 8))
			call(2 + random_below(60), random_below(40));
		for (i = random_below(3); i--;)
			fake.user[random_below(200)] = CODE + 0x15 + 16 * random_below(200);
		if (!random_below(30))
			saved.words[offsetof(struct regs_abi, ip) / 8] =
				CODE + 0x10 + 16 * random_below(200);
		t = take();
		recalled += t.was_recalled != 0;
		if (t.was_recalled)
			assert_int_equal(t.number, take_anew());
	}
	assert_true(recalled > 300);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_same_stack_is_recalled),
		TEST(one_other_return_address_is_another_stack),
		TEST(registers_that_programs_count_in_do_not_matter),
		TEST(registers_that_frames_are_found_by_matter),
		TEST(another_thread_or_memory_has_its_own),
		TEST(stacks_without_a_root_are_not_remembered),
		TEST(memory_that_cannot_be_read_recalls_nothing),
		TEST(recalled_stacks_are_those_of_a_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
