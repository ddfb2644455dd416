/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_line_table: which source line the instruction at an address is of, for one unit. Versions 2
 * to 5. Source: DWARF 5, 6.2.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/sym/dwarf_unit.h"
#include "user/sym/lines_budget.h"
#include "user/sym/name_arena.h"

struct dwarf_line_row {
	uint64_t address;
	uint32_t file; /* UINT32_MAX for none */
	uint32_t line;
};

/* Rows without a gap, in the order of their addresses. */
struct dwarf_line_sequence {
	uint64_t start, end; /* end exclusive */
	size_t first, n;     /* rows */
};

struct dwarf_line_file {
	const char *folder, *name; /* in the sections; folder NULL if there is none */
	const char *path;	   /* made when it is asked for, or NULL */
};

struct dwarf_line_table {
	const char *unit_folder; /* that relative ones are relative to, or NULL */
	struct dwarf_line_row *rows;
	size_t n_rows, rows_cap;
	struct dwarf_line_sequence *sequences; /* by start */
	size_t n_sequences, sequences_cap;
	struct dwarf_line_file *files;
	size_t n_files, files_cap;
	const char **folders;
	size_t n_folders, folders_cap;
	bool counts_from_1; /* files and folders, before version 5 */
};

/*
 * The table of a unit; a broken one is what could be understood of it. *done_bytes is what has
 * been read of .debug_line for all units so far: tables that overlap would let a small file make
 * large ones. -ENOENT if the unit has none, -EINVAL if nothing of it can be understood, -EDQUOT if
 * the budget ran out, -ENOMEM.
 */
int dwarf_line_table_new(const struct dwarf_unit *unit, struct lines_budget *budget,
			 uint64_t *done_bytes, struct dwarf_line_table **ret);
void dwarf_line_table_free(struct dwarf_line_table *table);
DEFINE_FREEP(struct dwarf_line_table, dwarf_line_table_free)

/* The row that covers the address, or NULL. */
const struct dwarf_line_row *dwarf_line_table_find(const struct dwarf_line_table *table,
						   uint64_t address);

/* The path of the file with that number, NULL if there is none; lives with the arena. */
const char *dwarf_line_table_path(struct dwarf_line_table *table, struct name_arena *arena,
				  uint64_t file);
