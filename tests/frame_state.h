/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame_state: what a rule of ours and what libdw's expressions say of one frame whose registers
 * and memory are made up: every register and every word of memory has a value that no other one
 * has.
 */
#pragma once

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"

struct frame_state {
	uint64_t pc;
	uint64_t cfa; /* once it is known */
};

enum where {
	WHERE_UNKNOWN, /* what the evaluation of this file cannot do, or what we do not support */
	WHERE_SAME,
	WHERE_UNDEFINED,
	WHERE_MEMORY,	/* at that address */
	WHERE_VALUE,	/* it is that value */
	WHERE_REGISTER, /* in that register */
};

struct location {
	enum where where;
	uint64_t x;
};

static inline uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static inline uint64_t made_up_register(const struct frame_state *s, uint64_t reg, uint16_t machine)
{
	return machine == EM_X86_64 && reg == FT_X86_RIP ? s->pc : mix(reg + 1);
}

static inline uint64_t made_up_memory(uint64_t address)
{
	return mix(address ^ 0x5555);
}

struct value_stack {
	uint64_t at[32];
	size_t n;
};

static inline bool pop2(struct value_stack *v, uint64_t *a, uint64_t *b)
{
	if (v->n < 2)
		return false;
	*b = v->at[--v->n];
	*a = v->at[--v->n];
	return true;
}

static inline bool evaluate_binary(struct value_stack *v, uint8_t op)
{
	uint64_t a, b, x;

	if (!pop2(v, &a, &b))
		return false;
	switch (op) {
	case DW_OP_plus:
		x = a + b;
		break;
	case DW_OP_minus:
		x = a - b;
		break;
	case DW_OP_and:
		x = a & b;
		break;
	case DW_OP_or:
		x = a | b;
		break;
	case DW_OP_mul:
		x = a * b;
		break;
	case DW_OP_shl:
		x = b < 64 ? a << b : 0;
		break;
	case DW_OP_ge:
		x = (int64_t)a >= (int64_t)b;
		break;
	default:
		return false;
	}
	v->at[v->n++] = x;
	return true;
}

/* False if there is an operation that is not known here. */
static inline bool evaluate_op(struct value_stack *v, const struct frame_state *s,
			       const Dwarf_Op *op, uint16_t machine)
{
	if (v->n == 32)
		return false;
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31) {
		v->at[v->n++] = op->atom - DW_OP_lit0;
		return true;
	}
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31) {
		v->at[v->n++] = made_up_register(s, op->atom - DW_OP_breg0, machine) + op->number;
		return true;
	}
	switch (op->atom) {
	case DW_OP_const1u:
	case DW_OP_const1s:
	case DW_OP_const2u:
	case DW_OP_const2s:
	case DW_OP_const4u:
	case DW_OP_const4s:
	case DW_OP_const8u:
	case DW_OP_const8s:
	case DW_OP_constu:
	case DW_OP_consts:
		v->at[v->n++] = op->number;
		return true;
	case DW_OP_bregx:
		v->at[v->n++] = made_up_register(s, op->number, machine) + op->number2;
		return true;
	case DW_OP_call_frame_cfa:
		v->at[v->n++] = s->cfa;
		return true;
	case DW_OP_plus_uconst:
		if (!v->n)
			return false;
		v->at[v->n - 1] += op->number;
		return true;
	case DW_OP_deref:
		if (!v->n)
			return false;
		v->at[v->n - 1] = made_up_memory(v->at[v->n - 1]);
		return true;
	case DW_OP_nop:
		return true;
	}
	return evaluate_binary(v, op->atom);
}

/* A location description of libdw's, of at least one operation. */
static inline struct location evaluate(const struct frame_state *s, const Dwarf_Op *ops, size_t n,
				       uint16_t machine)
{
	struct location l = { .where = WHERE_MEMORY };
	struct value_stack v = { .n = 0 };
	size_t i;

	if (n == 1 && ops[0].atom == DW_OP_regx)
		return (struct location){ WHERE_REGISTER, ops[0].number };
	if (n == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
		return (struct location){ WHERE_REGISTER, ops[0].atom - DW_OP_reg0 };
	for (i = 0; i < n; i++) {
		if (i == n - 1 && ops[i].atom == DW_OP_stack_value)
			l.where = WHERE_VALUE;
		else if (!evaluate_op(&v, s, &ops[i], machine))
			return (struct location){ .where = WHERE_UNKNOWN };
	}
	if (!v.n)
		return (struct location){ .where = WHERE_UNKNOWN };
	l.x = v.at[v.n - 1];
	return l;
}

/* The CFA by a rule of ours; false if it has none. */
static inline bool cfa_by_rule(const struct frame_state *s, const struct ft_unwind_rule *r,
			       uint16_t machine, uint64_t *ret)
{
	uint64_t base = made_up_register(s, r->cfa_reg, machine) + r->cfa_offset;

	switch (r->cfa & FT_CFA_KIND) {
	case FT_CFA_REG:
		*ret = base;
		return true;
	case FT_CFA_DEREF:
		*ret = made_up_memory(base) + r->cfa_add;
		return true;
	case FT_CFA_PLT:
		*ret = base + (s->pc % 16 >= (uint64_t)r->cfa_add ? 8 : 0);
		return true;
	}
	return false;
}

static inline struct location location_by_rule(const struct frame_state *s, uint8_t how,
					       int16_t offset, uint16_t machine)
{
	uint64_t sp = made_up_register(s, machine == EM_X86_64 ? FT_X86_RSP : FT_ARM64_SP, machine);
	uint64_t fp = made_up_register(s, machine == EM_X86_64 ? FT_X86_RBP : FT_ARM64_FP, machine);

	switch (how) {
	case FT_SAVED_SAME:
		return (struct location){ .where = WHERE_SAME };
	case FT_SAVED_UNDEFINED:
		return (struct location){ .where = WHERE_UNDEFINED };
	case FT_SAVED_AT_CFA:
		return (struct location){ WHERE_MEMORY, s->cfa + offset };
	case FT_SAVED_AT_SP:
		return (struct location){ WHERE_MEMORY, sp + offset };
	case FT_SAVED_AT_FP:
		return (struct location){ WHERE_MEMORY, fp + offset };
	case FT_SAVED_IN_REG:
		return (struct location){ WHERE_REGISTER, offset };
	case FT_SAVED_CFA_PLUS:
		return (struct location){ WHERE_VALUE, s->cfa + offset };
	}
	return (struct location){ .where = WHERE_UNKNOWN };
}
