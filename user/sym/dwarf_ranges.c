/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/dwarf_ranges.h"

#include <dwarf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "user/base/array.h"

/* --- ranges ---------------------------------------------------------------------------------- */

static int give(dwarf_range_fn add, void *ctx, uint64_t start, uint64_t end)
{
	return start && start < end ? add(ctx, start, end) : 0;
}

/* Up to version 4: pairs of addresses, 0 0 at the end, ~0 before a new base. */
static int old_ranges(const struct dwarf_unit *u, uint64_t offset, dwarf_range_fn add, void *ctx)
{
	struct dwarf_cursor c = dwarf_data_at(u->data, DWARF_RANGES, offset);
	uint64_t base = u->base, none = u->address_size == 8 ? UINT64_MAX : UINT32_MAX;
	int err = 0;

	while (!c.bad && !err) {
		uint64_t start = dwarf_uint(&c, u->address_size);
		uint64_t end = dwarf_uint(&c, u->address_size);

		if (c.bad || (!start && !end))
			break;
		if (start == none)
			base = end;
		else if (start < end)
			err = give(add, ctx, base + start, base + end);
	}
	return err ? err : c.bad ? -EINVAL : 0;
}

/* The offset of the list with that number. */
static int ranges_index(const struct dwarf_unit *u, uint64_t i, uint64_t *ret)
{
	struct dwarf_cursor c = dwarf_data_at(u->data, DWARF_RNGLISTS, u->rnglists_base);

	if (i > dwarf_left(&c) / u->offset_size)
		return -EINVAL;
	dwarf_skip(&c, i * u->offset_size);
	*ret = u->rnglists_base + dwarf_uint(&c, u->offset_size);
	return c.bad ? -EINVAL : 0;
}

/* An address of the unit's table, by the number that is read. */
static uint64_t read_indexed(const struct dwarf_unit *u, struct dwarf_cursor *c)
{
	uint64_t address = 0;

	if (!dwarf_unit_address(u, dwarf_uleb(c), &address))
		dwarf_fail(c);
	return address;
}

/* Version 5. Returns 1 at the end of the list. */
static int next_range(const struct dwarf_unit *u, struct dwarf_cursor *c, uint64_t *base,
		      uint64_t *ret_start, uint64_t *ret_end)
{
	*ret_start = *ret_end = 0;
	switch (dwarf_u8(c)) {
	case DW_RLE_base_addressx:
		*base = read_indexed(u, c);
		break;
	case DW_RLE_startx_endx:
		*ret_start = read_indexed(u, c);
		*ret_end = read_indexed(u, c);
		break;
	case DW_RLE_startx_length:
		*ret_start = read_indexed(u, c);
		*ret_end = *ret_start + dwarf_uleb(c);
		break;
	case DW_RLE_offset_pair:
		*ret_start = *base + dwarf_uleb(c);
		*ret_end = *base + dwarf_uleb(c);
		break;
	case DW_RLE_base_address:
		*base = dwarf_uint(c, u->address_size);
		break;
	case DW_RLE_start_end:
		*ret_start = dwarf_uint(c, u->address_size);
		*ret_end = dwarf_uint(c, u->address_size);
		break;
	case DW_RLE_start_length:
		*ret_start = dwarf_uint(c, u->address_size);
		*ret_end = *ret_start + dwarf_uleb(c);
		break;
	default: /* DW_RLE_end_of_list, and what is none */
		return 1;
	}
	return 0;
}

static int new_ranges(const struct dwarf_unit *u, const struct dwarf_die *die, dwarf_range_fn add,
		      void *ctx)
{
	uint64_t offset = die->ranges, base = u->base, start, end;
	struct dwarf_cursor c;
	int err = die->ranges_is_index ? ranges_index(u, die->ranges, &offset) : 0;

	if (err)
		return err;
	c = dwarf_data_at(u->data, DWARF_RNGLISTS, offset);
	while (!c.bad && !err && !next_range(u, &c, &base, &start, &end))
		err = c.bad ? -EINVAL : give(add, ctx, start, end);
	return err ? err : c.bad ? -EINVAL : 0;
}

int dwarf_die_ranges(const struct dwarf_unit *unit, const struct dwarf_die *die, dwarf_range_fn add,
		     void *ctx)
{
	if (die->has_ranges)
		return unit->version >= 5 ? new_ranges(unit, die, add, ctx)
					  : old_ranges(unit, die->ranges, add, ctx);
	if (!die->has_low || !die->has_high)
		return 0;
	return give(add, ctx, die->low, die->high_is_size ? die->low + die->high : die->high);
}

/* --- gathering them --------------------------------------------------------------------------- */

struct adding {
	struct dwarf_ranges *to;
	uint32_t value;
};

void dwarf_ranges_release(struct dwarf_ranges *ranges)
{
	free(ranges->all);
	*ranges = (struct dwarf_ranges){ 0 };
}

static int add_range(void *ctx, uint64_t start, uint64_t end)
{
	const struct adding *a = ctx;
	struct dwarf_ranges *to = a->to;

	if (to->n >= INT_MAX || !lines_budget_step(to->budget) ||
	    !lines_budget_take(to->budget, sizeof(*to->all)))
		return -EDQUOT;
	if (array_reserve(to->all, to->cap, to->n + 1))
		return -ENOMEM;
	to->all[to->n++] = (struct addr_range){ start, end, a->value, a->value };
	return 0;
}

int dwarf_ranges_add(struct dwarf_ranges *ranges, const struct dwarf_unit *unit,
		     const struct dwarf_die *die, uint32_t value)
{
	struct adding a = { ranges, value };
	size_t before = ranges->n;
	int err = dwarf_die_ranges(unit, die, add_range, &a);

	if (err == -EINVAL)
		ranges->n = before;
	else if (err)
		return err;
	return (int)(ranges->n - before);
}
