/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_unit: one unit of .debug_info and the entries (DIEs) in it, as far as functions, inlined
 * functions and lines need them. Versions 2 to 5. Source: DWARF 5, 7.5; the GNU forms of binutils'
 * include/dwarf2.def.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/sym/dwarf_abbrevs.h"
#include "user/sym/dwarf_data.h"

struct dwarf_unit {
	const struct dwarf_data *data;
	const struct dwarf_abbrevs *abbrevs;
	uint64_t offset, end; /* in .debug_info; 'end' exclusive */
	uint64_t first;	      /* its first entry's offset */
	uint16_t version;
	uint8_t type; /* DW_UT_compile ... */
	uint8_t address_size;
	uint8_t offset_size; /* 4 or 8 bytes */
	/* From its first entry: */
	uint32_t language;
	bool has_lines;
	uint64_t lines;	    /* offset in .debug_line */
	const char *folder; /* where it was compiled, or NULL */
	uint64_t base;	    /* of ranges */
	uint64_t str_offsets_base, addr_base, rnglists_base;
};

enum dwarf_reference_kind { DWARF_NO_REFERENCE, DWARF_REFERENCE, DWARF_ALT_REFERENCE };

struct dwarf_reference {
	uint64_t offset; /* in .debug_info, of this file or of the supplementary one */
	enum dwarf_reference_kind kind;
};

struct dwarf_die {
	uint64_t offset, next; /* 'next' is what follows its attributes */
	uint64_t sibling;      /* offset, behind this one; 0 if it is not said */
	uint16_t tag;	       /* 0: the end of a list of children */
	bool has_children;
	const char *name, *linkage_name; /* NULL if there is none */
	struct dwarf_reference origin;	 /* what it is an instance of, or completes */
	uint64_t call_file, call_line;
	bool has_low, has_high, high_is_size, has_ranges, ranges_is_index;
	uint64_t low, high, ranges;
};

/*
 * Reads the header at *offset and moves *offset behind the unit. -ENOENT at the section's end;
 * -EINVAL if the rest of the section cannot be understood; -ENOTSUP with *offset moved if only this
 * unit cannot; -ENOMEM.
 */
int dwarf_unit_read(const struct dwarf_data *data, struct dwarf_abbrev_cache *cache,
		    uint64_t *offset, struct dwarf_unit *ret);

/* Reads the first entry, which says what all others need, and takes that into the unit. */
int dwarf_unit_read_first(struct dwarf_unit *unit, struct dwarf_die *ret);

/*
 * The entry at that offset; 'next' and 'sibling' are always behind it. Only of entries of these
 * tags attributes other than the sibling are looked at: functions, inlined functions, blocks and
 * units. -EINVAL if it is not in the unit or broken.
 */
int dwarf_die_read(const struct dwarf_unit *unit, uint64_t offset, struct dwarf_die *ret);

/* The same with names and origin for an entry of whatever tag. */
int dwarf_die_read_any(const struct dwarf_unit *unit, uint64_t offset, struct dwarf_die *ret);

/* Address number i of the unit's part of .debug_addr; false if there is none. */
bool dwarf_unit_address(const struct dwarf_unit *unit, uint64_t i, uint64_t *ret);
