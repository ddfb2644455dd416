/* SPDX-License-Identifier: BSD-2-Clause */
/* shim_image: the library that commands are started with (shim/), as a part of this program. */
#pragma once

#include <stddef.h>

#define SHIM_FILE_NAME "libfathom-alloc.so"

/* The whole ELF file. */
const void *shim_image(size_t *ret_len);
