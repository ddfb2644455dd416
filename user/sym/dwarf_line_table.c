/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/dwarf_line_table.h"

#include <dwarf.h>
#include <errno.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/sym/dwarf_line_header.h"

#define MAX_LINE      INT32_MAX
#define BYTES_PER_ROW 3 /* of the program, hardly fewer: spares growing step by step */

/* The machine that a line table's program runs on. */
struct machine {
	struct dwarf_line_table *table;
	struct lines_budget *budget;
	const struct dwarf_line_header *h;
	uint64_t address, line, file;
	struct dwarf_line_sequence now;
};

void dwarf_line_table_free(struct dwarf_line_table *table)
{
	if (!table)
		return;
	free(table->rows);
	free(table->sequences);
	free(table->files);
	free(table->folders);
	free(table);
}

/* --- the program ----------------------------------------------------------------------------- */

static void begin_sequence(struct machine *m)
{
	m->address = 0;
	m->line = 1;
	m->file = 1;
	m->now = (struct dwarf_line_sequence){ .first = m->table->n_rows };
}

static int add_row(struct machine *m)
{
	struct dwarf_line_table *t = m->table;
	struct dwarf_line_row row = {
		.address = m->address,
		.file = m->file < UINT32_MAX ? m->file : UINT32_MAX,
		.line = m->line <= MAX_LINE ? m->line : 0,
	};
	struct dwarf_line_row *last = m->now.n ? &t->rows[t->n_rows - 1] : NULL;

	if (last && m->address < last->address)
		return 0; /* they must not go back */
	/* Of several rows at one address the last is the instruction's. */
	if (last && m->address == last->address) {
		*last = row;
		return 0;
	}
	if (last && last->file == row.file && last->line == row.line)
		return 0;
	if (!lines_budget_take(m->budget, sizeof(row)))
		return -EDQUOT;
	if (array_reserve(t->rows, t->rows_cap, t->n_rows + 1))
		return -ENOMEM;
	t->rows[t->n_rows++] = row;
	m->now.n++;
	return 0;
}

/* What linkers have dropped begins at 0. */
static int end_sequence(struct machine *m)
{
	struct dwarf_line_table *t = m->table;

	if (m->now.n && t->rows[m->now.first].address < m->address &&
	    t->rows[m->now.first].address) {
		m->now.start = t->rows[m->now.first].address;
		m->now.end = m->address;
		if (array_reserve(t->sequences, t->sequences_cap, t->n_sequences + 1))
			return -ENOMEM;
		t->sequences[t->n_sequences++] = m->now;
	} else {
		t->n_rows = m->now.first;
	}
	begin_sequence(m);
	return 0;
}

static int run_extended(struct machine *m, struct dwarf_cursor *c)
{
	uint64_t length = dwarf_uleb(c);
	struct dwarf_cursor inner = *c;
	int err = 0;

	dwarf_skip(c, length);
	if (c->bad || !length)
		return 0;
	inner.end = c->at;
	switch (dwarf_u8(&inner)) {
	case DW_LNE_end_sequence:
		err = end_sequence(m);
		break;
	case DW_LNE_set_address:
		m->address = dwarf_uint(&inner, m->h->address_size);
		break;
	default: /* discriminators, and what only others know */
		break;
	}
	return err;
}

static void advance(struct machine *m, uint64_t instructions)
{
	m->address += m->h->min_instruction * instructions;
}

static int run_standard(struct machine *m, unsigned int opcode, struct dwarf_cursor *c)
{
	unsigned int i;

	switch (opcode) {
	case DW_LNS_copy:
		return add_row(m);
	case DW_LNS_advance_pc:
		advance(m, dwarf_uleb(c));
		break;
	case DW_LNS_advance_line:
		m->line += dwarf_sleb(c);
		break;
	case DW_LNS_set_file:
		m->file = dwarf_uleb(c);
		break;
	case DW_LNS_const_add_pc:
		if (m->h->line_range)
			advance(m, (255 - m->h->opcode_base) / m->h->line_range);
		break;
	case DW_LNS_fixed_advance_pc:
		m->address += dwarf_uint(c, 2);
		break;
	default:
		for (i = 0; i < m->h->operands[opcode]; i++)
			dwarf_uleb(c);
		break;
	}
	return 0;
}

static int run_special(struct machine *m, unsigned int opcode)
{
	unsigned int n = opcode - m->h->opcode_base;

	if (!m->h->line_range)
		return 0;
	advance(m, n / m->h->line_range);
	m->line += m->h->line_base + (int)(n % m->h->line_range);
	return add_row(m);
}

