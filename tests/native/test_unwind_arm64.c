/* SPDX-License-Identifier: BSD-2-Clause */
/* Single steps of the walk (bpf/unwind_step.h) on arm64, by tables of a rule for each page. */
#define __TARGET_ARCH_arm64
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/types.h>
#include <stdbool.h>
#include <string.h>

#include "bpf/unwind_step.h"

#define CODE  0x400000ull /* page i has rule i; from NO_CFI on it is code without */
#define PAGES 4
#define STACK 0x7fff0000ull
#define WORDS 128

enum page { LEAF, FRAMED, SIGNAL, NO_CFI };

static const struct ft_unwind_rule rules[PAGES] = {
	[LEAF] = { .cfa = FT_CFA_REG, .cfa_reg = FT_ARM64_SP },
	[FRAMED] = { .cfa = FT_CFA_REG,
		     .cfa_reg = FT_ARM64_SP,
		     .cfa_offset = 32,
		     .ra = FT_SAVED_AT_CFA,
		     .ra_offset = -8,
		     .fp_bx = FT_SAVED_AT_CFA,
		     .fp_offset = -16 },
	[SIGNAL] = { .cfa = FT_CFA_DEREF | FT_CFA_SIGNAL,
		     .cfa_reg = FT_ARM64_SP,
		     .cfa_offset = 560,
		     .ra = FT_SAVED_AT_SP,
		     .ra_offset = 568,
		     .fp_bx = FT_SAVED_AT_SP,
		     .fp_offset = 544 },
};
static struct ft_unwind_chunk chunk;
static struct ft_unwind_page pages[PAGES];
static __u64 stack[WORDS];
static struct unwind_entry entry;
static struct unwind_walk w;

static long unwind_read(void *ctx, void *to, __u32 size, __u64 from)
{
	(void)ctx;
	if (from < STACK || from - STACK > sizeof(stack) - size)
		return -1;
	memcpy(to, (char *)stack + (from - STACK), size);
	return 0;
}

static long unwind_read_code(void *ctx, void *to, __u32 size, __u64 from)
{
	return unwind_read(ctx, to, size, from);
}

static __u32 unwind_locate(void *ctx, struct unwind_walk *walk, __u64 address)
{
	(void)ctx;
	if (address < CODE || address >= CODE + PAGES * 4096)
		return FT_END_UNKNOWN_MAPPING;
	walk->at = (struct ft_unwind_mapping){
		.start = CODE, .end = CODE + PAGES * 4096, .bias = CODE, .kind = FT_MAPPING_TABLE
	};
	return 0;
}

static const struct ft_unwind_page *unwind_page_at(void *ctx, __u32 number)
{
	(void)ctx;
	return number < PAGES ? &pages[number] : NULL;
}

static const struct ft_unwind_chunk *unwind_chunk_of(void *ctx, __u32 row)
{
	(void)ctx;
	return row < FT_CHUNK_ROWS ? &chunk : NULL;
}

static const struct ft_unwind_rule *unwind_rule_at(void *ctx, __u32 number)
{
	(void)ctx;
	return &rules[number % PAGES];
}

static __u64 in(enum page page)
{
	return CODE + page * 4096 + 0x100;
}

static int set_up(void **state)
{
	__u32 i;

	(void)state;
	for (i = 0; i < PAGES; i++) {
		chunk.rows[i] = FT_ROW(i * 4096, i);
		pages[i] = (struct ft_unwind_page){ .row = i };
	}
	memset(stack, 0, sizeof(stack));
	memset(&w, 0, sizeof(w));
	memset(&entry, 0, sizeof(entry));
	entry.regs[FT_ARM64_SP] = STACK;
	return 0;
}

/* One step from the innermost frame. */
static __u32 step_from(enum page page)
{
	entry.pc = in(page);
	unwind_begin(&entry, &w);
	return unwind_step(NULL, &entry, &w);
}

