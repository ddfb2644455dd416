/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/ledger_slots.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"

static const char *const names[FT_LEDGER_OWN] = {
	[FT_FILTERED_SELF] = "filtered_self",
	[FT_FILTERED_IDLE] = "filtered_idle",
	[FT_FILTERED_TARGET] = "filtered_target",
	[FT_LOST_STACKS_FULL] = "stack_table_full",
	[FT_LOST_STACK_COLLISION] = "stack_collision",
	[FT_LOST_COUNTS_FULL] = "counts_full",
	[FT_LOST_MAP_BUSY] = "map_busy",
	[FT_LOST_WALK_FAILED] = "walk_failed",
	[FT_LOST_NESTED] = "nested",
};

int ledger_slots_read(const struct bpf_map *ledgers, struct ft_ledger *ret)
{
	int n = libbpf_num_possible_cpus(), cpu, slot;
	_cleanup_(freep) struct ft_ledger *all = NULL;
	uint32_t zero = 0;

	if (n <= 0)
		return errf(-EINVAL, "cannot tell how many CPUs are possible");
	all = calloc(n, sizeof(*all));
	if (!all)
		return errf(-ENOMEM, "no memory for the ledger of %d CPUs", n);
	if (bpf_map_lookup_elem(bpf_map__fd(ledgers), &zero, all))
		return errf(-errno, "cannot read the ledger: %m");
	*ret = (struct ft_ledger){ 0 };
	for (cpu = 0; cpu < n; cpu++) {
		for (slot = 0; slot < FT_LEDGER_SLOTS; slot++)
			ret->n[slot] += all[cpu].n[slot];
	}
	return 0;
}

void ledger_slots_add(const struct ft_ledger *slots, const char *const *own, size_t n_own,
		      struct ledger *ret)
{
	size_t i;

	ret->fired += slots->n[FT_FIRED];
	for (i = FT_KEPT + 1; i < FT_LEDGER_OWN; i++)
		ledger_add(ret, names[i], slots->n[i]);
	for (i = 0; i < n_own; i++)
		ledger_add(ret, own[i], slots->n[FT_LEDGER_OWN + i]);
}

int ledger_slots_close(const struct bpf_map *ledgers, const char *const *own, size_t n_own,
		       uint64_t kept, struct ledger *ret)
{
	struct ft_ledger slots;
	int err = ledger_slots_read(ledgers, &slots);

	if (err)
		return err;
	ledger_slots_add(&slots, own, n_own, ret);
	ret->kept = kept;
	ledger_add(ret, "drain", slots.n[FT_KEPT] - kept);
	return 0;
}

void ledger_slots_progress(const struct bpf_map *ledgers, const char *const *own, size_t n_own,
			   uint64_t *ret_kept, uint64_t *ret_lost)
{
	struct ft_ledger slots = { 0 };
	struct ledger ledger = { 0 };

	*ret_kept = *ret_lost = 0;
	if (ledger_slots_read(ledgers, &slots))
		return;
	ledger_slots_add(&slots, own, n_own, &ledger);
	*ret_kept = slots.n[FT_KEPT];
	*ret_lost = ledger_lost(&ledger);
}
