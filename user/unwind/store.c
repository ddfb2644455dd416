/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/unwind/store.h"

#include <errno.h>

#include "user/base/array.h"
#include "user/unwind/extents.h"

/* Rows of a table that lie together, in one chunk. */
struct piece {
	uint32_t from;	/* number of the first one in the table */
	uint32_t to, n; /* where they are in the store */
	uint32_t pages; /* of the table that use them; they follow those of the piece before */
};

struct pieces {
	struct piece *at;
	size_t n, cap;
};

struct stored {
	bool used;
	struct pieces pieces;
	uint32_t page, n_pages;
};

struct unwind_store {
	struct unwind_memory memory;
	struct extents rows, pages; /* free ones */
	size_t n_rows_used, n_pages_used;
	size_t n_pieces; /* of all tables */
	size_t n_tables; /* in use */
	struct stored *tables;
	size_t n, cap;
};

/* Room to give everything back that is in use, and to cut off what is taken now. */
static int reserve(struct unwind_store *store, size_t n_pieces)
{
	if (extents_reserve(&store->rows, store->n_pieces + 2 * n_pieces + 1) ||
	    extents_reserve(&store->pages, store->n_tables + 2))
		return -ENOMEM;
	return 0;
}

static uint32_t *row_at(struct unwind_store *store, uint32_t row)
{
	return &store->memory.chunks[row / FT_CHUNK_ROWS].rows[row % FT_CHUNK_ROWS];
}

int unwind_store_new(const struct unwind_memory *memory, struct unwind_store **ret)
{
	_cleanup_(unwind_store_freep) struct unwind_store *store = calloc(1, sizeof(*store));

	if (!store)
		return -ENOMEM;
	store->memory = *memory;
	/* More could not be numbered. */
	if (memory->n_chunks > UINT32_MAX / FT_CHUNK_ROWS)
		store->memory.n_chunks = UINT32_MAX / FT_CHUNK_ROWS;
	extents_init(&store->rows);
	extents_init(&store->pages);
	if (reserve(store, 0))
		return -ENOMEM;
	if (store->memory.n_chunks) {
		/* What a page says that was never written: nothing is known. */
		*row_at(store, 0) = FT_ROW(0, FT_RULE_NO_CFI);
		extents_give(&store->rows, 1, store->memory.n_chunks * FT_CHUNK_ROWS - 1);
	}
	if (memory->n_pages)
		extents_give(&store->pages, 0, memory->n_pages);
	*ret = take(store);
	return 0;
}

void unwind_store_free(struct unwind_store *store)
{
	size_t i;

	if (!store)
		return;
	for (i = 0; i < store->n; i++)
		free(store->tables[i].pieces.at);
	free(store->tables);
	extents_release(&store->rows);
	extents_release(&store->pages);
	free(store);
}

/*
 * As many of the pages from number *page on as fit into the free rows start..end of one chunk. A
 * page needs its prevailing row and those that begin in it; its neighbours share rows with it.
 */
static int fill(const struct unwind_table *t, size_t *page, uint32_t start, uint32_t end,
		struct pieces *pieces)
{
	struct piece piece = { .from = t->pages[*page].row, .to = start };

	while (*page < t->n_pages) {
		const struct ft_unwind_page *p = &t->pages[*page];
		uint32_t need = p->row + p->n + 1 - piece.from;

		if (need > end - start)
			break;
		piece.n = need;
		piece.pages++;
		++*page;
	}
	if (!piece.pages)
		return 0;
	if (array_reserve(pieces->at, pieces->cap, pieces->n + 1))
		return -ENOMEM;
	pieces->at[pieces->n++] = piece;
	return 0;
}

/* Where the table's rows go: first fit, in as many pieces as it takes. */
static int plan(const struct unwind_store *store, const struct unwind_table *t,
		struct pieces *pieces)
{
	size_t i, page = 0;

