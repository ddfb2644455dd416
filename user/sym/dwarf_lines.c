/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/dwarf_lines.h"

#include <dwarf.h>
#include <errno.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/sym/dwarf_file.h"
#include "user/sym/dwarf_unit.h"

#define MAX_UNITS 1000000

struct dwarf_lines {
	struct dwarf_file file, alt;
	struct dwarf_unit *units;
	size_t n, cap;
	struct addr_table table; /* value: in 'units' */
};

static int add_unit(struct dwarf_lines *lines, Dwarf_Die *die, struct dwarf_spans *spans)
{
	int n = dwarf_spans_add(spans, die, lines->n);

	if (n <= 0)
		return n;
	if (lines->n >= MAX_UNITS || array_reserve(lines->units, lines->cap, lines->n + 1))
		return -ENOMEM;
	lines->units[lines->n++] = (struct dwarf_unit){ .die = *die };
	return 0;
}

/* As far as they can be understood. .debug_aranges is not asked: clang makes none. */
static int read_units(struct dwarf_lines *lines)
{
	_cleanup_(dwarf_spans_release) struct dwarf_spans spans = { 0 };
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	uint8_t type;
	Dwarf_Die die;
	size_t n = 0;
	int err = 0;

	/* No place for the unit's other entry: libdw would look for the .dwo of a skeleton. */
	for (; !err && !dwarf_get_units(lines->file.dwarf, cu, &cu, &version, &type, &die, NULL);
	     n++) {
		if (type == DW_UT_compile || type == DW_UT_skeleton)
			err = add_unit(lines, &die, &spans);
	}
	if (!err && !n)
		err = errf(-EINVAL, "no unit of the debug information can be read");
	return err ? err : addr_table_init(&lines->table, spans.all, spans.n);
}

int dwarf_lines_new(int fd, int alt_fd, uint64_t max_bytes, struct dwarf_lines **ret)
{
	_cleanup_(dwarf_lines_freep) struct dwarf_lines *lines = calloc(1, sizeof(*lines));
	int err;

	if (!lines)
		return errf(-ENOMEM, "no memory for debug information");
	err = dwarf_file_open(&lines->file, fd, max_bytes);
	if (!err && alt_fd >= 0)
		err = dwarf_file_open(&lines->alt, alt_fd, max_bytes);
	if (err)
		return err;
	if (alt_fd >= 0)
		dwarf_setalt(lines->file.dwarf, lines->alt.dwarf);
	err = read_units(lines);
	if (err)
		return err;
	*ret = take(lines);
	return 0;
}

void dwarf_lines_free(struct dwarf_lines *lines)
{
	size_t i;

	if (!lines)
		return;
	for (i = 0; i < lines->n; i++)
		dwarf_unit_release(&lines->units[i]);
	free(lines->units);
	addr_table_release(&lines->table);
	dwarf_file_close(&lines->file);
	dwarf_file_close(&lines->alt);
	free(lines);
}

size_t dwarf_lines_mapped_bytes(const struct dwarf_lines *lines)
{
	return lines->file.size + lines->alt.size;
}

int dwarf_lines_find(struct dwarf_lines *lines, uint64_t address,
		     struct code_line ret[CODE_LINES_MAX])
{
	uint64_t offset;
	uint32_t i;

	if (!addr_table_find(&lines->table, address, &i, &offset))
		return 0;
	return dwarf_unit_find(&lines->units[i], address, ret);
}
