// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * ledger: what became of each event, counted for each CPU. The additions are atomic all the same:
 * a program may be interrupted by another one, and from 7.0 on preempted.
 */
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

/* Adds one to a slot. One that is out of bounds is not counted: no program has it. */
static __always_inline void ledger_add(__u32 slot)
{
	__u32 zero = 0;
	struct ft_ledger *ledger = bpf_map_lookup_elem(&ledgers, &zero);
	__u64 i = slot;

	/* Otherwise clang checks one copy and uses another, of which the verifier knows no bound.
	 */
	asm volatile("" : "+r"(i));
	if (ledger && i < FT_LEDGER_SLOTS)
		__sync_fetch_and_add(&ledger->n[i], 1);
}

/* An event fired and came to this end: the two are counted together, so that the sums close. */
static __always_inline void ledger_close(__u32 slot)
{
	if (slot >= FT_LEDGER_SLOTS)
		return;
	ledger_add(FT_FIRED);
	ledger_add(slot);
}

/* The same in two steps, of what takes its time: it began, and came to its end. */
static __always_inline void ledger_fire(void)
{
	ledger_add(FT_FIRED);
}

static __always_inline void ledger_end(__u32 slot)
{
	ledger_add(slot);
}
