/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_unit: the functions of one compilation unit by address, and in each of them what was
 * inlined. The first is read when the unit is asked for, the second when the function is: no unit
 * is taken apart for one address. As careless as libdw is: see dwarf_lines.h.
 */
#pragma once

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/keyset.h"
#include "user/sym/addr_table.h"
#include "user/sym/code_line.h"

/* Ranges of addresses on their way to a table. */
struct dwarf_spans {
	struct addr_range *all;
	size_t n, cap;
};
void dwarf_spans_release(struct dwarf_spans *spans);

/*
 * Adds the addresses that the entry covers; where entries overlap the higher value wins. What
 * linkers make of functions that they dropped, ranges at address 0, is left out. How many these
 * were, 0 also if they are broken; -ENOMEM.
 */
int dwarf_spans_add(struct dwarf_spans *spans, Dwarf_Die *die, uint32_t value);

struct dwarf_function;

/* Paths of a unit that libdw leaves relative to the folder it was compiled in. */
struct dwarf_paths {
	struct keyset relative; /* const char *, as libdw has them */
	char **full;
	size_t cap;
};

struct dwarf_unit {
	Dwarf_Die die;
	bool is_read;
	struct dwarf_function *functions;
	size_t n, cap;
	struct addr_table table; /* value: in 'functions' */
	struct dwarf_paths paths;
	const char *folder; /* absolute, or NULL */
};

void dwarf_unit_release(struct dwarf_unit *unit);

/* As dwarf_lines_find(), of an address that is in the unit. */
int dwarf_unit_find(struct dwarf_unit *unit, uint64_t address,
		    struct code_line ret[CODE_LINES_MAX]);
