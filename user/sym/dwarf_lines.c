/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/dwarf_lines.h"

#include <dwarf.h>
#include <errno.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/sym/addr_table.h"
#include "user/sym/dwarf_functions.h"
#include "user/sym/dwarf_line_table.h"
#include "user/sym/dwarf_ranges.h"
#include "user/sym/dwarf_unit.h"

#define MAX_UNITS 1000000
#define MAX_HOPS  8 /* from an instance to what has the name */

/* A unit and what has been read of it. */
struct unit {
	struct dwarf_unit header;
	struct dwarf_functions *functions;
	struct dwarf_line_table *table;
	bool functions_tried, table_tried;
};

/* The units of one file, in its order: to find the one that an offset is in. */
struct units {
	const struct dwarf_data *data;
	struct dwarf_abbrev_cache abbrevs;
	struct unit *all;
	size_t n, cap;
};

struct dwarf_lines {
	struct dwarf_data *data;
	struct units units;
	struct units alt; /* of the supplementary file: only names are looked for in it */
	struct addr_table table;
	uint64_t done_bytes; /* of .debug_line */
	struct name_arena arena;
};

/* --- reading -----------------------------------------------------------------------------------
 */

static void units_release(struct units *units)
{
	size_t i;

	for (i = 0; i < units->n; i++) {
		dwarf_functions_free(units->all[i].functions);
		dwarf_line_table_free(units->all[i].table);
	}
	free(units->all);
	dwarf_abbrev_cache_release(&units->abbrevs);
}

/* As far as they can be understood. */
static int units_read(struct units *units, struct lines_budget *budget)
{
	struct unit unit = { 0 };
	uint64_t offset = 0;
	int err = 0;

	while (!err || err == -ENOTSUP) {
		if (!lines_budget_step(budget) || units->n >= MAX_UNITS)
			return -EDQUOT;
		err = dwarf_unit_read(units->data, &units->abbrevs, &offset, &unit.header);
		if (err)
			continue;
		if (!lines_budget_take(budget, sizeof(unit)))
			return -EDQUOT;
		if (array_reserve(units->all, units->cap, units->n + 1))
			return -ENOMEM;
		units->all[units->n++] = unit;
	}
	return err == -ENOMEM ? err : 0;
}

static int gather(struct dwarf_lines *lines, struct dwarf_ranges *ranges)
{
	struct dwarf_die die;
	uint32_t i;
	int n = 0;

	for (i = 0; i < lines->units.n && n >= 0; i++) {
		struct dwarf_unit *u = &lines->units.all[i].header;

		if ((u->type == DW_UT_compile || u->type == DW_UT_skeleton) &&
		    !dwarf_unit_read_first(u, &die))
			n = dwarf_ranges_add(ranges, u, &die, i);
	}
	return n < 0 ? n : 0;
}

static int read_all(struct dwarf_lines *lines, struct lines_budget *budget)
{
	_cleanup_(dwarf_ranges_release) struct dwarf_ranges ranges = { .budget = budget };
	int err = units_read(&lines->units, budget);

	if (!err && lines->alt.data)
		err = units_read(&lines->alt, budget);
	if (!err)
		err = gather(lines, &ranges);
	return err ? err : addr_table_init(&lines->table, ranges.all, ranges.n);
}

int dwarf_lines_new(struct dwarf_data *data, struct lines_budget *budget, struct dwarf_lines **ret)
{
	_cleanup_(dwarf_lines_freep) struct dwarf_lines *lines = calloc(1, sizeof(*lines));
	int err;

	if (!lines) {
		dwarf_data_free(data);
		return errf(-ENOMEM, "no memory for debug information");
	}
	lines->data = data;
	lines->units.data = data;
	lines->alt.data = data->alt;
	dwarf_abbrev_cache_init(&lines->units.abbrevs);
	dwarf_abbrev_cache_init(&lines->alt.abbrevs);
	if (!lines_budget_begin(budget, false))
		return -EDQUOT;
	err = read_all(lines, budget);
	lines_budget_end(budget);
	if (!err && !lines->units.n)
		err = -EINVAL;
	if (err)
		return err;
	*ret = take(lines);
	return 0;
}

void dwarf_lines_free(struct dwarf_lines *lines)
{
	if (!lines)
		return;
	units_release(&lines->units);
	units_release(&lines->alt);
	addr_table_release(&lines->table);
	name_arena_release(&lines->arena);
	dwarf_data_free(lines->data);
	free(lines);
}

/* --- names -------------------------------------------------------------------------------------
 */

