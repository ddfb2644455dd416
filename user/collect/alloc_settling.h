/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc_settling: processes that wait with their first allocation until their stacks can be unwound
 * (shim/settle.h): once the side band has told of all that they have mapped, the tables are made.
 */
#pragma once

#include <stddef.h>

#include <linux/types.h>

#include "bpf/alloc_wire.h"
#include "user/collect/shim_known.h"
#include "user/collect/sideband.h"
#include "user/collect/unwinder.h"

struct bpf_map;

/* All of it is borrowed but the list. */
struct alloc_settling {
	const struct bpf_map *map;
	struct unwinder *unwinder; /* NULL: nobody waits */
	struct shim_known *known;
	const struct sideband *sideband;
	struct ft_alloc_settling *waiting;
	size_t n, cap;
};

void alloc_settling_release(struct alloc_settling *s);

/* After the side band has been read. 0 or -ENOMEM with a sentence. */
int alloc_settling_tick(struct alloc_settling *s);
