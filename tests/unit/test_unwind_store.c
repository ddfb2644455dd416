/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/unwind/store.h"

#define MAX_CHUNKS 3
#define MAX_PAGES  256
#define GUARD	   0xa5

/* Memory of exactly the size that was asked for, so that ASan sees what is written outside. */
struct fixture {
	struct unwind_memory memory;
	struct unwind_store *store;
};

static void fixture_make(struct fixture *f, uint32_t n_chunks, uint32_t n_pages)
{
	f->memory = (struct unwind_memory){
		.chunks = malloc(n_chunks * sizeof(struct ft_unwind_chunk)),
		.n_chunks = n_chunks,
		.pages = malloc(n_pages * sizeof(struct ft_unwind_page)),
		.n_pages = n_pages,
	};
	assert_non_null(f->memory.chunks);
	assert_non_null(f->memory.pages);
	memset(f->memory.chunks, GUARD, n_chunks * sizeof(struct ft_unwind_chunk));
	memset(f->memory.pages, GUARD, n_pages * sizeof(struct ft_unwind_page));
	assert_int_equal(unwind_store_new(&f->memory, &f->store), 0);
}

static void fixture_release(struct fixture *f)
{
	unwind_store_free(f->store);
	free(f->memory.chunks);
	free(f->memory.pages);
}

/* A table of so many pages, in each of which so many rows begin behind its start. */
static struct unwind_table *make_table(uint64_t start, size_t n_pages, size_t rows_per_page,
				       uint16_t rule)
{
	struct unwind_table *t = calloc(1, sizeof(*t));
	size_t i, k;

	assert_non_null(t);
	t->start = start;
	t->end = start + (n_pages << FT_PAGE_SHIFT);
	t->n_pages = n_pages;
	t->pages = calloc(n_pages, sizeof(*t->pages));
	t->rows = calloc(1 + n_pages * rows_per_page, sizeof(*t->rows));
	t->rows[t->n_rows++] = FT_ROW(start, rule);
	for (i = 0; i < n_pages; i++) {
		t->pages[i] = (struct ft_unwind_page){ .row = t->n_rows - 1, .n = rows_per_page };
		for (k = 1; k <= rows_per_page; k++, t->n_rows++)
			t->rows[t->n_rows] =
				FT_ROW(start + (i << FT_PAGE_SHIFT) + k, rule + t->n_rows % 64);
	}
	return t;
}

/* What the walk would see through the store is what the table says, page by page. */
static void assert_stored(const struct fixture *f, const struct unwind_table *t, uint32_t page0)
{
	size_t i;

	for (i = 0; i < t->n_pages; i++) {
		uint32_t number = page0 + (uint32_t)((t->start >> FT_PAGE_SHIFT) + i);
		const struct ft_unwind_page *p;
		const uint32_t *rows;

		assert_true(number < f->memory.n_pages);
		p = &f->memory.pages[number];
		assert_true(p->row / FT_CHUNK_ROWS < f->memory.n_chunks);
		assert_true(p->row % FT_CHUNK_ROWS + p->n < FT_CHUNK_ROWS);
		assert_int_equal(p->n, t->pages[i].n);
		assert_int_equal(p->pad, 0);
		rows = f->memory.chunks[p->row / FT_CHUNK_ROWS].rows + p->row % FT_CHUNK_ROWS;
		assert_memory_equal(rows, t->rows + t->pages[i].row, (p->n + 1) * sizeof(*rows));
	}
}

static void a_table_is_found_by_its_page_of_address_zero(void **state)
{
	struct unwind_table *t = make_table(0x7000, 3, 10, 5);
	uint32_t id = 9, page = 0;
	struct fixture f;

	(void)state;
	fixture_make(&f, 1, 16);
	assert_int_equal(unwind_store_put(f.store, t, &id, &page), 0);
	assert_int_equal(page, (uint32_t)-7);
	assert_stored(&f, t, page);
	assert_int_equal(unwind_store_used(f.store), 31 * 4 + 3 * 8);
	unwind_store_drop(f.store, id);
	assert_int_equal(unwind_store_used(f.store), 0);
	unwind_table_free(t);
	fixture_release(&f);
}

static void the_first_row_says_that_nothing_is_known(void **state)
{
	struct unwind_table *t = make_table(0, 1, 3, 5);
	uint32_t id, page;
	struct fixture f;

	(void)state;
	fixture_make(&f, 1, 16);
	assert_int_equal(unwind_store_put(f.store, t, &id, &page), 0);
	assert_int_equal(FT_ROW_RULE(f.memory.chunks[0].rows[0]), FT_RULE_NO_CFI);
	unwind_table_free(t);
	fixture_release(&f);
}

static void rows_of_a_page_are_never_split_between_chunks(void **state)
{
	struct unwind_table *t = make_table(0x1000, 60, 3001, 5);
	uint32_t id, page;
	struct fixture f;

	(void)state;
	fixture_make(&f, MAX_CHUNKS, 64);
	assert_int_equal(unwind_store_put(f.store, t, &id, &page), 0);
	assert_stored(&f, t, page);
	unwind_table_free(t);
	fixture_release(&f);
}

