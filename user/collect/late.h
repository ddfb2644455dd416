/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * late: unwinds a sample that the kernel has passed up, from its registers and the piece of its
 * stack, by the same step and the same tables as the kernel's walk.
 */
#pragma once

#include <linux/types.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "user/collect/processes.h"
#include "user/collect/unwind_maps.h"
#include "user/collect/unwind_tables.h"

/* Makes a table that a walk has come to and that is not there; its kind may be any after that. */
typedef int (*late_need_fn)(void *ctx, uint32_t table, const struct sym_mapping *m);

struct late {
	const struct unwind_maps *maps;
	struct processes *processes;
	struct unwind_tables *tables;
	late_need_fn need;
	void *ctx;
};

/*
 * 'd' is followed by its stack's bytes. Fills *ret as the kernel would have done. 0, or what 'need'
 * and the tables return for want of memory.
 */
int late_unwind(const struct late *late, const struct ft_deferred *d, struct ft_stack *ret);
