/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * go_table: the table of functions that the Go runtime carries with it ("pclntab"), and which is
 * there in stripped programs, too. Go 1.2 and later. Source: Go, src/debug/gosym/pclntab.go and
 * src/runtime/symtab.go ("pcHeader", "_func", "moduledata", "inlinedCall").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/elf/elf_image.h"
#include "user/sym/code_line.h"
#include "user/sym/dwarf_cursor.h"
#include "user/sym/elf_candidates.h"

enum go_version { GO_1_2, GO_1_16, GO_1_18, GO_1_20 }; /* when the table's shape changed */

struct go_table {
	const uint8_t *data; /* in the image */
	size_t size;
	uint64_t address; /* virtual, of 'data' */
	enum go_version version;
	uint8_t quantum, pointer; /* bytes of an instruction at least, of an address */
	uint64_t n;		  /* functions */
	uint64_t text;		  /* address that entries are relative to; 0 before 1.18 */
	/* Offsets in 'data' of: */
	uint64_t names, units, files, values, functions;
};

/* A function of the table. */
struct go_function {
	uint64_t start, end;
	const char *name;
	uint64_t at; /* offset of what is known of it in 'data' */
};

/*
 * Finds it: the section .gopclntab, or, where sections have no names, its first bytes in the data
 * of a file with Go's note. Lives in the image. -ENOENT if there is none, -EINVAL or -EFBIG if it
 * is broken.
 */
int go_table_find(const struct elf_image *image, struct go_table *ret);

/* Function number i; false if it is broken. */
bool go_table_function(const struct go_table *table, uint64_t i, struct go_function *ret);

/* Adds all functions. 0 or -ENOMEM. */
int go_table_add(const struct go_table *table, struct elf_candidates *c);

/* 'data' from that offset on; bad if that is behind its end. */
static inline struct dwarf_cursor go_table_at(const struct go_table *table, uint64_t offset)
{
	struct dwarf_cursor c = { table->data, table->data + table->size, false };

	dwarf_skip(&c, offset);
	return c;
}

/* The string at that offset of 'data', "" if there is none. */
const char *go_table_string(const struct go_table *table, uint64_t offset);

/* The address that the program finds at a virtual address, relocated; 0 if it is not in the file.
 */
uint64_t go_pointer_at(const struct elf_image *image, uint64_t address);
