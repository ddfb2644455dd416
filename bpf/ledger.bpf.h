// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* ledger: what became of each event, counted for each CPU. */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/wire.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ft_ledger);
} ledgers SEC(".maps");

/* An event fired and came to this end: the two are counted together, so that the sums close. */
static __always_inline void ledger_close(__u32 slot)
{
	__u32 zero = 0;
	struct ft_ledger *ledger = bpf_map_lookup_elem(&ledgers, &zero);

	if (!ledger || slot >= FT_LEDGER_SLOTS)
		return;
	ledger->n[FT_FIRED]++;
	ledger->n[slot]++;
}
