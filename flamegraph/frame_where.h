/* SPDX-License-Identifier: BSD-2-Clause */
/* frame_where: where a frame comes from, for tooltips. */
#pragma once

#include <stdint.h>

#include "user/base/str.h"

/*
 * Appends its module and, if it is no plain native code, its kind: "libc.so.6", "[kernel]",
 * "xz (inlined)", "process". Clean; may be empty. 0 or -ENOMEM.
 */
int frame_where(const char *module, uint32_t kind, struct str *out);