static void assert_at(__u64 pc, __u64 sp, __u64 fp)
{
	assert_int_equal(w.pc, pc);
	assert_int_equal(w.sp, sp);
	assert_int_equal(w.fp, fp);
}

static void a_leaf_returns_to_its_link_register(void **state)
{
	(void)state;
	entry.regs[FT_ARM64_LR] = in(FRAMED);
	assert_int_equal(step_from(LEAF), 0);
	assert_at(in(FRAMED), STACK, 0);
	assert_int_equal(w.known, UNWIND_CALLER);
}

static void a_link_register_of_0_is_where_programs_begin(void **state)
{
	(void)state;
	assert_int_equal(step_from(LEAF), FT_END_NULL);
	/* But a caller's is not known, and it has called. */
	w.known = UNWIND_CALLER;
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_RULE_UNSUPPORTED);
}

static void a_frame_record_is_read_at_once(void **state)
{
	(void)state;
	stack[2] = 0x1234;
	stack[3] = in(LEAF);
	assert_int_equal(step_from(FRAMED), 0);
	assert_at(in(LEAF), STACK + 32, 0x1234);
}

/* PLT entries, and assembly. */
static void code_without_information_has_its_caller_in_the_link_register(void **state)
{
	(void)state;
	entry.regs[FT_ARM64_LR] = in(FRAMED);
	entry.regs[FT_ARM64_FP] = STACK + 64;
	stack[8] = STACK + 128;
	stack[9] = in(LEAF);
	assert_int_equal(step_from(NO_CFI), 0);
	assert_at(in(FRAMED), STACK, STACK + 64);
	/* With a frame pointer that is none, too. */
	entry.regs[FT_ARM64_FP] = 0x1235;
	assert_int_equal(step_from(NO_CFI), 0);
	assert_at(in(FRAMED), STACK, 0x1235);
}

static void unless_it_has_a_frame_record(void **state)
{
	(void)state;
	entry.regs[FT_ARM64_LR] = in(FRAMED);
	entry.regs[FT_ARM64_FP] = STACK + 64;
	stack[8] = STACK + 128;
	stack[9] = in(FRAMED);
	assert_int_equal(step_from(NO_CFI), 0);
	assert_at(in(FRAMED), STACK + 80, STACK + 128);
}

static void or_has_called_something(void **state)
{
	(void)state;
	entry.regs[FT_ARM64_LR] = in(NO_CFI) + 8;
	entry.regs[FT_ARM64_FP] = STACK + 64;
	stack[8] = STACK + 128;
	stack[9] = in(FRAMED);
	assert_int_equal(step_from(NO_CFI), 0);
	assert_at(in(FRAMED), STACK + 80, STACK + 128);
	/* Nor is data an address of code. */
	entry.regs[FT_ARM64_LR] = 0x123456;
	assert_int_equal(step_from(NO_CFI), 0);
	assert_at(in(FRAMED), STACK + 80, STACK + 128);
}

static void behind_a_signal_frame_all_registers_are_known(void **state)
{
	(void)state;
	stack[(312 + 8 * FT_ARM64_LR) / 8] = in(FRAMED);
	stack[(312 + 8 * FT_ARM64_FP) / 8] = 0x1234;
	stack[560 / 8] = STACK + 0x200;
	stack[568 / 8] = in(LEAF);
	assert_int_equal(step_from(SIGNAL), 0);
	assert_at(in(LEAF), STACK + 0x200, 0x1234);
	assert_int_equal(w.known, UNWIND_INTERRUPTED);
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_at(in(FRAMED), STACK + 0x200, 0x1234);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_leaf_returns_to_its_link_register),
		TEST(a_link_register_of_0_is_where_programs_begin),
		TEST(a_frame_record_is_read_at_once),
		TEST(code_without_information_has_its_caller_in_the_link_register),
		TEST(unless_it_has_a_frame_record),
		TEST(or_has_called_something),
		TEST(behind_a_signal_frame_all_registers_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
