/* SPDX-License-Identifier: BSD-2-Clause */
/* glob: shell patterns over comms and paths, made into the tables that bpf/glob.bpf.h runs on. */
#pragma once

#include <stddef.h>
#include <linux/types.h>

#include "bpf/wire.h"

/*
 * Compiles patterns (*, ?, [abc], [a-z], [!x], \ before any of them; as fnmatch(3) without flags)
 * of which any may match. A comm has at most 15 bytes. -EINVAL for an unclosed bracket or a
 * trailing backslash, -E2BIG if all patterns together need more than FT_GLOB_BITS - 1 positions;
 * with a sentence.
 */
int glob_compile(const char *const *patterns, size_t n, struct ft_glob *ret);
