/* SPDX-License-Identifier: BSD-2-Clause */
/* step_tests: steps that are the same for each architecture. */
#pragma once

#include "tests/native/random.h"
#include "tests/native/unwind_tables.h"

static int set_up(void **state)
{
	(void)state;
	set_up_world();
	return 0;
}

/* --- the canonical frame address ---------------------------------------------------------- */

static void the_caller_is_where_its_register_says(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w = begin(&entry);

	(void)state;
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_REG,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = 32,
					  .ra = FT_SAVED_AT_CFA,
					  .ra_offset = -8,
					  .fp_bx = FT_SAVED_AT_CFA,
					  .fp_offset = -16 });
	world.stack[23] = CODE + 77;
	world.stack[22] = 12345;
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, CODE + 77);
	assert_int_equal(w.sp, stack_at(24));
	assert_int_equal(w.fp, 12345);
	assert_int_equal(w.known, UNWIND_CALLER);
}

static void the_frame_pointer_may_give_the_frame(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w;

	(void)state;
	entry.regs[UNWIND_FP] = stack_at(30);
	w = begin(&entry);
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_REG,
					  .cfa_reg = UNWIND_FP,
					  .cfa_offset = 16,
					  .ra = FT_SAVED_AT_FP,
					  .ra_offset = 8,
					  .fp_bx = FT_SAVED_AT_FP });
	world.stack[30] = stack_at(50);
	world.stack[31] = CODE + 77;
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, CODE + 77);
	assert_int_equal(w.sp, stack_at(32));
	assert_int_equal(w.fp, stack_at(50));
}

static void other_registers_are_known_only_in_the_innermost_frame(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w;

	(void)state;
	entry.regs[10] = stack_at(40);
	add_rule((struct ft_unwind_rule){
		.cfa = FT_CFA_REG, .cfa_reg = 10, .ra = FT_SAVED_AT_CFA, .ra_offset = -8 });
	world.stack[39] = CODE + 77;
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.sp, stack_at(40));
	w = begin_as_caller(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_RULE_UNSUPPORTED);
	w = begin(&entry);
	w.known = UNWIND_INTERRUPTED;
	w.restored[10] = stack_at(60);
	world.stack[59] = CODE + 99;
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.sp, stack_at(60));
	assert_int_equal(w.pc, CODE + 99);
}

static void the_frame_may_be_in_memory(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w = begin(&entry);

	(void)state;
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_DEREF,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = -16,
					  .cfa_add = 24,
					  .ra = FT_SAVED_AT_CFA,
					  .ra_offset = -8 });
	world.stack[18] = stack_at(37);
	world.stack[39] = CODE + 77;
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.sp, stack_at(40));
	assert_int_equal(w.pc, CODE + 77);
	/* Memory that cannot be read. */
	world.rules[2].cfa_offset = -4096;
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_RULE_UNSUPPORTED);
}

static void rules_that_cannot_be_used_say_so(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w = begin(&entry);

	(void)state;
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_UNSUPPORTED, .ra = FT_SAVED_AT_CFA });
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_RULE_UNSUPPORTED);
	world.rules[2] = (struct ft_unwind_rule){ .cfa = FT_CFA_REG,
						  .cfa_reg = UNWIND_SP,
						  .cfa_offset = 32,
						  .ra = FT_SAVED_UNSUPPORTED };
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_RULE_UNSUPPORTED);
	world.rules[2].ra = FT_SAVED_CFA_PLUS; /* of a return address it says nothing */
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_RULE_UNSUPPORTED);
	assert_int_equal(w.pc, FUNCTION(0));
	assert_int_equal(w.sp, stack_at(20));
}

/* Or a walk might go round and round. */
static void a_caller_whose_frame_is_not_above_ends_the_walk(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w = begin_as_caller(&entry);

	(void)state;
	add_rule((struct ft_unwind_rule){
		.cfa = FT_CFA_REG, .cfa_reg = UNWIND_SP, .ra = FT_SAVED_AT_CFA, .ra_offset = -8 });
	world.stack[19] = CODE + 77;
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_RULE_UNSUPPORTED);
	world.rules[2].cfa_offset = -8;
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_RULE_UNSUPPORTED);
	/* The innermost frame may have no memory of its own, and signals have other stacks. */
	world.rules[2].cfa_offset = 0;
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	w = begin_as_caller(&entry);
	world.rules[2].cfa |= FT_CFA_SIGNAL;
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
}

