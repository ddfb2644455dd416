/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/dwarf_unit.h"

#include <dwarf.h>
#include <errno.h>

/* What an attribute's value is. */
struct value {
	enum {
		VALUE_NONE,
		VALUE_NUMBER,
		VALUE_ADDRESS,
		VALUE_ADDRESS_INDEX,
		VALUE_STRING,
		VALUE_RANGES_INDEX,
		VALUE_REFERENCE,
		VALUE_ALT_REFERENCE,
	} kind;
	uint64_t n;
	const char *text; /* NULL if it is not where it should be */
};

/* --- forms ----------------------------------------------------------------------------------- */

static const char *indexed_string(const struct dwarf_unit *u, uint64_t i)
{
	struct dwarf_cursor c = dwarf_data_at(u->data, DWARF_STR_OFFSETS, u->str_offsets_base);
	uint64_t offset;

	if (i > dwarf_left(&c) / u->offset_size)
		return NULL;
	dwarf_skip(&c, i * u->offset_size);
	offset = dwarf_uint(&c, u->offset_size);
	return c.bad ? NULL : dwarf_data_string(u->data, DWARF_STR, offset);
}

bool dwarf_unit_address(const struct dwarf_unit *unit, uint64_t i, uint64_t *ret)
{
	struct dwarf_cursor c = dwarf_data_at(unit->data, DWARF_ADDR, unit->addr_base);

	if (i > dwarf_left(&c) / unit->address_size)
		return false;
	dwarf_skip(&c, i * unit->address_size);
	*ret = dwarf_uint(&c, unit->address_size);
	return !c.bad;
}

static struct value number(uint64_t n)
{
	return (struct value){ .kind = VALUE_NUMBER, .n = n };
}

static struct value string(const char *text)
{
	return (struct value){ .kind = VALUE_STRING, .text = text };
}

static struct value of_kind(int kind, uint64_t n)
{
	return (struct value){ .kind = kind, .n = n };
}

static struct value skipped(struct dwarf_cursor *c, uint64_t n)
{
	dwarf_skip(c, n);
	return (struct value){ 0 };
}

static struct value alt_string(const struct dwarf_unit *u, uint64_t offset)
{
	const struct dwarf_data *alt = u->data->alt;

	return string(alt ? dwarf_data_string(alt, DWARF_STR, offset) : NULL);
}

/* Forms of numbers, references, strings; VALUE_NONE for what is only skipped. */
static struct value read_form(const struct dwarf_unit *u, unsigned int form, int64_t implicit,
			      struct dwarf_cursor *c)
{
	switch (form) {
	case DW_FORM_addr:
		return of_kind(VALUE_ADDRESS, dwarf_uint(c, u->address_size));
	case DW_FORM_data1:
	case DW_FORM_flag:
		return number(dwarf_u8(c));
	case DW_FORM_data2:
		return number(dwarf_uint(c, 2));
	case DW_FORM_data4:
		return number(dwarf_uint(c, 4));
	case DW_FORM_data8:
		return number(dwarf_uint(c, 8));
	case DW_FORM_data16:
		return skipped(c, 16);
	case DW_FORM_udata:
		return number(dwarf_uleb(c));
	case DW_FORM_sdata:
		return number(dwarf_sleb(c));
	case DW_FORM_sec_offset:
		return number(dwarf_uint(c, u->offset_size));
	case DW_FORM_implicit_const:
		return number(implicit);
	case DW_FORM_flag_present:
		return number(1);
	case DW_FORM_string:
		return string(dwarf_string(c));
	case DW_FORM_strp:
		return string(dwarf_data_string(u->data, DWARF_STR, dwarf_uint(c, u->offset_size)));
	case DW_FORM_line_strp:
		return string(
			dwarf_data_string(u->data, DWARF_LINE_STR, dwarf_uint(c, u->offset_size)));
	case DW_FORM_strx:
	case DW_FORM_GNU_str_index:
		return string(indexed_string(u, dwarf_uleb(c)));
	case DW_FORM_strx1:
	case DW_FORM_strx2:
	case DW_FORM_strx3:
	case DW_FORM_strx4:
		return string(indexed_string(u, dwarf_uint(c, form - DW_FORM_strx1 + 1)));
	case DW_FORM_GNU_strp_alt:
	case DW_FORM_strp_sup:
		return alt_string(u, dwarf_uint(c, u->offset_size));
	case DW_FORM_addrx:
	case DW_FORM_GNU_addr_index:
		return of_kind(VALUE_ADDRESS_INDEX, dwarf_uleb(c));
	case DW_FORM_addrx1:
	case DW_FORM_addrx2:
	case DW_FORM_addrx3:
	case DW_FORM_addrx4:
		return of_kind(VALUE_ADDRESS_INDEX, dwarf_uint(c, form - DW_FORM_addrx1 + 1));
	case DW_FORM_rnglistx:
		return of_kind(VALUE_RANGES_INDEX, dwarf_uleb(c));
	case DW_FORM_loclistx:
		return number(dwarf_uleb(c));
	case DW_FORM_ref1:
		return of_kind(VALUE_REFERENCE, u->offset + dwarf_u8(c));
	case DW_FORM_ref2:
		return of_kind(VALUE_REFERENCE, u->offset + dwarf_uint(c, 2));
	case DW_FORM_ref4:
		return of_kind(VALUE_REFERENCE, u->offset + dwarf_uint(c, 4));
	case DW_FORM_ref8:
		return of_kind(VALUE_REFERENCE, u->offset + dwarf_uint(c, 8));
	case DW_FORM_ref_udata:
		return of_kind(VALUE_REFERENCE, u->offset + dwarf_uleb(c));
	case DW_FORM_ref_addr: /* as long as an address in version 2 */
		return of_kind(VALUE_REFERENCE,
			       dwarf_uint(c, u->version == 2 ? u->address_size : u->offset_size));
	case DW_FORM_GNU_ref_alt:
		return of_kind(VALUE_ALT_REFERENCE, dwarf_uint(c, u->offset_size));
	case DW_FORM_ref_sup4:
		return of_kind(VALUE_ALT_REFERENCE, dwarf_uint(c, 4));
	case DW_FORM_ref_sup8:
		return of_kind(VALUE_ALT_REFERENCE, dwarf_uint(c, 8));
	case DW_FORM_ref_sig8:
		return skipped(c, 8);
	case DW_FORM_exprloc:
	case DW_FORM_block:
		return skipped(c, dwarf_uleb(c));
	case DW_FORM_block1:
		return skipped(c, dwarf_u8(c));
	case DW_FORM_block2:
		return skipped(c, dwarf_uint(c, 2));
	case DW_FORM_block4:
		return skipped(c, dwarf_uint(c, 4));
	default:
		dwarf_fail(c); /* of unknown length */
		return (struct value){ 0 };
	}
}

