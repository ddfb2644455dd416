/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addr_table: which of many address ranges an address is in. Ranges may overlap; the table is
 * made of disjoint pieces in which the range of the highest order has won, so that a lookup is
 * one binary search, first among every 64th start, which stay in the processor's cache. 20 bytes
 * for each piece.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr_range {
	uint64_t start, end; /* end exclusive; more than 4 GiB is cut */
	uint32_t order;	     /* the higher wins where two overlap */
	uint32_t value;	     /* the caller's */
};

struct addr_piece {
	uint32_t size;
	uint32_t back; /* from the piece's start to the start of its range */
	uint32_t value;
};

struct addr_table {
	uint64_t *starts;
	uint64_t *every_64th; /* of the starts */
	struct addr_piece *pieces;
	size_t n;
};

/* Sorts 'ranges' in place (free if they are, by start and order). 0 or -ENOMEM. */
int addr_table_init(struct addr_table *table, struct addr_range *ranges, size_t n);
void addr_table_release(struct addr_table *table);

/* The winning range's value and the address's offset from its start; false in a hole. */
bool addr_table_find(const struct addr_table *table, uint64_t address, uint32_t *ret_value,
		     uint64_t *ret_offset);
