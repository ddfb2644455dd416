/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/ledger.h"

#include <assert.h>
#include <string.h>

void ledger_add(struct ledger *ledger, const char *cause, uint64_t n)
{
	size_t i;

	for (i = 0; i < ledger->n_causes; i++) {
		if (!strcmp(ledger->causes[i].name, cause)) {
			ledger->causes[i].n += n;
			return;
		}
	}
	assert(ledger->n_causes < LEDGER_MAX_CAUSES); /* causes are literals in our own code */
	ledger->causes[ledger->n_causes++] = (struct ledger_cause){
		.name = cause,
		.n = n,
		.is_filter = !strncmp(cause, "filtered_", strlen("filtered_")),
	};
}

static uint64_t sum(const struct ledger *ledger, bool filters)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < ledger->n_causes; i++) {
		if (ledger->causes[i].is_filter == filters)
			n += ledger->causes[i].n;
	}
	return n;
}

uint64_t ledger_filtered(const struct ledger *ledger)
{
	return sum(ledger, true);
}

uint64_t ledger_lost(const struct ledger *ledger)
{
	return sum(ledger, false);
}

bool ledger_is_closed(const struct ledger *ledger)
{
	return ledger->fired == ledger->kept + ledger_filtered(ledger) + ledger_lost(ledger);
}

double ledger_loss_share(const struct ledger *ledger)
{
	uint64_t wanted, lost = ledger_lost(ledger);

	/* Of a ledger that is not closed, too, the share is one. */
	if (__builtin_sub_overflow(ledger->fired, ledger_filtered(ledger), &wanted) ||
	    wanted < lost)
		wanted = lost;
	return wanted ? (double)lost / wanted : 0;
}
