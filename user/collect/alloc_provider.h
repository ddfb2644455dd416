/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc_provider: a running process whose allocator tells of sampled blocks itself, by the probes
 * of docs/usdt.md: it was started with our library, or has an allocator that carries them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/collect/shim_probes.h"

struct alloc_provider {
	uint32_t pid;
	int file; /* that has the probes */
	struct shim_probe *probes;
	size_t n_probes;
	uint64_t interval_bytes; /* mean, as its environment says; 0: not known */
};

/* -ENOENT if it has none, -ENOMEM; without a sentence. */
int alloc_provider_find(uint32_t pid, struct alloc_provider *ret);
void alloc_provider_release(struct alloc_provider *p);
