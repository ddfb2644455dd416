/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unwind_tables: the unwind table of each file that is mapped executable. One is made when a walk
 * first comes to need it.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "user/base/cleanup.h"
#include "user/collect/unwind_maps.h"
#include "user/sym/sym.h"

struct unwind_tables;

/* Both are borrowed. 0 or -ENOMEM. */
int unwind_tables_new(const struct unwind_maps *maps, struct symbolizer *symbolizer,
		      struct unwind_tables **ret);
void unwind_tables_free(struct unwind_tables *t);
DEFINE_FREEP(struct unwind_tables, unwind_tables_free)

/* The number of a mapping's table, made or not; UNWIND_TABLES_NONE for what is in no file. */
#define UNWIND_TABLES_NONE UINT32_MAX
int unwind_tables_of(struct unwind_tables *t, const struct sym_mapping *m, uint32_t *ret);

/* FT_MAPPING_*: what is to be said of mappings that have this table. */
uint16_t unwind_tables_kind(const struct unwind_tables *t, uint32_t table);

/* Makes room by one other table's: false if there is none that may go. */
typedef bool (*unwind_tables_evict_fn)(void *ctx);

/*
 * Makes a table that is FT_MAPPING_PENDING, reading the file of 'm'. After that it is
 * FT_MAPPING_TABLE; FT_MAPPING_NO_CFI if the file has none or cannot be read; or FT_MAPPING_FULL if
 * there is no room for it, which is counted once and stays so. 0 or -ENOMEM.
 */
int unwind_tables_make(struct unwind_tables *t, uint32_t table, const struct sym_mapping *m,
		       unwind_tables_evict_fn evict, void *ctx);

/* It is to go: FT_MAPPING_PENDING again, in all lists. When nobody reads it any more, its room is
 * given back by the second. */
void unwind_tables_retire(struct unwind_tables *t, uint32_t table);
void unwind_tables_drop(struct unwind_tables *t, uint32_t table);

/* A walk has used it at that time, CLOCK_MONOTONIC; and the one that has been used longest ago. */
void unwind_tables_touch(struct unwind_tables *t, uint32_t table, uint64_t now_ns);
uint32_t unwind_tables_oldest(const struct unwind_tables *t, uint64_t before_ns);

/*
 * Fills in where the table stands for addresses of 'm', which has it: start, end (what the table
 * does not cover is cut off), bias, page and kind.
 */
void unwind_tables_place(const struct unwind_tables *t, uint32_t table, uint64_t start,
			 uint64_t end, uint64_t pgoff, struct ft_unwind_mapping *ret);

/* Reads code at an address of 'm' from the table's file: 0, or -EFAULT without a sentence. */
int unwind_tables_read_code(const struct unwind_tables *t, uint32_t table,
			    const struct sym_mapping *m, uint64_t address, void *to, size_t size);

struct unwind_tables_counts {
	uint64_t tables;  /* that are there now */
	uint64_t bytes;	  /* that they take, with the rules */
	uint64_t without; /* files without call frame information */
	uint64_t failed;  /* files that could not be read, or are broken as a whole */
	uint64_t broken;  /* entries of files that were left out because they are */
	uint64_t full;	  /* files whose table had no room */
	uint64_t evicted;
	uint64_t make_ns; /* CPU time that making them took */
};
void unwind_tables_counts(const struct unwind_tables *t, struct unwind_tables_counts *ret);
