/* SPDX-License-Identifier: BSD-2-Clause */
/* dwarf_line_header: what a line table says before its program: files, folders, parameters. */
#pragma once

#include "user/sym/dwarf_line_table.h"

struct dwarf_line_header {
	uint16_t version;
	uint8_t offset_size, address_size;
	uint8_t min_instruction, line_range, opcode_base;
	int8_t line_base;
	uint8_t operands[256]; /* of standard opcodes */
};

/*
 * Reads it at the cursor, which then stands at the program and ends with it; files and folders go
 * into 'table'. -EINVAL, -ENOMEM.
 */
int dwarf_line_header_read(const struct dwarf_unit *unit, struct dwarf_cursor *c,
			   struct dwarf_line_table *table, struct dwarf_line_header *ret);
