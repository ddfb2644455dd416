/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debugdata: the small ELF file with the names of the local functions that distributions put,
 * compressed with xz, into the section .gnu_debugdata of a stripped program ("MiniDebugInfo").
 */
#pragma once

#include <stddef.h>

#include "user/elf/elf_image.h"

/*
 * The decompressed file in a block of the caller's. -ENOENT if there is no such section, -EFBIG if
 * it is more than 64 MiB or its decompression wants more than 128 MiB, -EINVAL or -EIO if it is
 * broken.
 */
int debugdata_load(const struct elf_image *image, char **ret, size_t *ret_len);