static void without_room_nothing_changes(void **state)
{
	struct unwind_table *big = make_table(0, 40, 3001, 5), *wide = make_table(0, 17, 1, 5);
	struct unwind_table *small = make_table(0, 16, 3000, 5);
	uint32_t id = 77, page = 78;
	struct fixture f;

	(void)state;
	fixture_make(&f, 1, 16);
	assert_int_equal(unwind_store_put(f.store, big, &id, &page), -ENOSPC);
	assert_int_equal(unwind_store_put(f.store, wide, &id, &page), -ENOSPC);
	assert_int_equal(id, 77);
	assert_int_equal(page, 78);
	assert_int_equal(unwind_store_used(f.store), 0);
	assert_int_equal(unwind_store_put(f.store, small, &id, &page), 0);
	assert_stored(&f, small, page);
	unwind_table_free(big);
	unwind_table_free(wide);
	unwind_table_free(small);
	fixture_release(&f);
}

static void rows_go_into_several_free_places(void **state)
{
	struct unwind_table *t[16], *big = make_table(0x100000, 20, 1000, 9);
	uint32_t id[16], page[16], big_id, big_page;
	struct fixture f;
	size_t i;

	(void)state;
	fixture_make(&f, 1, 128);
	for (i = 0; i < 16; i++) {
		t[i] = make_table(i << 20, 4, 1000, i);
		assert_int_equal(unwind_store_put(f.store, t[i], &id[i], &page[i]), 0);
	}
	/* Each second one makes room for 4001 rows: the big one's 20001 need six of them. */
	for (i = 1; i < 16; i += 2)
		unwind_store_drop(f.store, id[i]);
	assert_int_equal(unwind_store_put(f.store, big, &big_id, &big_page), 0);
	assert_stored(&f, big, big_page);
	for (i = 0; i < 16; i += 2)
		assert_stored(&f, t[i], page[i]);
	for (i = 0; i < 16; i++)
		unwind_table_free(t[i]);
	unwind_table_free(big);
	fixture_release(&f);
}

static void all_room_comes_back(void **state)
{
	struct unwind_table *t[8], *whole = make_table(0, 16, 4095, 2);
	uint32_t id[8], page[8], round;
	struct fixture f;
	size_t i;

	(void)state;
	fixture_make(&f, 1, 16);
	for (round = 0; round < 4; round++) {
		for (i = 0; i < 8; i++) {
			t[i] = make_table(0, 2, 700 + 13 * i, i);
			assert_int_equal(unwind_store_put(f.store, t[i], &id[i], &page[i]), 0);
		}
		for (i = 0; i < 8; i++)
			unwind_store_drop(f.store, id[(i * 3 + round) % 8]);
		for (i = 0; i < 8; i++)
			unwind_table_free(t[i]);
		assert_int_equal(unwind_store_used(f.store), 0);
		whole->n_pages = 15; /* 61426 rows in one piece, in a chunk of 65535 free ones */
		assert_int_equal(unwind_store_put(f.store, whole, &id[0], &page[0]), 0);
		assert_stored(&f, whole, page[0]);
		unwind_store_drop(f.store, id[0]);
	}
	unwind_store_drop(f.store, id[0]); /* not there any more: no matter */
	unwind_store_drop(f.store, UNWIND_STORE_NONE);
	unwind_table_free(whole);
	fixture_release(&f);
}

static uint32_t next_random(void)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x >> 16;
}

static void tables_that_come_and_go_never_disturb_each_other(void **state)
{
	struct unwind_table *t[24] = { NULL };
	uint32_t id[24], page[24], i, k, full = 0;
	struct fixture f;

	(void)state;
	fixture_make(&f, 2, MAX_PAGES);
	for (i = 0; i < 3000; i++) {
		k = next_random() % 24;
		if (t[k]) {
			assert_stored(&f, t[k], page[k]);
			unwind_store_drop(f.store, id[k]);
			unwind_table_free(t[k]);
			t[k] = NULL;
			continue;
		}
		t[k] = make_table((uint64_t)(next_random() % 9) << FT_PAGE_SHIFT,
				  1 + next_random() % 20, next_random() % 1400, k);
		if (unwind_store_put(f.store, t[k], &id[k], &page[k])) {
			full++;
			unwind_table_free(t[k]);
			t[k] = NULL;
		}
	}
	assert_in_range(full, 1, 2000); /* both ways are taken */
	for (k = 0; k < 24; k++) {
		if (t[k])
			assert_stored(&f, t[k], page[k]);
		unwind_table_free(t[k]);
	}
	fixture_release(&f);
}

static void memory_of_no_size_has_no_room(void **state)
{
	struct unwind_table *t = make_table(0, 1, 1, 5);
	uint32_t id, page;
	struct fixture f;

	(void)state;
	fixture_make(&f, 0, 0);
	assert_int_equal(unwind_store_put(f.store, t, &id, &page), -ENOSPC);
	unwind_table_free(t);
	fixture_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_found_by_its_page_of_address_zero),
		cmocka_unit_test(the_first_row_says_that_nothing_is_known),
		cmocka_unit_test(rows_of_a_page_are_never_split_between_chunks),
		cmocka_unit_test(without_room_nothing_changes),
		cmocka_unit_test(rows_go_into_several_free_places),
		cmocka_unit_test(all_room_comes_back),
		cmocka_unit_test(tables_that_come_and_go_never_disturb_each_other),
		cmocka_unit_test(memory_of_no_size_has_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
