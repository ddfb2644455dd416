/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/dwarf_line_header.h"

#include <dwarf.h>
#include <errno.h>

#include "user/base/array.h"

#define MAX_FILES   (1u << 20)
#define MAX_FORMATS 32 /* fields of a file or folder; the standard has five */

static int add_folder(struct dwarf_line_table *t, const char *name)
{
	if (t->n_folders >= MAX_FILES)
		return -EINVAL;
	if (array_reserve(t->folders, t->folders_cap, t->n_folders + 1))
		return -ENOMEM;
	t->folders[t->n_folders++] = name;
	return 0;
}

static int add_file(struct dwarf_line_table *t, const char *name, uint64_t folder)
{
	const char *in = NULL;

	if (t->n_files >= MAX_FILES)
		return -EINVAL;
	if (array_reserve(t->files, t->files_cap, t->n_files + 1))
		return -ENOMEM;
	if (t->counts_from_1)
		folder--; /* 0 is the unit's own, which relative ones are relative to anyway */
	if (folder < t->n_folders)
		in = t->folders[folder];
	t->files[t->n_files++] = (struct dwarf_line_file){ .folder = in, .name = name };
	return 0;
}

/* Up to version 4: strings up to an empty one; files with folder, time and size. */
static int old_tables(struct dwarf_cursor *c, struct dwarf_line_table *t)
{
	const char *name;
	int err = 0;

	while (!err && *(name = dwarf_string(c)))
		err = add_folder(t, name);
	while (!err && *(name = dwarf_string(c))) {
		uint64_t folder = dwarf_uleb(c);

		dwarf_uleb(c);
		dwarf_uleb(c);
		err = add_file(t, name, folder);
	}
	return err;
}

struct format {
	uint64_t content, form;
};

static bool read_field(const struct dwarf_unit *u, const struct dwarf_line_header *h, uint64_t form,
		       struct dwarf_cursor *c, const char **ret_text, uint64_t *ret_n)
{
	switch (form) {
	case DW_FORM_string:
		*ret_text = dwarf_string(c);
		break;
	case DW_FORM_line_strp:
		*ret_text =
			dwarf_data_string(u->data, DWARF_LINE_STR, dwarf_uint(c, h->offset_size));
		break;
	case DW_FORM_strp:
		*ret_text = dwarf_data_string(u->data, DWARF_STR, dwarf_uint(c, h->offset_size));
		break;
	case DW_FORM_udata:
		*ret_n = dwarf_uleb(c);
		break;
	case DW_FORM_data1:
		*ret_n = dwarf_u8(c);
		break;
	case DW_FORM_data2:
		*ret_n = dwarf_uint(c, 2);
		break;
	case DW_FORM_data4:
		*ret_n = dwarf_uint(c, 4);
		break;
	case DW_FORM_data8:
		*ret_n = dwarf_uint(c, 8);
		break;
	case DW_FORM_data16: /* a checksum */
		dwarf_skip(c, 16);
		break;
	case DW_FORM_block:
		dwarf_skip(c, dwarf_uleb(c));
		break;
	default:
		return false;
	}
	return !c->bad;
}

/* Version 5: a list whose fields are told first, of folders or of files. */
static int new_table(const struct dwarf_unit *u, const struct dwarf_line_header *h,
		     struct dwarf_cursor *c, bool files, struct dwarf_line_table *t)
{
	uint64_t n_formats = dwarf_u8(c), n, i, k;
	struct format formats[MAX_FORMATS];
	int err = 0;

	if (n_formats > MAX_FORMATS)
		return -EINVAL;
	for (k = 0; k < n_formats; k++) {
		formats[k].content = dwarf_uleb(c);
		formats[k].form = dwarf_uleb(c);
	}
	n = dwarf_uleb(c);
	if (c->bad || (n && !n_formats) || n > dwarf_left(c))
		return -EINVAL;
	for (i = 0; i < n && !err; i++) {
		const char *name = NULL, *text = NULL;
		uint64_t folder = UINT64_MAX, number = 0;

		for (k = 0; k < n_formats; k++) {
			text = NULL;
			if (!read_field(u, h, formats[k].form, c, &text, &number))
				return -EINVAL;
			if (formats[k].content == DW_LNCT_path)
				name = text;
			else if (formats[k].content == DW_LNCT_directory_index)
				folder = number;
		}
		err = files ? add_file(t, name, folder) : add_folder(t, name);
	}
	return err;
}

static void read_parameters(struct dwarf_cursor *c, struct dwarf_line_header *h)
{
	unsigned int i;

	h->min_instruction = dwarf_u8(c);
	if (h->version >= 4)
		dwarf_u8(c); /* operations of one instruction, of VLIW machines */
	dwarf_u8(c);	     /* whether rows begin as statements */
	h->line_base = (int8_t)dwarf_u8(c);
	h->line_range = dwarf_u8(c);
	h->opcode_base = dwarf_u8(c);
	for (i = 1; i < h->opcode_base; i++)
		h->operands[i] = dwarf_u8(c);
}

int dwarf_line_header_read(const struct dwarf_unit *unit, struct dwarf_cursor *c,
			   struct dwarf_line_table *table, struct dwarf_line_header *ret)
{
	struct dwarf_line_header h = { .address_size = unit->address_size };
	struct dwarf_cursor program;
	uint64_t length;
	bool is_64;
	int err;

	if (!dwarf_unit_length(c, &is_64))
		return -EINVAL;
	h.offset_size = is_64 ? 8 : 4;
	h.version = dwarf_uint(c, 2);
	if (h.version >= 5) {
		h.address_size = dwarf_u8(c);
		dwarf_u8(c); /* size of segment selectors */
	}
	length = dwarf_uint(c, h.offset_size);
	program = *c;
	dwarf_skip(&program, length);
	if (program.bad || h.version < 2 || h.version > 5)
		return -EINVAL;
	c->end = program.at;
	read_parameters(c, &h);
	table->counts_from_1 = h.version < 5;
	err = h.version < 5 ? old_tables(c, table) : new_table(unit, &h, c, false, table);
	if (!err && h.version >= 5)
		err = new_table(unit, &h, c, true, table);
	if (err)
		return err;
	*c = program;
	*ret = h;
	return 0;
}
