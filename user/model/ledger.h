/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger: what became of every event that fired. It is closed: fired = kept + sum of all causes.
 * A cause is either a filter (events nobody asked for) or a loss (events that were wanted); both
 * stand in the sum, only losses count as bad data.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_MAX_CAUSES 24

struct ledger_cause {
	const char
		*name; /* a literal, e.g. "stack_table_full"; a filter's begins with "filtered_" */
	uint64_t n;
	bool is_filter;
};

struct ledger {
	uint64_t fired;
	uint64_t kept;
	struct ledger_cause causes[LEDGER_MAX_CAUSES];
	size_t n_causes;
};

/* Adds n (which may be 0, so that the cause is shown) to a cause. A filter by its name's prefix. */
void ledger_add(struct ledger *ledger, const char *cause, uint64_t n);

uint64_t ledger_filtered(const struct ledger *ledger);
uint64_t ledger_lost(const struct ledger *ledger);
bool ledger_is_closed(const struct ledger *ledger);

/* Lost events as a share (0..1) of those that were wanted (fired less filtered); 0 if none were. */
double ledger_loss_share(const struct ledger *ledger);
