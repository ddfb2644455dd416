/* SPDX-License-Identifier: BSD-2-Clause */
/* shim_known: the file by which processes that start learn that this recorder knows of them
 * (shim/settle.h). */
#pragma once

#include <stdint.h>

struct shim_known {
	char *path; /* NULL: there is none */
	uint64_t *until_ns;
};

/* In a folder of ours. 0 or -errno with a sentence. */
int shim_known_place(const char *folder, struct shim_known *ret);

/* All that happened before that time (CLOCK_MONOTONIC) is known. */
void shim_known_set(struct shim_known *k, uint64_t until_ns);

/* Those who wait give up soon. */
void shim_known_remove(struct shim_known *k);
