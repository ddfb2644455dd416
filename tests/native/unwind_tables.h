/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unwind_tables: memory and tables for walks (bpf/unwind_step.h), in plain arrays. The includer
 * says which architecture; it defines what unwind_step.h asks for by these.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/types.h>
#include <stdbool.h>
#include <string.h>

#include "bpf/unwind_step.h"

#define STACK_WORDS 512
#define STACK	    0x7ffc00000000ull
#define CODE_BYTES  256
#define MAX_RULES   64
#define MAX_LIST    64
#define N_PAGES	    16

/* Code in the file begins at page 4 of its addresses, and in memory 'BIAS' further. */
#define FILE_CODE 0x4000ull
#define BIAS	  0x555500000000ull
#define CODE	  (FILE_CODE + BIAS)
#define JIT	  0x333300000000ull

static struct {
	__u64 stack[STACK_WORDS];
	__u8 code[CODE_BYTES]; /* at JIT */
	struct ft_unwind_rule rules[MAX_RULES];
	__u32 n_rules;
	struct ft_unwind_page pages[N_PAGES];
	struct ft_unwind_chunk chunk;
	struct ft_unwind_mapping list[MAX_LIST];
	__u32 n_list;
	__u32 n_reads;
} world;

static __u64 stack_at(__u32 word)
{
	return STACK + 8ull * word;
}

static long unwind_read(void *ctx, void *to, __u32 size, __u64 from)
{
	(void)ctx;
	world.n_reads++;
	if (from < STACK || from - STACK > sizeof(world.stack) ||
	    size > sizeof(world.stack) - (from - STACK))
		return -1;
	memcpy(to, (const char *)world.stack + (from - STACK), size);
	return 0;
}

static inline long unwind_read_code(void *ctx, void *to, __u32 size, __u64 from)
{
	(void)ctx;
	if (from < JIT || from - JIT > CODE_BYTES || size > CODE_BYTES - (from - JIT))
		return -1;
	memcpy(to, world.code + (from - JIT), size);
	return 0;
}

static __u32 unwind_locate(void *ctx, struct unwind_walk *w, __u64 address)
{
	__u32 i;

	(void)ctx;
	for (i = 0; i < world.n_list; i++) {
		if (world.list[i].start <= address && address < world.list[i].end) {
			w->at = world.list[i];
			return 0;
		}
	}
	return FT_END_UNKNOWN_MAPPING;
}

static const struct ft_unwind_page *unwind_page_at(void *ctx, __u32 number)
{
	(void)ctx;
	return number < N_PAGES ? &world.pages[number] : NULL;
}

static const struct ft_unwind_chunk *unwind_chunk_of(void *ctx, __u32 row)
{
	(void)ctx;
	return row < FT_CHUNK_ROWS ? &world.chunk : NULL;
}

static const struct ft_unwind_rule *unwind_rule_at(void *ctx, __u32 number)
{
	(void)ctx;
	return number < world.n_rules ? &world.rules[number] : NULL;
}

static void map_kind(__u64 start, __u64 end, __u16 kind)
{
	/* Page 0 of the file would be four before the store's first one: that wraps. */
	world.list[world.n_list++] = (struct ft_unwind_mapping){
		.start = start,
		.end = end,
		.bias = BIAS,
		.page = -(__u32)(FILE_CODE >> FT_PAGE_SHIFT),
		.kind = kind,
	};
}

/* The n-th 16 bytes of the code, each with a rule of its own, by which rule 'n' + 2 is meant. */
#define FUNCTION(n) (CODE + 16ull * (n))

static __u32 add_rule(struct ft_unwind_rule rule)
{
	world.rules[world.n_rules] = rule;
	return world.n_rules++ - 2;
}

static void set_up_world(void)
{
	__u32 i;

	memset(&world, 0, sizeof(world));
	world.n_rules = 2;
	world.rules[FT_RULE_ROOT] = (struct ft_unwind_rule){ .cfa = FT_CFA_REG,
							     .cfa_reg = UNWIND_SP,
							     .ra = FT_SAVED_UNDEFINED };
	world.chunk.rows[0] = FT_ROW(FILE_CODE, FT_RULE_NO_CFI);
	for (i = 0; i < MAX_RULES - 2; i++)
		world.chunk.rows[1 + i] = FT_ROW(FILE_CODE + 16 * i, i + 2);
	world.chunk.rows[MAX_RULES - 1] = FT_ROW(FILE_CODE + 16 * i, FT_RULE_NO_CFI);
	world.chunk.rows[MAX_RULES] = FT_ROW(FILE_CODE + 16 * (i + 1), FT_RULE_ROOT);
	world.pages[0] = (struct ft_unwind_page){ .row = 0, .n = MAX_RULES };
	world.pages[1] = (struct ft_unwind_page){ .row = MAX_RULES, .n = 0 };
	map_kind(CODE, CODE + 2 * 4096, FT_MAPPING_TABLE);
	map_kind(JIT, JIT + 4096, FT_MAPPING_NO_CFI);
}
#define NO_CFI (FUNCTION(MAX_RULES - 2) + 4)
#define ROOT   (FUNCTION(MAX_RULES - 1) + 4)

/* Registers that tell who they are: 1000 + their number. */
static struct unwind_entry make_entry(__u64 pc, __u64 sp)
{
	struct unwind_entry entry = { .pc = pc };
	__u32 i;

	for (i = 0; i < FT_REGS; i++)
		entry.regs[i] = 1000 + i;
	entry.regs[UNWIND_SP] = sp;
	return entry;
}

static struct unwind_walk begin(const struct unwind_entry *entry)
{
	struct unwind_walk walk;

	memset(&walk, 0xaa, sizeof(walk));
	unwind_begin(entry, &walk);
	return walk;
}

/* As a frame that has called: no registers are known but those that are followed. */
static struct unwind_walk begin_as_caller(const struct unwind_entry *entry)
{
	struct unwind_walk walk = begin(entry);

	walk.known = UNWIND_CALLER;
	walk.pc++;
	return walk;
}
