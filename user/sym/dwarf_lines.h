/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_lines: the source lines and inlined functions of one file's code, from its debug
 * information (DWARF 2 to 5). Not by libdw, because files are hostile: it opens others by itself,
 * by the paths that a file names (supplementary and split ones), and a call of it cannot be stopped
 * or bounded in memory. Here every walk goes forward, within sections that were bounded, and ends
 * with a budget. Split debug information (.dwo) is not looked for: lines, but no inlined functions.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/sym/code_line.h"
#include "user/sym/dwarf_data.h"
#include "user/sym/lines_budget.h"

struct dwarf_lines;

/*
 * Takes 'data' also on failure. -EINVAL if there is nothing that can be understood, -EDQUOT if the
 * budget ran out, -ENOMEM.
 */
int dwarf_lines_new(struct dwarf_data *data, struct lines_budget *budget, struct dwarf_lines **ret);
void dwarf_lines_free(struct dwarf_lines *lines);
DEFINE_FREEP(struct dwarf_lines, dwarf_lines_free)

/*
 * The functions that the instruction at a virtual address of the file is part of, innermost first;
 * how many they are, up to CODE_LINES_MAX, the last being the one that stands there; 0 if nothing
 * is known. -EDQUOT if that has not been read yet and the budget is spent. Strings live as long as
 * 'lines'.
 */
int dwarf_lines_find(struct dwarf_lines *lines, uint64_t address, struct lines_budget *budget,
		     struct code_line ret[CODE_LINES_MAX]);
