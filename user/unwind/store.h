/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store: tables of many files in the memory that the kernel's walk reads: chunks of rows, and pages
 * that point into them.
 */
#pragma once

#include <linux/types.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "user/base/cleanup.h"
#include "user/unwind/table.h"

struct unwind_memory {
	struct ft_unwind_chunk *chunks;
	uint32_t n_chunks;
	struct ft_unwind_page *pages;
	uint32_t n_pages;
};

struct unwind_store;

/* The memory is the caller's and outlives the store. 0 or -ENOMEM. */
int unwind_store_new(const struct unwind_memory *memory, struct unwind_store **ret);
void unwind_store_free(struct unwind_store *store);
DEFINE_FREEP(struct unwind_store, unwind_store_free)

#define UNWIND_STORE_NONE UINT32_MAX

/*
 * Copies a table in. *ret_id names it from then on; *ret_page is the number of the page of the
 * file's virtual address 0, modulo 2^32, as struct ft_unwind_mapping wants it. -ENOSPC if there is
 * no room (nothing has changed then), or -ENOMEM; no sentence.
 */
int unwind_store_put(struct unwind_store *store, const struct unwind_table *table, uint32_t *ret_id,
		     uint32_t *ret_page);

/* Gives a table's room back at once: nobody may read it any more. */
void unwind_store_drop(struct unwind_store *store, uint32_t id);

/* Bytes in use: rows and pages. */
uint64_t unwind_store_used(const struct unwind_store *store);