static int run(struct machine *m, struct dwarf_cursor *c)
{
	int err = 0;

	begin_sequence(m);
	while (!err && dwarf_left(c)) {
		unsigned int opcode = dwarf_u8(c);

		if (!lines_budget_step(m->budget))
			return -EDQUOT;
		if (opcode >= m->h->opcode_base)
			err = run_special(m, opcode);
		else if (opcode)
			err = run_standard(m, opcode, c);
		else
			err = run_extended(m, c);
	}
	m->table->n_rows = m->now.first; /* a sequence without an end is none */
	return err;
}

static void shrink_rows(struct dwarf_line_table *t)
{
	void *rows = t->n_rows ? realloc(t->rows, t->n_rows * sizeof(*t->rows)) : NULL;

	if (rows) {
		t->rows = rows;
		t->rows_cap = t->n_rows;
	}
}

static int by_start(const void *a, const void *b)
{
	const struct dwarf_line_sequence *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

int dwarf_line_table_new(const struct dwarf_unit *unit, struct lines_budget *budget,
			 uint64_t *done_bytes, struct dwarf_line_table **ret)
{
	_cleanup_(dwarf_line_table_freep) struct dwarf_line_table *t = calloc(1, sizeof(*t));
	struct dwarf_cursor c = dwarf_data_at(unit->data, DWARF_LINE, unit->lines);
	struct machine m = { .table = t, .budget = budget };
	struct dwarf_line_header h;
	const uint8_t *start = c.at;
	int err;

	if (!t)
		return -ENOMEM;
	if (!unit->has_lines || c.bad)
		return -ENOENT;
	if (*done_bytes > unit->data->sections[DWARF_LINE].size)
		return -EINVAL;
	t->unit_folder = unit->folder;
	err = dwarf_line_header_read(unit, &c, t, &h);
	m.h = &h;
	if (!err && array_reserve(t->rows, t->rows_cap, dwarf_left(&c) / BYTES_PER_ROW + 1))
		err = -ENOMEM;
	if (!err)
		err = run(&m, &c);
	*done_bytes += c.at - start;
	if (err)
		return err;
	shrink_rows(t);
	if (t->n_sequences)
		qsort(t->sequences, t->n_sequences, sizeof(*t->sequences), by_start);
	*ret = take(t);
	return 0;
}

/* --- looking up ------------------------------------------------------------------------------ */

const struct dwarf_line_row *dwarf_line_table_find(const struct dwarf_line_table *table,
						   uint64_t address)
{
	const struct dwarf_line_sequence *s;
	size_t low = 0, high = table->n_sequences;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (table->sequences[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || address >= table->sequences[low - 1].end)
		return NULL;
	s = &table->sequences[low - 1];
	low = 0;
	high = s->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (table->rows[s->first + mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &table->rows[s->first + low - 1] : NULL;
}

/* Names are hostile: the rest of a longer one is not kept anyway. */
static int add_name(struct str *path, const char *name)
{
	return str_add_bytes(path, name, strnlen(name, NAME_MAX_BYTES));
}

static int add_folder(struct str *path, const char *folder)
{
	bool says_nothing = !folder || !*folder || !strcmp(folder, ".");
	int err = says_nothing ? 0 : add_name(path, folder);

	return err || !path->len || path->data[path->len - 1] == '/' ? err : str_add(path, "/");
}

/* A name within its folder within the unit's, as far as each is relative. */
static const char *make_path(const struct dwarf_line_table *t, const struct dwarf_line_file *f,
			     struct name_arena *arena)
{
	_cleanup_(str_release) struct str path = { 0 };
	const char *folder = f->folder ? f->folder : "";
	bool is_absolute = f->name[0] == '/';
	int err = 0;

	if (!is_absolute && folder[0] != '/')
		err = add_folder(&path, t->unit_folder);
	if (!err && !is_absolute)
		err = add_folder(&path, folder);
	if (!err)
		err = add_name(&path, f->name);
	return err ? NULL : name_arena_add(arena, path.data, path.len);
}

const char *dwarf_line_table_path(struct dwarf_line_table *table, struct name_arena *arena,
				  uint64_t file)
{
	uint64_t i = file - table->counts_from_1;
	struct dwarf_line_file *f = i < table->n_files ? &table->files[i] : NULL;

	if (!f || !f->name || !*f->name)
		return NULL;
	if (!f->path)
		f->path = make_path(table, f, arena);
	return f->path;
}
