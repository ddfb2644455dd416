/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probes: what a recorder attaches to. Each is a function whose first instruction is a nop, which
 * the kernel emulates at the price of a trap and no single step; its arguments are where the ABI
 * puts them. The library's ELF notes say where they are: provider "fathom_alloc" (docs/usdt.md).
 * Call them from the very function that the program has called: a recorder drops one frame.
 */
#pragma once

#include <stdint.h>

#define SHIM_WEIGHT_BITS 20
#define SHIM_WEIGHT_ONE	 (1ull << SHIM_WEIGHT_BITS) /* FT_ALLOC_WEIGHT_ONE */

#define SHIM_PROBE(name) __attribute__((visibility("hidden"))) name

/* A block was given out; it stands for weight / SHIM_WEIGHT_ONE blocks. */
void SHIM_PROBE(probe_made)(const void *address, uint64_t bytes, uint64_t weight);
/* A block is about to be freed; temporary: nothing was allocated by this thread since. */
void SHIM_PROBE(probe_freed)(const void *address, uint64_t is_temporary);
/* realloc is about to free a block; ok: it has, else it is there as before. */
void SHIM_PROBE(probe_moving)(const void *address);
void SHIM_PROBE(probe_moved)(const void *address, uint64_t ok);
/* Anonymous memory was mapped, or a part of it is gone; an id is odd, and no address. */
void SHIM_PROBE(probe_mapped)(uint64_t id, uint64_t bytes);
void SHIM_PROBE(probe_unmapped)(uint64_t id, uint64_t bytes);
/* A program begins; it waits, since that time by CLOCK_MONOTONIC, until the recorder knows what it
 * has mapped, or (0) does not wait. */
void SHIM_PROBE(probe_settling)(uint64_t since_ns);
