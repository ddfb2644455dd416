/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_functions: the functions of one unit by address, and in each of them what was inlined. The
 * first is read when the unit is asked for, the second when the function is: no unit is taken
 * apart for one address.
 */
#pragma once

#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/sym/addr_table.h"
#include "user/sym/dwarf_unit.h"
#include "user/sym/lines_budget.h"

#define DWARF_NO_INLINED UINT32_MAX

/* A call that was inlined. */
struct dwarf_inlined {
	uint32_t outer;	    /* what it was inlined into; DWARF_NO_INLINED: the function */
	uint32_t call_line; /* in 'outer' */
	uint64_t call_file; /* number in the unit's line table */
	struct dwarf_reference origin; /* of what */
	const char *name;	       /* once it was asked for */
	bool has_name;
};

struct dwarf_function {
	uint64_t offset; /* of its entry */
	const char *name;
	bool has_name;
	bool is_read; /* the rest is */
	struct dwarf_inlined *inlined;
	size_t n_inlined, inlined_cap;
	struct addr_table table; /* value: in 'inlined', the innermost */
};

struct dwarf_functions {
	struct dwarf_function *all;
	size_t n, cap;
	struct addr_table table; /* value: in 'all' */
};

/* 0, -EINVAL if the unit's entries are broken, -EDQUOT if the budget ran out, -ENOMEM. */
int dwarf_functions_new(const struct dwarf_unit *unit, struct lines_budget *budget,
			struct dwarf_functions **ret);
void dwarf_functions_free(struct dwarf_functions *functions);
DEFINE_FREEP(struct dwarf_functions, dwarf_functions_free)

/*
 * Reads what is inlined in the function, once; with an error there is nothing in it, and it is not
 * tried again but after -EDQUOT.
 */
int dwarf_function_read(const struct dwarf_unit *unit, struct dwarf_function *function,
			struct lines_budget *budget);
