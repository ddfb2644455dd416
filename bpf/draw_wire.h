/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * draw_wire: the tables by which blocks are sampled in the kernel (bpf/alloc_draw.bpf.h),
 * which has no floating point: user/collect/alloc_weights.c fills them. The includer provides __u32
 * and the like.
 */
#pragma once

#include "bpf/alloc_wire.h"

/* Means of what may be passed over between two samples: more has no place in the sums. */
#define FT_ALLOC_MAX_INTERVAL_BYTES (1ull << 32)

/* Logarithms are in units of 2^-FT_ALLOC_LOG_BITS: 32 octaves of them, times the largest interval,
 * fit into 64 bits. */
#define FT_ALLOC_LOG_BITS      26
#define FT_ALLOC_LN2	       46516320u /* ln 2 */
#define FT_ALLOC_LOG_STEP_BITS 6
#define FT_ALLOC_LOG_STEPS     (1u << FT_ALLOC_LOG_STEP_BITS)

struct ft_alloc_draw {
	/* 1/p at the lower bound of each slot of bpf/hist_slot.h ("ns" are bytes), and of the one
	 * behind the last: in units of 2^-FT_ALLOC_WEIGHT_BITS. Inside a slot it is interpolated.
	 */
	__u64 weights[FT_HIST_SLOTS + 1];
	/* ln(1 + i / FT_ALLOC_LOG_STEPS) */
	__u32 logs[FT_ALLOC_LOG_STEPS + 1];
	__u32 pad;
};
_Static_assert(sizeof(struct ft_alloc_draw) == 8 * (FT_HIST_SLOTS + 1) + 4 * 66, "ft_alloc_draw");
