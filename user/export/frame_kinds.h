/* SPDX-License-Identifier: BSD-2-Clause */
/* frame_kinds: what files of stacks say of a frame's kind, by its name or by its mapping. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Importers stop with -EFBIG at this many nodes (2 GiB of memory or so). */
#define IMPORT_MAX_NODES (1u << 26)

/*
 * Whether a name only stands in for one: "[libc.so.6+0x12]" (ours), "[unknown]" (perf, bcc),
 * "0x7f00" and "[0x7f00]".
 */
bool name_is_stand_in(const char *name);

/*
 * The mapping path under which a frame of that kind that has no mapping is stored, so that its
 * kind can be read back: "[kernel]", "[jit]", "[synthetic]"; NULL for kinds that need none.
 */
const char *kind_stored_path(uint32_t kind);

/*
 * The kind of a frame that is not inlined, by its mapping's path ("" for none) and address: those
 * of kind_stored_path, "[kernel.kallsyms]" (perf) and what else lies in the upper half of the
 * addresses (x86-64, arm64) are the kernel's; perf maps and anonymous memory are interpreted.
 */
uint32_t kind_of_mapping(const char *path, uint64_t address);
