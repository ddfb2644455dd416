/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/frames.h"
#include "user/base/array.h"
#include "user/unwind/expression.h"

struct example {
	const uint8_t *bytes;
	size_t len;
	bool on_cfa;
	struct expression is;
};

#define RSP DW_OP_breg7

static const struct example examples[] = {
	{ BYTES(RSP, 0x10), false, { EXPRESSION_REGISTER, 7, 0, 16 } },
	{ BYTES(DW_OP_breg6, 0x78, DW_OP_deref), false, { EXPRESSION_MEMORY, 6, -8, 0 } },
	{ BYTES(RSP, 0xa0, 1, DW_OP_deref, DW_OP_plus_uconst, 8),
	  false,
	  { EXPRESSION_MEMORY, 7, 160, 8 } },
	{ BYTES(RSP, 8, DW_OP_deref, DW_OP_lit8, DW_OP_plus),
	  false,
	  { EXPRESSION_MEMORY, 7, 8, 8 } },
	{ BYTES(DW_OP_lit8, RSP, 8, DW_OP_deref, DW_OP_plus),
	  false,
	  { EXPRESSION_MEMORY, 7, 8, 8 } },
	{ BYTES(RSP, 8, DW_OP_const1s, 0xf8, DW_OP_plus), false, { EXPRESSION_REGISTER, 7, 0, 0 } },
	{ BYTES(RSP, 8, DW_OP_const1u, 0xf8, DW_OP_plus),
	  false,
	  { EXPRESSION_REGISTER, 7, 0, 256 } },
	{ BYTES(RSP, 0, DW_OP_const2u, 0, 0x80, DW_OP_plus),
	  false,
	  { EXPRESSION_REGISTER, 7, 0, 0x8000 } },
	{ BYTES(RSP, 0, DW_OP_const2s, 0, 0x80, DW_OP_plus),
	  false,
	  { EXPRESSION_REGISTER, 7, 0, -0x8000 } },
	{ BYTES(RSP, 0, DW_OP_const4s, 0xfe, 0xff, 0xff, 0xff, DW_OP_plus),
	  false,
	  { EXPRESSION_REGISTER, 7, 0, -2 } },
	{ BYTES(RSP, 0, DW_OP_const4u, 0xfe, 0xff, 0xff, 0xff, DW_OP_plus),
	  false,
	  { EXPRESSION_REGISTER, 7, 0, 0xfffffffe } },
	{ BYTES(RSP, 0, DW_OP_const8u, 1, 0, 0, 0, 0, 0, 0, 0, DW_OP_plus),
	  false,
	  { EXPRESSION_REGISTER, 7, 0, 1 } },
	{ BYTES(RSP, 8, DW_OP_consts, 0x7f, DW_OP_minus), false, { EXPRESSION_REGISTER, 7, 0, 9 } },
	{ BYTES(RSP, 8, DW_OP_constu, 0x7f, DW_OP_minus),
	  false,
	  { EXPRESSION_REGISTER, 7, 0, -119 } },
	{ BYTES(DW_OP_bregx, 31, 0x10, DW_OP_nop), false, { EXPRESSION_REGISTER, 31, 0, 16 } },
	{ BYTES(DW_OP_lit31), false, { EXPRESSION_CONSTANT, 0, 0, 31 } },
	{ BYTES(DW_OP_plus_uconst, 8), true, { EXPRESSION_CFA, 0, 0, 8 } },
	{ BYTES(RSP, 0xa8, 1), true, { EXPRESSION_REGISTER, 7, 0, 168 } },
	/* The linker's PLT, for both kinds of entries. */
	{ BYTES(RSP, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and, DW_OP_lit11, DW_OP_ge, DW_OP_lit3,
		DW_OP_shl, DW_OP_plus),
	  false,
	  { EXPRESSION_PLT, 7, 8, 11 } },
	{ BYTES(RSP, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and, DW_OP_lit9, DW_OP_ge, DW_OP_lit3,
		DW_OP_shl, DW_OP_plus),
	  false,
	  { EXPRESSION_PLT, 7, 8, 9 } },
	/* What the walk cannot follow. */
	{ BYTES(RSP, 8, DW_OP_deref, DW_OP_deref), false, { .shape = EXPRESSION_OTHER } },
	{ BYTES(RSP, 8, RSP, 8, DW_OP_plus), false, { .shape = EXPRESSION_OTHER } },
	{ BYTES(RSP, 8, DW_OP_lit1, RSP, 8, DW_OP_minus), false, { .shape = EXPRESSION_OTHER } },
	{ BYTES(RSP, 8, DW_OP_lit3, DW_OP_and), false, { .shape = EXPRESSION_OTHER } },
	{ BYTES(RSP, 8, DW_OP_breg16, 1, DW_OP_lit15, DW_OP_and, DW_OP_lit9, DW_OP_ge, DW_OP_lit3,
		DW_OP_shl, DW_OP_plus),
	  false,
	  { .shape = EXPRESSION_OTHER } },
	/* What is broken. */
	{ BYTES(DW_OP_deref), false, { .shape = EXPRESSION_OTHER } },
	{ BYTES(DW_OP_plus), false, { .shape = EXPRESSION_OTHER } },
	{ BYTES(DW_OP_minus), false, { .shape = EXPRESSION_OTHER } },
	{ BYTES(DW_OP_plus_uconst, 1), false, { .shape = EXPRESSION_OTHER } },
	{ BYTES(RSP), false, { .shape = EXPRESSION_OTHER } },
	{ BYTES(RSP, 0x80), false, { .shape = EXPRESSION_OTHER } },
	{ BYTES(RSP, 8, DW_OP_const8u, 1), false, { .shape = EXPRESSION_OTHER } },
	{ BYTES(RSP, 8, 0xff), false, { .shape = EXPRESSION_OTHER } },
	{ BYTES(DW_OP_lit1, DW_OP_lit1, DW_OP_lit1, DW_OP_lit1, DW_OP_lit1),
	  false,
	  { .shape = EXPRESSION_OTHER } },
	{ BYTES(DW_OP_bregx, 0x80, 2, 0), false, { .shape = EXPRESSION_OTHER } },
	{ NULL, 0, false, { .shape = EXPRESSION_OTHER } },
};

static void expressions_come_down_to_what_the_walk_can_follow(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		const struct example *x = &examples[i];
		struct expression got = expression_read(x->bytes, x->len, x->on_cfa);

		if (got.shape != x->is.shape)
			fail_msg("example %zu has shape %d, not %d", i, got.shape, x->is.shape);
		if (x->is.shape == EXPRESSION_OTHER)
			continue;
		if (got.reg != x->is.reg || got.offset != x->is.offset || got.add != x->is.add)
			fail_msg("example %zu: register %u, offset %lld, add %lld", i, got.reg,
				 (long long)got.offset, (long long)got.add);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions_come_down_to_what_the_walk_can_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
