/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debuginfod: debug files by build ID from the servers that DEBUGINFOD_URLS names, by elfutils'
 * client library, which keeps them in its own cache. The library is loaded when it is first
 * needed: who does not set the variable needs neither it nor what it needs. Source:
 * debuginfod_find_debuginfo(3), elfutils 0.188.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"

/* For all files of a run together, wall clock. */
#define DEBUGINFOD_BUDGET_NS 60000000000ull

struct debuginfod;

struct debuginfod_counts {
	uint64_t found;	  /* files that a server or the cache had */
	uint64_t missing; /* that no server has */
	uint64_t failed;  /* no answer, broken, no library, or the time was up */
};

/* NULL in *ret if DEBUGINFOD_URLS is not set or empty. 0 or -ENOMEM. */
int debuginfod_new(uint64_t budget_ns, struct debuginfod **ret);
void debuginfod_free(struct debuginfod *d);
DEFINE_FREEP(struct debuginfod, debuginfod_free)

/*
 * A descriptor of the debug file of that build ID, and its path in a block of the caller's; or
 * -ENOENT if no server has it, -ETIMEDOUT if the time is up, or another -errno, with a sentence.
 */
int debuginfod_fetch(struct debuginfod *d, const uint8_t *id, size_t id_len, char **ret_path);

/* All 0 for NULL. */
struct debuginfod_counts debuginfod_counts(const struct debuginfod *d);
