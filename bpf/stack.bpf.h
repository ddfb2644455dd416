// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * stack: our own stack table. A stack is kept under a 64-bit hash of its frames; two stacks with
 * one hash are told apart by comparing them, and the second goes under another hash.
 * The includer defines none of the maps: they are here, one pair for each set.
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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, FT_SETS);
	__type(key, __u32);
	__array(values, struct stack_table);
} stack_sets SEC(".maps") = { .values = { &stacks_0, &stacks_1 } };

/* Multiplication by an odd constant and a shift for each word, as in user/base/hash.c. Never 0. */
static __always_inline __u64 stack_hash(const struct ft_stack *stack, __u64 seed)
{
	__u64 h = seed ^ ((__u64)stack->n << 32 | stack->end);
	__u32 i;

	for (i = 0; i < FT_MAX_FRAMES; i++) {
		if (i >= stack->n)
			break;
		h = (h ^ stack->pcs[i]) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 32;
	}
	return h | 1;
}

static __always_inline int stack_equal(const struct ft_stack *a, const struct ft_stack *b)
{
	__u32 i;

	if (a->n != b->n || a->end != b->end)
		return 0;
	for (i = 0; i < FT_MAX_FRAMES; i++) {
		if (i >= a->n)
			break;
		if (a->pcs[i] != b->pcs[i])
			return 0;
	}
	return 1;
}

/* Puts the stack into the table; its hash in *ret. 0, or the ledger slot of the loss. */
static __always_inline __u32 stack_keep(void *table, const struct ft_stack *stack, __u64 *ret)
{
	__u64 hash = stack_hash(stack, 0);
	struct ft_stack *have;
	__u32 try;
	long err;

	for (try = 0; try < 2; try++) {
		have = bpf_map_lookup_elem(table, &hash);
		if (!have) {
			err = bpf_map_update_elem(table, &hash, stack, BPF_NOEXIST);
			if (!err) {
				*ret = hash;
				return 0;
			}
			if (err == -16 /* EBUSY */)
				return FT_LOST_MAP_BUSY;
			if (err != -17 /* EEXIST: another CPU was faster */)
				return FT_LOST_STACKS_FULL;
			have = bpf_map_lookup_elem(table, &hash);
			if (!have)
				return FT_LOST_MAP_BUSY;
		}
		if (stack_equal(have, stack)) {
			*ret = hash;
			return 0;
		}
		hash = stack_hash(stack, hash);
	}
	return FT_LOST_STACK_COLLISION;
}
