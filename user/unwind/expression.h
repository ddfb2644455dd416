/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expression: which of the few shapes that the kernel's walk can follow a DWARF expression has
 * (DWARF 5, 2.5 and 6.4.2). An expression is evaluated over sums that stay unknown until the walk:
 * what does not come down to one of them is EXPRESSION_OTHER.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum expression_shape {
	EXPRESSION_OTHER,
	EXPRESSION_CONSTANT, /* add */
	EXPRESSION_REGISTER, /* reg + add */
	EXPRESSION_MEMORY,   /* *(reg + offset) + add */
	EXPRESSION_CFA,	     /* CFA + add */
	EXPRESSION_PLT,	     /* reg + offset + (pc % 16 >= add ? 8 : 0) */
};

struct expression {
	enum expression_shape shape;
	uint8_t reg; /* DWARF number */
	int64_t offset;
	int64_t add;
};

/* 'on_cfa': the CFA is on the stack at its beginning, as in a register's rule. */
struct expression expression_read(const uint8_t *bytes, size_t len, int on_cfa);
