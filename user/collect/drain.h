/* SPDX-License-Identifier: BSD-2-Clause */
/* drain: reading a hash map of the kernel empty, in batches. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Called for each entry; an error ends the drain. */
typedef int (*drain_fn)(void *ctx, const void *key, const void *value);

/*
 * Hands each entry of a map that nobody writes to any more to 'fn' and deletes it. 0 or -errno
 * with a sentence.
 */
int drain_map(int fd, size_t key_size, size_t value_size, drain_fn fn, void *ctx);
