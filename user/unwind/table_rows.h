/* SPDX-License-Identifier: BSD-2-Clause */
/* table_rows: writes a table's rows and pages, from the lowest address to the highest. */
#pragma once

#include "user/unwind/table.h"

struct table_rows {
	struct unwind_table *table;
	size_t cap_rows;
	size_t next_page; /* pages before it know their row */
	uint64_t address; /* of the row that waits for what follows it */
	uint16_t rule;	  /* that row's */
	int32_t written;  /* that of the last row in the table; -1 before the first */
};

/* The table has 'start', 'end' and zeroed pages; nothing is known at its start. */
void table_rows_init(struct table_rows *w, struct unwind_table *table);

/*
 * From 'address' on that rule holds. Addresses do not descend; of equal ones the last counts.
 * -EFBIG beyond 16 Mi rows, or -ENOMEM; no sentence.
 */
int table_rows_put(struct table_rows *w, uint64_t address, uint16_t rule);

/* Completes the table. */
int table_rows_finish(struct table_rows *w);
