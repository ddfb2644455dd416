/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/unwind/table_rows.h"

#include <errno.h>

#include "user/base/array.h"

#define MAX_ROWS (16u << 20)

static int append(struct table_rows *w, uint64_t address, uint16_t rule)
{
	struct unwind_table *t = w->table;

	if (t->n_rows == MAX_ROWS)
		return -EFBIG;
	if (array_reserve(t->rows, w->cap_rows, t->n_rows + 1))
		return -ENOMEM;
	t->rows[t->n_rows++] = FT_ROW(address, rule);
	w->written = rule;
	return 0;
}

/* The row that was written last holds at the starts of pages up to that one. */
static void fill_pages(struct table_rows *w, size_t end)
{
	while (w->next_page < end)
		w->table->pages[w->next_page++].row = w->table->n_rows - 1;
}

static int write_waiting(struct table_rows *w)
{
	size_t page = (w->address - w->table->start) >> FT_PAGE_SHIFT;
	int err;

	if (w->rule == w->written)
		return 0;
	if (w->address & ((1 << FT_PAGE_SHIFT) - 1)) {
		fill_pages(w, page + 1);
		w->table->pages[page].n++;
		return append(w, w->address, w->rule);
	}
	fill_pages(w, page);
	err = append(w, w->address, w->rule);
	if (!err)
		fill_pages(w, page + 1);
	return err;
}

void table_rows_init(struct table_rows *w, struct unwind_table *table)
{
	*w = (struct table_rows){
		.table = table, .address = table->start, .rule = FT_RULE_NO_CFI, .written = -1
	};
}

int table_rows_put(struct table_rows *w, uint64_t address, uint16_t rule)
{
	int err;

	if (address != w->address) {
		err = write_waiting(w);
		if (err)
			return err;
		w->address = address;
	}
	w->rule = rule;
	return 0;
}

int table_rows_finish(struct table_rows *w)
{
	int err = w->address < w->table->end ? write_waiting(w) : 0;

	fill_pages(w, w->table->n_pages);
	return err;
}