static void the_outermost_frame_is_the_root(void **state)
{
	struct unwind_entry entry = make_entry(ROOT, stack_at(20));
	struct unwind_walk w = begin(&entry);

	(void)state;
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_ROOT);
	/* Whatever else the rule says. */
	world.rules[FT_RULE_ROOT].cfa = FT_CFA_UNSUPPORTED;
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_ROOT);
}

/* --- registers ------------------------------------------------------------------------------- */

static void a_return_address_may_be_in_a_register(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w = begin(&entry);

	(void)state;
	entry.regs[11] = CODE + 55;
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_REG,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = 16,
					  .ra = FT_SAVED_IN_REG,
					  .ra_offset = 11 });
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, CODE + 55);
	w = begin_as_caller(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_RULE_UNSUPPORTED);
	/* A number that there is no register of. */
	world.rules[2].ra_offset = -32000;
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, entry.regs[(__u32)-32000 & (FT_REGS - 1)]);
}

/* Each way to save a register, near the return address and far from it. */
static void registers_are_restored_from_wherever_they_are(void **state)
{
	static const struct {
		__u8 how;
		__s16 offset;
		__u64 want;
	} cases[] = {
		{ FT_SAVED_SAME, 0, 0 /* the register itself */ },
		{ FT_SAVED_AT_CFA, -16, 500 + 38 },
		{ FT_SAVED_AT_CFA, -8 * 8, 500 + 32 }, /* the first word of the window */
		{ FT_SAVED_AT_CFA, -9 * 8, 500 + 31 }, /* before it */
		{ FT_SAVED_AT_CFA, 0, 500 + 40 },
		{ FT_SAVED_AT_CFA, 8, 500 + 41 }, /* behind it */
		{ FT_SAVED_AT_SP, 0, 500 + 20 },
		{ FT_SAVED_AT_SP, 8 * 14, 500 + 34 },
		{ FT_SAVED_AT_FP, 8, 500 + 61 },
		{ FT_SAVED_CFA_PLUS, -24, 0 /* not memory */ },
		{ FT_SAVED_UNDEFINED, 0, 0 },
		{ FT_SAVED_UNSUPPORTED, 0, 0 },
		{ FT_SAVED_AT_CFA, 32000, 0 }, /* cannot be read */
	};
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	size_t i;

	(void)state;
	entry.regs[UNWIND_FP] = stack_at(60);
	for (i = 0; i < STACK_WORDS; i++)
		world.stack[i] = 500 + i;
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_REG,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = 160,
					  .ra = FT_SAVED_AT_CFA,
					  .ra_offset = -8 });
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct unwind_walk w = begin(&entry);
		__u64 want = cases[i].want;

		if (cases[i].how == FT_SAVED_SAME)
			want = stack_at(60);
		if (cases[i].how == FT_SAVED_CFA_PLUS)
			want = stack_at(40) - 24;
		world.rules[2].fp_bx = cases[i].how;
		world.rules[2].fp_offset = cases[i].offset;
		assert_int_equal(unwind_step(NULL, &entry, &w), 0);
		assert_int_equal(w.fp, want);
		assert_int_equal(w.pc, 500 + 39);
#if defined(__TARGET_ARCH_x86)
		if (cases[i].how == FT_SAVED_SAME)
			want = 1003;
		world.rules[2].fp_bx = cases[i].how << 4;
		world.rules[2].fp_offset = 0;
		world.rules[2].bx_offset = cases[i].offset;
		w = begin(&entry);
		assert_int_equal(unwind_step(NULL, &entry, &w), 0);
		assert_int_equal(w.bx, want);
		assert_int_equal(w.fp, stack_at(60));
		world.rules[2].bx_offset = 0;
#endif
	}
}

/* A word that begins within one of the window is none of those. */
static void words_that_are_not_aligned_are_read_on_their_own(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w = begin(&entry);
	__u64 want;

	(void)state;
	world.stack[37] = 0x1122334455667788;
	world.stack[38] = 0x99aabbccddeeff00;
	world.stack[39] = CODE + 77;
	memcpy(&want, (char *)&world.stack[37] + 4, 8);
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_REG,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = 160,
					  .ra = FT_SAVED_AT_CFA,
					  .ra_offset = -8,
					  .fp_bx = FT_SAVED_AT_CFA,
					  .fp_offset = -20 });
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.fp, want);
}

