/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table: how to unwind from every address of one ELF file, made from its .eh_frame, or .debug_frame
 * where it has only that.
 */
#pragma once

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "user/base/cleanup.h"
#include "user/elf/elf_image.h"
#include "user/unwind/rules.h"

struct unwind_table {
	uint64_t start, end; /* virtual addresses that the pages cover, multiples of 4 KiB */
	uint32_t *rows;	     /* FT_ROW(), in the order of addresses */
	size_t n_rows;
	struct ft_unwind_page *pages; /* 'row' counts from rows[0]; chunks do not matter here */
	size_t n_pages;

	/* What was met on the way, for people and for tests. */
	size_t n_fdes;
	size_t n_broken;      /* entries that were left out because they are malformed */
	size_t n_overlaps;    /* functions that another one covers, partly or wholly */
	size_t n_outside;     /* functions that begin outside of start..end */
	size_t n_unsupported; /* rows that say FT_CFA_UNSUPPORTED or FT_SAVED_UNSUPPORTED for ra */
	size_t n_no_room;     /* rows that say so because there was no room for their rule */
	size_t n_special; /* entry points and signal trampolines without call frame information */
};

/*
 * Makes the table of 'image', whose sections must still be readable, for its own machine type.
 * -ENODATA if it has no call frame information at all, and is no small file with known entry code,
 * -EINVAL if that is broken as a whole, -EFBIG beyond our limits (512 MiB of addresses, 16 Mi rows,
 * 4 Mi functions, sections of 128 MiB), -EIO, -ENOTSUP for a machine that is not x86-64 or arm64,
 * -ENOMEM; each with a sentence. A rule that there is no room for (one file adds at most 4096) is
 * FT_CFA_UNSUPPORTED, and counted.
 */
int unwind_table_build(const struct elf_image *image, struct unwind_rules *rules,
		       struct unwind_table **ret);
void unwind_table_free(struct unwind_table *table);
DEFINE_FREEP(struct unwind_table, unwind_table_free)

/* The rule that holds at a virtual address of the file; FT_RULE_NO_CFI outside of it. */
uint16_t unwind_table_find(const struct unwind_table *table, uint64_t address);
