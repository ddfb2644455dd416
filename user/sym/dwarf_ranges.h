/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_ranges: the addresses that entries cover, one's and those of many on the way to a table.
 * Source: DWARF 5, 7.25; DWARF 4, 7.24.
 */
#pragma once

#include "user/sym/addr_table.h"
#include "user/sym/dwarf_unit.h"
#include "user/sym/lines_budget.h"

/*
 * Calls 'add' with each range of addresses of the entry that is not empty; what it returns other
 * than 0 ends the walk and is returned. What linkers make of functions that they dropped, ranges
 * at address 0, is left out. -EINVAL if a list is broken.
 */
typedef int (*dwarf_range_fn)(void *ctx, uint64_t start, uint64_t end);
int dwarf_die_ranges(const struct dwarf_unit *unit, const struct dwarf_die *die, dwarf_range_fn add,
		     void *ctx);

struct dwarf_ranges {
	struct addr_range *all;
	size_t n, cap;
	struct lines_budget *budget;
};

void dwarf_ranges_release(struct dwarf_ranges *ranges);

/*
 * Adds the addresses of the entry, with 'value'; where entries overlap the higher value wins. How
 * many ranges these were, 0 also if they are broken; or -EDQUOT if the budget ran out, -ENOMEM.
 */
int dwarf_ranges_add(struct dwarf_ranges *ranges, const struct dwarf_unit *unit,
		     const struct dwarf_die *die, uint32_t value);
