// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * stack: our own stack table. A stack is kept under a 64-bit hash of its frames; that it is the
 * same stack is made sure by comparing them, and a second one with that hash is a counted loss.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/ledger.bpf.h"
#include "bpf/wire.h"

/* Perf event programs need preallocated hash maps (all kernels before 6.1). The loader sets the
 * number of entries. */
struct stack_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct ft_stack);
};
struct stack_table stacks_0 SEC(".maps");
struct stack_table stacks_1 SEC(".maps");

/*
 * Stacks are hashed and compared as words, in blocks: a loop over single words has eight times the
 * branches, and the verifier walks each of them whenever the program is loaded.
 */
#define STACK_BLOCK 8
#define STACK_WORDS (sizeof(struct ft_stack) / sizeof(__u64))
_Static_assert(STACK_WORDS == FT_MAX_FRAMES + 1 && STACK_WORDS % STACK_BLOCK == 0, "whole blocks");
_Static_assert((STACK_WORDS & FT_MAX_FRAMES) == 0, "FT_MAX_FRAMES is a mask");

/* A stack that is being made; behind it is room for the zeros that fill up its last block. */
struct stack_buffer {
	struct ft_stack stack;
	__u64 beyond[STACK_BLOCK - 1];
};

/* What an earlier stack left behind the last frame does not belong to this one. */
static __always_inline void stack_fill_up(struct stack_buffer *buffer)
{
	__u64 *behind = (__u64 *)buffer + 1 + (buffer->stack.n & FT_MAX_FRAMES);
	__u32 i;

	for (i = 0; i < STACK_BLOCK - 1; i++)
		behind[i] = 0;
}

/*
 * What the stack is kept under; 0 if it has no frames, and never otherwise. Multiplication by an
 * odd constant and a shift for each word, as in user/base/hash.c.
 */
static __always_inline __u64 stack_hash(struct stack_buffer *buffer)
{
	const __u64 *words = (const __u64 *)buffer;
	__u32 n = buffer->stack.n, i, j;
	__u64 h = 0;

	if (!n)
		return 0;
	stack_fill_up(buffer);
	for (i = 0; i < STACK_WORDS; i += STACK_BLOCK) {
		if (i > n)
			break;
		for (j = 0; j < STACK_BLOCK; j++) {
			h = (h ^ words[i + j]) * 0x9e3779b97f4a7c15ULL;
			h ^= h >> 32;
		}
	}
	return h | 1;
}

/* Of two stacks whose last blocks are filled up. */
static __always_inline int stack_equal(const struct ft_stack *a, const struct ft_stack *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;
	__u32 n = a->n, i, j;

	for (i = 0; i < STACK_WORDS; i += STACK_BLOCK) {
		__u64 differ = 0;

		if (i > n)
			break;
		for (j = 0; j < STACK_BLOCK; j++)
			differ |= x[i + j] ^ y[i + j];
		if (differ)
			return 0;
	}
	return 1;
}

/* Puts the stack into the table, under its stack_hash(). 0, or the ledger slot of the loss. */
static __always_inline __u32 stack_keep(void *table, const struct stack_buffer *buffer, __u64 hash)
{
	const struct ft_stack *stack = &buffer->stack, *have;
	long err;

	have = bpf_map_lookup_elem(table, &hash);
	if (!have) {
		err = bpf_map_update_elem(table, &hash, stack, BPF_NOEXIST);
		if (!err)
			return 0;
		if (err == -16 /* EBUSY */)
			return FT_LOST_MAP_BUSY;
		if (err != -17 /* EEXIST: another CPU was faster */)
			return FT_LOST_STACKS_FULL;
		have = bpf_map_lookup_elem(table, &hash);
		if (!have)
			return FT_LOST_MAP_BUSY;
	}
	return stack_equal(stack, have) ? 0 : FT_LOST_STACK_COLLISION;
}
