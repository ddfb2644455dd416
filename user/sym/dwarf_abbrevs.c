/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/dwarf_abbrevs.h"

#include <dwarf.h>
#include <errno.h>

#include "user/base/array.h"
#include "user/base/err.h"

void dwarf_abbrev_cache_init(struct dwarf_abbrev_cache *cache)
{
	*cache = (struct dwarf_abbrev_cache){ 0 };
	keyset_init(&cache->offsets, sizeof(uint64_t));
}

static void dwarf_abbrevs_free(struct dwarf_abbrevs *table)
{
	if (!table)
		return;
	free(table->abbrevs);
	free(table->attributes);
	free(table->implicits);
	free(table);
}
DEFINE_FREEP(struct dwarf_abbrevs, dwarf_abbrevs_free)

void dwarf_abbrev_cache_release(struct dwarf_abbrev_cache *cache)
{
	size_t i;

	for (i = 0; i < cache->offsets.n; i++)
		dwarf_abbrevs_free(cache->tables[i]);
	free(cache->tables);
	keyset_release(&cache->offsets);
	*cache = (struct dwarf_abbrev_cache){ 0 };
}

static uint16_t in_16_bits(uint64_t v)
{
	return v < UINT16_MAX ? v : UINT16_MAX;
}

static int add_implicit(struct dwarf_abbrevs *table, int64_t value, uint32_t *ret)
{
	if (array_reserve(table->implicits, table->implicits_cap, table->n_implicits + 1))
		return -ENOMEM;
	*ret = table->n_implicits;
	table->implicits[table->n_implicits++] = value;
	return 0;
}

static int read_attributes(struct dwarf_abbrevs *table, struct dwarf_cursor *c)
{
	for (;;) {
		struct dwarf_attribute a = { .name = in_16_bits(dwarf_uleb(c)) };

		a.form = in_16_bits(dwarf_uleb(c));
		if (a.form == DW_FORM_implicit_const &&
		    add_implicit(table, dwarf_sleb(c), &a.implicit))
			return -ENOMEM;
		if (c->bad)
			return -EINVAL;
		if (!a.name && !a.form)
			return 0;
		if (array_reserve(table->attributes, table->attributes_cap,
				  table->n_attributes + 1))
			return -ENOMEM;
		table->attributes[table->n_attributes++] = a;
	}
}

static int by_code(const void *a, const void *b)
{
	const struct dwarf_abbrev *x = a, *y = b;

	return (x->code > y->code) - (x->code < y->code);
}

static int read_table(struct dwarf_abbrevs *table, struct dwarf_cursor *c)
{
	bool is_sorted = true;
	int err;

	/* Most tables have not many more: spares growing step by step. */
	if (array_reserve(table->abbrevs, table->cap, 128) ||
	    array_reserve(table->attributes, table->attributes_cap, 512))
		return -ENOMEM;
	for (;;) {
		struct dwarf_abbrev a = { .code = dwarf_uleb(c), .first = table->n_attributes };

		/* Some linkers leave out the last table's end. */
		if (c->bad || !a.code)
			break;
		a.tag = in_16_bits(dwarf_uleb(c));
		a.has_children = dwarf_u8(c) != DW_CHILDREN_no;
		err = c->bad ? -EINVAL : read_attributes(table, c);
		if (!err && array_reserve(table->abbrevs, table->cap, table->n + 1))
			err = -ENOMEM;
		if (err)
			return err;
		a.n = table->n_attributes - a.first;
		is_sorted &= !table->n || table->abbrevs[table->n - 1].code < a.code;
		table->abbrevs[table->n++] = a;
	}
	if (!is_sorted)
		qsort(table->abbrevs, table->n, sizeof(*table->abbrevs), by_code);
	return 0;
}

int dwarf_abbrevs_at(struct dwarf_abbrev_cache *cache, const struct dwarf_data *data,
		     uint64_t offset, const struct dwarf_abbrevs **ret)
{
	_cleanup_(dwarf_abbrevs_freep) struct dwarf_abbrevs *table = NULL;
	struct dwarf_cursor c = dwarf_data_at(data, DWARF_ABBREV, offset);
	const uint8_t *start = c.at;
	uint32_t i = keyset_find(&cache->offsets, &offset);
	int err;

	if (i != KEYSET_NONE) {
		*ret = cache->tables[i];
		return 0;
	}
	if (c.bad || cache->done_bytes > data->sections[DWARF_ABBREV].size)
		return -EINVAL;
	table = calloc(1, sizeof(*table));
	if (!table || array_reserve(cache->tables, cache->tables_cap, cache->offsets.n + 1))
		return -ENOMEM;
	err = read_table(table, &c);
	cache->done_bytes += c.at - start;
	if (!err && keyset_add(&cache->offsets, &offset, &i) < 0)
		err = -ENOMEM;
	if (err)
		return err;
	cache->tables[i] = table;
	*ret = take(table);
	return 0;
}

const struct dwarf_abbrev *dwarf_abbrev_find(const struct dwarf_abbrevs *table, uint64_t code)
{
	size_t low = 0, high = table->n;

	/* Compilers number them 1, 2, 3, ... */
	if (code - 1 < table->n && table->abbrevs[code - 1].code == code)
		return &table->abbrevs[code - 1];
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (table->abbrevs[mid].code < code)
			low = mid + 1;
		else
			high = mid;
	}
	return low < table->n && table->abbrevs[low].code == code ? &table->abbrevs[low] : NULL;
}
