/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_abbrevs: the shapes that the entries of .debug_info have: tag, children, and the attributes
 * with their forms. One table serves many units. Source: DWARF 5, 7.5.3.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/base/keyset.h"
#include "user/sym/dwarf_data.h"

struct dwarf_attribute {
	uint16_t name, form;
	uint32_t implicit; /* the value's number, of DW_FORM_implicit_const */
};

struct dwarf_abbrev {
	uint64_t code;
	uint32_t first; /* attribute */
	uint32_t n;
	uint16_t tag; /* UINT16_MAX for those beyond */
	bool has_children;
};

struct dwarf_abbrevs {
	struct dwarf_abbrev *abbrevs; /* by code */
	size_t n, cap;
	struct dwarf_attribute *attributes;
	size_t n_attributes, attributes_cap;
	int64_t *implicits;
	size_t n_implicits, implicits_cap;
};

/* The tables of one file, each read once. */
struct dwarf_abbrev_cache {
	struct keyset offsets; /* of uint64_t */
	struct dwarf_abbrevs **tables;
	size_t tables_cap;
	uint64_t done_bytes; /* read so far */
};

void dwarf_abbrev_cache_init(struct dwarf_abbrev_cache *cache);
void dwarf_abbrev_cache_release(struct dwarf_abbrev_cache *cache);

/*
 * The table at that offset of .debug_abbrev; lives with the cache. -EINVAL if it is broken, or if
 * the tables overlap, which would let a small file make large ones; -ENOMEM.
 */
int dwarf_abbrevs_at(struct dwarf_abbrev_cache *cache, const struct dwarf_data *data,
		     uint64_t offset, const struct dwarf_abbrevs **ret);

/* The abbreviation of that code, or NULL. */
const struct dwarf_abbrev *dwarf_abbrev_find(const struct dwarf_abbrevs *table, uint64_t code);
