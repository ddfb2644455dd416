/* SPDX-License-Identifier: BSD-2-Clause */
/* ledger_slots: the kernel side's ledger (bpf/ledger.bpf.h), summed over all CPUs and with names.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "bpf/wire.h"
#include "user/model/ledger.h"

struct bpf_map;

/* 0 or -errno with a sentence. */
int ledger_slots_read(const struct bpf_map *ledgers, struct ft_ledger *ret);

/*
 * Adds fired and all causes; 'kept' is left for who knows what arrived. The names of the
 * collector's own slots begin with that of FT_LEDGER_OWN.
 */
void ledger_slots_add(const struct ft_ledger *slots, const char *const *own, size_t n_own,
		      struct ledger *ret);

/*
 * In the end: the same, with 'kept', what arrived, and what the kernel kept beyond that as a loss
 * of its own ("drain"). 0 or -errno with a sentence.
 */
int ledger_slots_close(const struct bpf_map *ledgers, const char *const *own, size_t n_own,
		       uint64_t kept, struct ledger *ret);

/* Of what was wanted: kept and lost so far. 0, 0 if it cannot be read. */
void ledger_slots_progress(const struct bpf_map *ledgers, const char *const *own, size_t n_own,
			   uint64_t *ret_kept, uint64_t *ret_lost);