static void near_the_start_of_the_stack_words_are_read_one_by_one(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(0));
	struct unwind_walk w = begin(&entry);

	(void)state;
	world.stack[0] = CODE + 77;
	world.stack[1] = 4321;
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_REG,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = 16,
					  .ra = FT_SAVED_AT_CFA,
					  .ra_offset = -16,
					  .fp_bx = FT_SAVED_AT_CFA,
					  .fp_offset = -8 });
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, CODE + 77);
	assert_int_equal(w.fp, 4321);
	assert_int_equal(world.n_reads, 3);
}

static void a_stack_that_cannot_be_read_says_so(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(STACK_WORDS));
	struct unwind_walk w = begin(&entry);

	(void)state;
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_REG,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = 16,
					  .ra = FT_SAVED_AT_CFA,
					  .ra_offset = -8 });
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_READ_FAILED);
}

/* --- which rule ------------------------------------------------------------------------------ */

/* A call may be the last thing that a function does. */
static void a_caller_is_looked_up_by_its_call(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(1), stack_at(20));
	struct unwind_walk w;

	(void)state;
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_REG,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = 16,
					  .ra = FT_SAVED_AT_CFA,
					  .ra_offset = -8 });
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_REG,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = 32,
					  .ra = FT_SAVED_AT_CFA,
					  .ra_offset = -8 });
	world.stack[21] = world.stack[23] = CODE + 5;
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.sp, stack_at(24));
	w = begin_as_caller(&entry);
	w.pc = FUNCTION(1); /* it returns to the first byte of the next one */
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.sp, stack_at(22));
	w = begin(&entry);
	w.known = UNWIND_INTERRUPTED; /* it did not call */
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.sp, stack_at(24));
}

static void what_a_mapping_has_says_how_the_walk_ends(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w = begin(&entry);

	(void)state;
	world.list[0].kind = FT_MAPPING_PENDING;
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_PENDING);
	world.list[0].kind = FT_MAPPING_FULL;
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_NO_TABLE);
	world.list[0].kind = 77;
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_NO_TABLE);
	entry.pc = 0x1234;
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_UNKNOWN_MAPPING);
	entry.pc = 0;
	w = begin_as_caller(&entry);
	w.pc = 0;
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_UNKNOWN_MAPPING);
}

/* Whatever a page says, nothing is read outside of the tables. */
static void broken_pages_are_no_rules(void **state)
{
	struct unwind_entry entry = make_entry(FUNCTION(0), stack_at(20));
	struct unwind_walk w;
	int i;

	(void)state;
	entry.regs[UNWIND_FP] = 0;
	for (i = 0; i < 1000; i++) {
		world.pages[0] = (struct ft_unwind_page){ .row = random_below(2 * FT_CHUNK_ROWS),
							  .n = random_below(65536) };
		world.list[0].page = random_below(4) ? world.list[0].page : random_below(1 << 30);
		entry.pc = CODE + random_below(4096);
		w = begin(&entry);
		unwind_step(NULL, &entry, &w);
	}
}

/* The rule that holds at an address by looking at one row after the other. */
static __u32 naive_rule(__u32 first, __u32 n, __u32 low)
{
	__u32 i, rule = FT_ROW_RULE(world.chunk.rows[first]);

	for (i = 1; i <= n; i++) {
		if (FT_ROW_LOW(world.chunk.rows[first + i]) <= low)
			rule = FT_ROW_RULE(world.chunk.rows[first + i]);
	}
	return rule;
}

static void random_pages_are_searched_as_one_would_row_by_row(void **state)
{
	static const __u32 sizes[] = { 0, 1, 2, 3, 7, 8, 100, 2047, 2048, 4094, 4095 };
	struct ft_unwind_mapping at = { .bias = BIAS };
	__u32 round, i, n, first, page;

	(void)state;
	world.n_rules = MAX_RULES;
	for (round = 0; round < 60; round++) {
		n = round < 11 ? sizes[round] : random_below(4096);
		first = random_below(FT_CHUNK_ROWS - 4096);
		page = random_below(N_PAGES);
		at.page = page - 5;
		world.pages[page] = (struct ft_unwind_page){ .row = first, .n = n };
		/* The one before may begin anywhere. */
		world.chunk.rows[first] = FT_ROW(random_below(65536), random_below(MAX_RULES));
		for (i = 1; i <= n; i++) /* at different addresses behind the page's start */
			world.chunk.rows[first + i] = FT_ROW(0x5000 + 1 + (__u64)(i - 1) * 4095 / n,
							     random_below(MAX_RULES));
		for (i = 0; i < 4096; i += n < 50 ? 1 : 1 + random_below(16)) {
			const struct ft_unwind_rule *rule =
				unwind_find_rule(NULL, &at, BIAS + 0x5000 + i);

			assert_int_equal(rule - world.rules, naive_rule(first, n, 0x5000 + i));
		}
	}
}