static struct value read_value(const struct dwarf_unit *u, const struct dwarf_attribute *a,
			       struct dwarf_cursor *c)
{
	unsigned int form = a->form;

	if (form == DW_FORM_indirect) {
		uint64_t inner = dwarf_uleb(c);

		form = inner < UINT16_MAX ? inner : 0;
	}
	return read_form(u, form,
			 a->form == DW_FORM_implicit_const ? u->abbrevs->implicits[a->implicit] : 0,
			 c);
}

/* --- entries --------------------------------------------------------------------------------- */

static struct dwarf_reference reference(const struct value *v)
{
	return (struct dwarf_reference){
		.offset = v->n,
		.kind = v->kind == VALUE_REFERENCE	 ? DWARF_REFERENCE
			: v->kind == VALUE_ALT_REFERENCE ? DWARF_ALT_REFERENCE
							 : DWARF_NO_REFERENCE,
	};
}

static void take_attribute(const struct dwarf_unit *u, unsigned int name, const struct value *v,
			   struct dwarf_die *d)
{
	bool is_address = v->kind == VALUE_ADDRESS || v->kind == VALUE_ADDRESS_INDEX;
	uint64_t n = v->n;

	if (v->kind == VALUE_ADDRESS_INDEX && !dwarf_unit_address(u, n, &n))
		return;
	switch (name) {
	case DW_AT_name:
		d->name = v->text;
		break;
	case DW_AT_linkage_name:
	case DW_AT_MIPS_linkage_name:
		d->linkage_name = v->text;
		break;
	case DW_AT_abstract_origin:
	case DW_AT_specification:
		d->origin = reference(v);
		break;
	case DW_AT_low_pc:
		d->low = n;
		d->has_low = is_address;
		break;
	case DW_AT_high_pc:
		d->high = n;
		d->has_high = true;
		d->high_is_size = !is_address;
		break;
	case DW_AT_ranges:
		d->ranges = n;
		d->has_ranges = true;
		d->ranges_is_index = v->kind == VALUE_RANGES_INDEX;
		break;
	case DW_AT_call_file:
		d->call_file = n;
		break;
	case DW_AT_call_line:
		d->call_line = n;
		break;
	default:
		break;
	}
}

/* What the unit's first entry says of all of it. */
static void take_unit_attribute(struct dwarf_unit *u, unsigned int name, const struct value *v)
{
	switch (name) {
	case DW_AT_language:
		u->language = v->n < UINT32_MAX ? v->n : 0;
		break;
	case DW_AT_stmt_list:
		u->lines = v->n;
		u->has_lines = v->kind == VALUE_NUMBER;
		break;
	case DW_AT_comp_dir:
		u->folder = v->text;
		break;
	case DW_AT_str_offsets_base:
		u->str_offsets_base = v->n;
		break;
	case DW_AT_addr_base:
	case DW_AT_GNU_addr_base:
		u->addr_base = v->n;
		break;
	case DW_AT_rnglists_base:
		u->rnglists_base = v->n;
		break;
	default:
		break;
	}
}

static bool is_of_interest(unsigned int tag)
{
	return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine ||
	       tag == DW_TAG_compile_unit || tag == DW_TAG_skeleton_unit;
}

