/* SPDX-License-Identifier: BSD-2-Clause */
/* maps_file: what /proc/PID/maps shows of executable mappings, the vDSO among them (proc(5)). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/sym/sym.h"

/* Not 0 ends the reading. The mapping's path lives until it returns. */
typedef int (*maps_file_fn)(void *ctx, const struct sym_mapping *m);

/*
 * Hands each of them to 'fn', at most 'max'. 0, also if the process is gone; -E2BIG if there are
 * more (no sentence), or what 'fn' returned.
 */
int maps_file_read(uint32_t pid, size_t max, maps_file_fn fn, void *ctx);