/* --- without call frame information --------------------------------------------------------- */

static void frame_pointers_lead_back_to_tables(void **state)
{
	struct unwind_entry entry = make_entry(JIT + 100, stack_at(20));
	struct unwind_walk w;

	(void)state;
	add_rule((struct ft_unwind_rule){ .cfa = FT_CFA_REG,
					  .cfa_reg = UNWIND_SP,
					  .cfa_offset = 16,
					  .ra = FT_SAVED_AT_CFA,
					  .ra_offset = -8 });
	entry.regs[UNWIND_FP] = stack_at(30);
	world.stack[30] = stack_at(40);
	world.stack[31] = JIT + 200;
	world.stack[40] = 7777;
	world.stack[41] = FUNCTION(0) + 5;
	world.stack[43] = ROOT;
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, JIT + 200);
	assert_int_equal(w.sp, stack_at(32));
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, FUNCTION(0) + 5);
	assert_int_equal(w.fp, 7777);
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, ROOT);
	assert_int_equal(w.sp, stack_at(44));
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_ROOT);
}

/* In a file with tables, too. */
static void rows_without_information_are_walked_by_frame_pointer(void **state)
{
	struct unwind_entry entry = make_entry(NO_CFI, stack_at(20));
	struct unwind_walk w;

	(void)state;
	entry.regs[UNWIND_FP] = stack_at(30);
	world.stack[31] = ROOT;
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), 0);
	assert_int_equal(w.pc, ROOT);
}

static void a_chain_that_is_none_ends_the_walk(void **state)
{
	struct unwind_entry entry = make_entry(JIT + 100, stack_at(20));
	struct unwind_walk w;

	(void)state;
	entry.regs[UNWIND_FP] = 0;
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_NULL);
	entry.regs[UNWIND_FP] = stack_at(30) + 4;
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_NO_CFI);
	entry.regs[UNWIND_FP] = stack_at(19); /* below the stack pointer */
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_NO_CFI);
	entry.regs[UNWIND_FP] = stack_at(STACK_WORDS - 1);
	w = begin(&entry);
	assert_int_equal(unwind_step(NULL, &entry, &w), FT_END_NO_CFI);
}

#define STEP_TEST(name) cmocka_unit_test_setup(name, set_up)
#define STEP_TESTS                                                                \
	STEP_TEST(the_caller_is_where_its_register_says),                         \
		STEP_TEST(the_frame_pointer_may_give_the_frame),                  \
		STEP_TEST(other_registers_are_known_only_in_the_innermost_frame), \
		STEP_TEST(the_frame_may_be_in_memory),                            \
		STEP_TEST(rules_that_cannot_be_used_say_so),                      \
		STEP_TEST(a_caller_whose_frame_is_not_above_ends_the_walk),       \
		STEP_TEST(the_outermost_frame_is_the_root),                       \
		STEP_TEST(a_return_address_may_be_in_a_register),                 \
		STEP_TEST(registers_are_restored_from_wherever_they_are),         \
		STEP_TEST(words_that_are_not_aligned_are_read_on_their_own),      \
		STEP_TEST(near_the_start_of_the_stack_words_are_read_one_by_one), \
		STEP_TEST(a_stack_that_cannot_be_read_says_so),                   \
		STEP_TEST(a_caller_is_looked_up_by_its_call),                     \
		STEP_TEST(what_a_mapping_has_says_how_the_walk_ends),             \
		STEP_TEST(broken_pages_are_no_rules),                             \
		STEP_TEST(random_pages_are_searched_as_one_would_row_by_row),     \
		STEP_TEST(frame_pointers_lead_back_to_tables),                    \
		STEP_TEST(rows_without_information_are_walked_by_frame_pointer),  \
		STEP_TEST(a_chain_that_is_none_ends_the_walk)