/* 'first' is the unit once more, to be filled in from its first entry, or NULL. */
static int read_die(const struct dwarf_unit *u, uint64_t offset, bool any, struct dwarf_unit *first,
		    struct dwarf_die *ret)
{
	const struct dwarf_section *s = &u->data->sections[DWARF_INFO];
	struct dwarf_cursor c = { s->data + offset, s->data + u->end, false };
	struct dwarf_die d = { .offset = offset };
	const struct dwarf_abbrev *abbrev;
	uint64_t code;
	uint32_t i;

	if (offset < u->first || offset >= u->end)
		return -EINVAL;
	code = dwarf_uleb(&c);
	if (!code && !c.bad) {
		d.next = c.at - s->data;
		*ret = d;
		return 0;
	}
	abbrev = dwarf_abbrev_find(u->abbrevs, code);
	if (!abbrev)
		return -EINVAL;
	d.tag = abbrev->tag;
	d.has_children = abbrev->has_children;
	any |= is_of_interest(d.tag);
	for (i = 0; i < abbrev->n && !c.bad; i++) {
		const struct dwarf_attribute *a = &u->abbrevs->attributes[abbrev->first + i];
		struct value v = read_value(u, a, &c);

		if (a->name == DW_AT_sibling && v.kind == VALUE_REFERENCE)
			d.sibling = v.n;
		else if (first)
			take_unit_attribute(first, a->name, &v);
		else if (any)
			take_attribute(u, a->name, &v, &d);
	}
	if (c.bad)
		return -EINVAL;
	d.next = c.at - s->data;
	/* Backwards it would lead in circles. */
	if (d.sibling < d.next || d.sibling > u->end)
		d.sibling = 0;
	*ret = d;
	return 0;
}

int dwarf_die_read(const struct dwarf_unit *unit, uint64_t offset, struct dwarf_die *ret)
{
	return read_die(unit, offset, false, NULL, ret);
}

int dwarf_die_read_any(const struct dwarf_unit *unit, uint64_t offset, struct dwarf_die *ret)
{
	return read_die(unit, offset, true, NULL, ret);
}

/* Bases may stand behind what is relative to them: twice. */
int dwarf_unit_read_first(struct dwarf_unit *unit, struct dwarf_die *ret)
{
	struct dwarf_unit twice = *unit;
	struct dwarf_die d;
	int err = read_die(unit, unit->first, true, &twice, &d);

	if (!err)
		err = read_die(&twice, unit->first, true, unit, &d);
	if (!err)
		err = read_die(unit, unit->first, true, NULL, &d);
	if (err)
		return err;
	unit->base = d.has_low ? d.low : 0;
	*ret = d;
	return 0;
}

/* --- units ----------------------------------------------------------------------------------- */

static int read_header(struct dwarf_cursor *c, struct dwarf_unit *u, uint64_t *ret_abbrevs)
{
	u->version = dwarf_uint(c, 2);
	u->type = DW_UT_compile;
	if (u->version >= 5) {
		u->type = dwarf_u8(c);
		u->address_size = dwarf_u8(c);
		*ret_abbrevs = dwarf_uint(c, u->offset_size);
	} else {
		*ret_abbrevs = dwarf_uint(c, u->offset_size);
		u->address_size = dwarf_u8(c);
	}
	if (u->type == DW_UT_skeleton || u->type == DW_UT_split_compile)
		dwarf_skip(c, 8); /* its id */
	if (u->type == DW_UT_type || u->type == DW_UT_split_type)
		dwarf_skip(c, 8 + u->offset_size);
	return c->bad || u->version < 2 || u->version > 5 ||
			       (u->address_size != 4 && u->address_size != 8)
		       ? -ENOTSUP
		       : 0;
}

int dwarf_unit_read(const struct dwarf_data *data, struct dwarf_abbrev_cache *cache,
		    uint64_t *offset, struct dwarf_unit *ret)
{
	const struct dwarf_section *s = &data->sections[DWARF_INFO];
	struct dwarf_unit u = { .data = data, .offset = *offset };
	struct dwarf_cursor c;
	uint64_t abbrevs = 0;
	bool is_64;
	int err;

	if (*offset >= s->size)
		return -ENOENT;
	c = dwarf_data_at(data, DWARF_INFO, *offset);
	if (!dwarf_unit_length(&c, &is_64))
		return -EINVAL;
	u.offset_size = is_64 ? 8 : 4;
	u.end = c.end - s->data;
	*offset = u.end;
	err = read_header(&c, &u, &abbrevs);
	u.first = c.at - s->data;
	/* Behind the header of the first table, where units without the attribute begin. */
	u.str_offsets_base = u.version >= 5 ? 2 * u.offset_size : 0;
	if (!err)
		err = dwarf_abbrevs_at(cache, data, abbrevs, &u.abbrevs);
	if (err)
		return err == -ENOMEM ? err : -ENOTSUP;
	*ret = u;
	return 0;
}
