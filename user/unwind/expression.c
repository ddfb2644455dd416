/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/unwind/expression.h"

#include <dwarf.h>

#include "user/unwind/cursor.h"

#define MAX_DEPTH 4

struct stack {
	struct expression at[MAX_DEPTH];
	unsigned int n;
	int failed;
};

static void push(struct stack *s, enum expression_shape shape, uint64_t reg, uint64_t add)
{
	if (s->n == MAX_DEPTH || reg > UINT8_MAX) {
		s->failed = 1;
		return;
	}
	s->at[s->n++] = (struct expression){ .shape = shape, .reg = reg, .add = add };
}

static void push_constant(struct stack *s, uint64_t x)
{
	push(s, EXPRESSION_CONSTANT, 0, x);
}

static void add_constant(struct stack *s, uint64_t x)
{
	if (!s->n) {
		s->failed = 1;
		return;
	}
	s->at[s->n - 1].add = (uint64_t)s->at[s->n - 1].add + x;
}

static void deref(struct stack *s)
{
	struct expression *top = s->n ? &s->at[s->n - 1] : NULL;

	if (!top || top->shape != EXPRESSION_REGISTER) {
		s->failed = 1;
		return;
	}
	*top = (struct expression){ .shape = EXPRESSION_MEMORY,
				    .reg = top->reg,
				    .offset = top->add };
}

/* One of two summands has to be a constant. */
static void plus(struct stack *s)
{
	struct expression a, b;

	if (s->n < 2) {
		s->failed = 1;
		return;
	}
	a = s->at[s->n - 2];
	b = s->at[s->n - 1];
	s->n--;
	if (a.shape == EXPRESSION_CONSTANT)
		s->at[s->n - 1] = b;
	else if (b.shape == EXPRESSION_CONSTANT)
		a = b;
	else
		s->failed = 1;
	add_constant(s, a.add);
}

static void minus(struct stack *s)
{
	if (s->n < 2 || s->at[s->n - 1].shape != EXPRESSION_CONSTANT) {
		s->failed = 1;
		return;
	}
	s->n--;
	add_constant(s, -(uint64_t)s->at[s->n].add);
}

/* False if it is no constant. */
static int constant(struct cursor *c, uint8_t op, uint64_t *ret)
{
	switch (op) {
	case DW_OP_addr:
	case DW_OP_const8u:
	case DW_OP_const8s:
		*ret = cursor_u64(c);
		return 1;
	case DW_OP_const1u:
		*ret = cursor_u8(c);
		return 1;
	case DW_OP_const1s:
		*ret = (int64_t)(int8_t)cursor_u8(c);
		return 1;
	case DW_OP_const2u:
		*ret = cursor_u16(c);
		return 1;
	case DW_OP_const2s:
		*ret = (int16_t)cursor_u16(c);
		return 1;
	case DW_OP_const4u:
		*ret = cursor_u32(c);
		return 1;
	case DW_OP_const4s:
		*ret = (int32_t)cursor_u32(c);
		return 1;
	case DW_OP_constu:
		*ret = cursor_uleb(c);
		return 1;
	case DW_OP_consts:
		*ret = cursor_sleb(c);
		return 1;
	}
	*ret = op - DW_OP_lit0;
	return op >= DW_OP_lit0 && op <= DW_OP_lit31;
}

static void step(struct stack *s, struct cursor *c)
{
	uint8_t op = cursor_u8(c);
	uint64_t x;

	if (constant(c, op, &x)) {
		push_constant(s, x);
		return;
	}
	if (op >= DW_OP_breg0 && op <= DW_OP_breg31) {
		push(s, EXPRESSION_REGISTER, op - DW_OP_breg0, cursor_sleb(c));
		return;
	}
	switch (op) {
	case DW_OP_nop:
		break;
	case DW_OP_bregx:
		x = cursor_uleb(c);
		push(s, EXPRESSION_REGISTER, x, cursor_sleb(c));
		break;
	case DW_OP_deref:
		deref(s);
		break;
	case DW_OP_plus:
		plus(s);
		break;
	case DW_OP_minus:
		minus(s);
		break;
	case DW_OP_plus_uconst:
		add_constant(s, cursor_uleb(c));
		break;
	default:
		s->failed = 1;
	}
}

/*
 * What binutils' linker writes for a PLT: rsp + 8 + ((rip & 15) >= N) << 3. A lazy entry pushes in
 * its last bytes, from N on. Source: binutils, bfd/elfxx-x86.c (elf_x86_64_eh_frame_lazy_plt).
 */
static int is_plt(const uint8_t *bytes, size_t len, struct expression *ret)
{
	static const uint8_t tail[] = { DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus };
	struct cursor c = { .at = bytes, .end = bytes + len };
	uint8_t sp = cursor_u8(&c) - DW_OP_breg0, n;
	int64_t offset = cursor_sleb(&c);

	if (c.bad || sp > 31 || cursor_u8(&c) != DW_OP_breg16 || cursor_sleb(&c) != 0 ||
	    cursor_u8(&c) != DW_OP_lit15 || cursor_u8(&c) != DW_OP_and)
		return 0;
	n = cursor_u8(&c) - DW_OP_lit0;
	if (c.bad || n > 31 || cursor_left(&c) != sizeof(tail) || memcmp(c.at, tail, sizeof(tail)))
		return 0;
	*ret = (struct expression){
		.shape = EXPRESSION_PLT, .reg = sp, .offset = offset, .add = n
	};
	return 1;
}

struct expression expression_read(const uint8_t *bytes, size_t len, int on_cfa)
{
	struct cursor c = { .at = bytes, .end = bytes + len };
	struct expression other = { .shape = EXPRESSION_OTHER }, plt;
	struct stack s = { .n = 0 };

	if (!on_cfa && is_plt(bytes, len, &plt))
		return plt;
	if (on_cfa)
		push(&s, EXPRESSION_CFA, 0, 0);
	while (c.at < c.end && !s.failed && !c.bad)
		step(&s, &c);
	return s.failed || c.bad || !s.n ? other : s.at[s.n - 1];
}