static const struct dwarf_unit *unit_at(const struct units *units, uint64_t offset)
{
	size_t low = 0, high = units->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (units->all[mid].header.offset <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low && offset < units->all[low - 1].header.end ? &units->all[low - 1].header : NULL;
}

/* The linkage name, if anything on the way from the instance to its declaration has one. */
static const char *name_of(const struct dwarf_lines *lines, struct dwarf_reference at)
{
	const struct units *units = &lines->units;
	const char *name = NULL;
	struct dwarf_die die;
	int hops;

	for (hops = 0; hops < MAX_HOPS && at.kind != DWARF_NO_REFERENCE; hops++) {
		const struct dwarf_unit *unit;

		if (at.kind == DWARF_ALT_REFERENCE)
			units = &lines->alt;
		unit = unit_at(units, at.offset);
		if (!unit || dwarf_die_read_any(unit, at.offset, &die))
			break;
		if (die.linkage_name && *die.linkage_name)
			return die.linkage_name;
		if (!name && die.name && *die.name)
			name = die.name;
		at = die.origin;
	}
	return name;
}

static const char *inlined_name(const struct dwarf_lines *lines, struct dwarf_inlined *inlined)
{
	if (!inlined->has_name)
		inlined->name = name_of(lines, inlined->origin);
	inlined->has_name = true;
	return inlined->name;
}

static const char *function_name(const struct dwarf_lines *lines, struct dwarf_function *function)
{
	struct dwarf_reference at = { function->offset, DWARF_REFERENCE };

	if (!function->has_name)
		function->name = name_of(lines, at);
	function->has_name = true;
	return function->name;
}

/* --- looking up --------------------------------------------------------------------------------
 */

/* Reads what has not been read yet for that address; what is broken is as if it were not there. */
static int prepare(struct dwarf_lines *lines, struct unit *u, uint64_t address,
		   struct lines_budget *budget, struct dwarf_function **ret)
{
	uint64_t offset;
	uint32_t i;
	int err = 0;

	if (!u->table_tried)
		err = dwarf_line_table_new(&u->header, budget, &lines->done_bytes, &u->table);
	u->table_tried = err != -EDQUOT;
	if (err != -EDQUOT && !u->functions_tried) {
		err = dwarf_functions_new(&u->header, budget, &u->functions);
		u->functions_tried = err != -EDQUOT;
	}
	if (err == -EDQUOT)
		return err;
	*ret = NULL;
	if (!u->functions || !addr_table_find(&u->functions->table, address, &i, &offset))
		return 0;
	*ret = &u->functions->all[i];
	err = dwarf_function_read(&u->header, *ret, budget);
	return err == -EDQUOT ? err : 0;
}

static bool is_ready(const struct unit *u, uint64_t address)
{
	uint64_t offset;
	uint32_t i;

	return u->table_tried && u->functions_tried &&
	       (!u->functions || !addr_table_find(&u->functions->table, address, &i, &offset) ||
		u->functions->all[i].is_read);
}

static int find_function(struct dwarf_lines *lines, struct unit *u, uint64_t address,
			 struct lines_budget *budget, struct dwarf_function **ret)
{
	bool is_known = is_ready(u, address);
	int err;

	/* What is known costs nothing, also when the budget is spent. */
	if (!is_known && !lines_budget_begin(budget, u->table_tried && u->functions_tried))
		return -EDQUOT;
	err = prepare(lines, u, address, budget, ret);
	if (!is_known)
		lines_budget_end(budget);
	return err;
}

/* From the innermost outwards: each is at the line of the call of the one before. */
static int unfold(struct dwarf_lines *lines, struct unit *u, struct dwarf_function *function,
		  uint32_t innermost, struct code_line place, struct code_line *ret)
{
	uint32_t i = innermost;
	int n = 0;

	for (; i != DWARF_NO_INLINED; i = function->inlined[i].outer) {
		struct dwarf_inlined *inlined = &function->inlined[i];

		if (n < CODE_LINES_MAX - 1) {
			place.function = inlined_name(lines, inlined);
			ret[n++] = place;
		}
		place.line = inlined->call_line;
		place.file = u->table ? dwarf_line_table_path(u->table, &lines->arena,
							      inlined->call_file)
				      : NULL;
	}
	place.function = function_name(lines, function);
	ret[n++] = place;
	return n;
}

int dwarf_lines_find(struct dwarf_lines *lines, uint64_t address, struct lines_budget *budget,
		     struct code_line ret[CODE_LINES_MAX])
{
	uint32_t i, innermost = DWARF_NO_INLINED;
	struct dwarf_function *function = NULL;
	const struct dwarf_line_row *row;
	struct code_line place = { 0 };
	uint64_t offset;
	struct unit *u;
	int err;

	if (!addr_table_find(&lines->table, address, &i, &offset))
		return 0;
	u = &lines->units.all[i];
	err = find_function(lines, u, address, budget, &function);
	if (err)
		return err;
	row = u->table ? dwarf_line_table_find(u->table, address) : NULL;
	if (row) {
		place.line = row->line;
		place.file = dwarf_line_table_path(u->table, &lines->arena, row->file);
	}
	if (!function) {
		ret[0] = place;
		return place.file != NULL;
	}
	if (!addr_table_find(&function->table, address, &innermost, &offset))
		innermost = DWARF_NO_INLINED;
	return unfold(lines, u, function, innermost, place, ret);
}