	for (i = 0; i < store->rows.n && page < t->n_pages; i++) {
		uint32_t start = store->rows.at[i].start, end = start + store->rows.at[i].n;

		while (start < end && page < t->n_pages) {
			uint32_t chunk_end = (start / FT_CHUNK_ROWS + 1) * FT_CHUNK_ROWS;
			int err;

			if (chunk_end > end || !chunk_end)
				chunk_end = end;
			err = fill(t, &page, start, chunk_end, pieces);
			if (err)
				return err;
			start = chunk_end;
		}
	}
	return page == t->n_pages ? 0 : -ENOSPC;
}

static void copy(struct unwind_store *store, const struct unwind_table *t,
		 const struct pieces *pieces, uint32_t first_page)
{
	struct ft_unwind_page *to = store->memory.pages + first_page;
	const struct ft_unwind_page *from = t->pages;
	size_t i;
	uint32_t k;

	for (i = 0; i < pieces->n; i++) {
		const struct piece *piece = &pieces->at[i];

		extents_take(&store->rows, piece->to, piece->n);
		store->n_rows_used += piece->n;
		memcpy(row_at(store, piece->to), t->rows + piece->from,
		       piece->n * sizeof(*t->rows));
		for (k = 0; k < piece->pages; k++, from++)
			*to++ = (struct ft_unwind_page){ .row = from->row - piece->from + piece->to,
							 .n = from->n };
	}
	extents_take(&store->pages, first_page, t->n_pages);
	store->n_pages_used += t->n_pages;
}

/* A number for a table: one that is free again, or a new one. */
static int new_id(struct unwind_store *store, uint32_t *ret)
{
	size_t i;

	for (i = 0; i < store->n && store->tables[i].used; i++)
		;
	if (i == store->n) {
		if (array_reserve(store->tables, store->cap, store->n + 1))
			return -ENOMEM;
		store->tables[store->n++] = (struct stored){ .used = false };
	}
	*ret = i;
	return 0;
}

int unwind_store_put(struct unwind_store *store, const struct unwind_table *table, uint32_t *ret_id,
		     uint32_t *ret_page)
{
	struct pieces pieces = { .n = 0 };
	uint32_t id, page;
	int err;

	if (table->n_pages >= UINT32_MAX)
		return -ENOSPC;
	page = extents_find(&store->pages, table->n_pages);
	err = page == UINT32_MAX ? -ENOSPC : plan(store, table, &pieces);
	if (!err)
		err = new_id(store, &id);
	if (!err)
		err = reserve(store, pieces.n);
	if (err) {
		free(pieces.at);
		return err;
	}
	copy(store, table, &pieces, page);
	store->n_pieces += pieces.n;
	store->n_tables++;
	store->tables[id] = (struct stored){
		.used = true, .pieces = pieces, .page = page, .n_pages = table->n_pages
	};
	*ret_id = id;
	*ret_page = page - (uint32_t)(table->start >> FT_PAGE_SHIFT);
	return 0;
}

void unwind_store_drop(struct unwind_store *store, uint32_t id)
{
	struct stored *stored;
	size_t i;

	if (id >= store->n || !store->tables[id].used)
		return;
	stored = &store->tables[id];
	for (i = 0; i < stored->pieces.n; i++) {
		extents_give(&store->rows, stored->pieces.at[i].to, stored->pieces.at[i].n);
		store->n_rows_used -= stored->pieces.at[i].n;
	}
	extents_give(&store->pages, stored->page, stored->n_pages);
	store->n_pages_used -= stored->n_pages;
	store->n_pieces -= stored->pieces.n;
	store->n_tables--;
	free(stored->pieces.at);
	*stored = (struct stored){ .used = false };
}

uint64_t unwind_store_used(const struct unwind_store *store)
{
	return store->n_rows_used * sizeof(uint32_t) +
	       store->n_pages_used * sizeof(struct ft_unwind_page);
}
