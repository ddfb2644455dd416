/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * write: a dump of which libdw has reached the root, as a small text file that holds what a walk of
 * it needs and no more: registers, the words of the stack and of code that were read, and of the
 * tables the rows that were found, with the frames that libdw has found. tests/native/test_unwind.c
 * reads it.
 *
 *   what TEXT
 *   machine x86_64|arm64
 *   pc ADDRESS
 *   reg NUMBER VALUE		those that are not 0
 *   stack FROM BYTES		in the order of addresses, not overlapping
 *   code FROM BYTES
 *   mapping START END BIAS KIND NAME	those with a frame
 *   rule NUMBER BYTES		struct ft_unwind_rule
 *   page MAPPING NUMBER RULE	4 KiB of virtual addresses; the rule that holds at their start
 *   row LOW RULE		of that page, see FT_ROW
 *   frame PC			innermost first
 *
 * Numbers are hexadecimal, except KIND and those of registers, rules and mappings.
 */
#pragma once

#include "tests/walk/walk.h"

/* 0 or -errno with a sentence. */
int dump_write(const char *path, const char *what, struct own_tables *tables,
	       const struct dump *dump);
