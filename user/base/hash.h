/* SPDX-License-Identifier: BSD-2-Clause */
/* hash: a fast 64-bit hash for our own tables; not for anything that leaves the process. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Another function in every process: it is keyed at random, so that names chosen by others cannot
 * be made to fall into one slot. Mixes by folding 64 x 64 -> 128-bit products with secret factors.
 */
uint64_t hash_bytes(const void *data, size_t len);
