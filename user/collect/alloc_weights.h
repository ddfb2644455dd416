/* SPDX-License-Identifier: BSD-2-Clause */
/* alloc_weights: the tables by which bpf/alloc_draw.bpf.h samples blocks of memory. */
#pragma once

#include <linux/types.h>
#include <stdint.h>

#include "bpf/draw_wire.h"

/* Of a mean distance of samples of 2 to FT_ALLOC_MAX_INTERVAL_BYTES bytes. */
void alloc_weights_fill(uint64_t interval_bytes, struct ft_alloc_draw *ret);
