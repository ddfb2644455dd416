/* SPDX-License-Identifier: BSD-2-Clause */
/* alloc_follow: probes on allocators for a command before it starts, and for the processes that
 * begin while a recording goes on, as bpf/alloc.bpf.c tells of them. */
#pragma once

#include <stdint.h>

#include "user/collect/alloc_calls.h"

struct bpf_map;

/*
 * The process 'pid' is about to execute 'command', which is looked for as execvp(3) would: a static
 * program is probed now, another one as soon as it is told of. 0 or -errno with a sentence.
 */
int alloc_follow_command(struct alloc_calls *calls, uint32_t pid, const char *command);

/*
 * Reads what has become of processes. With 'only', nothing is attached to others than that one. 0
 * or -errno with a sentence.
 */
int alloc_follow_tick(struct alloc_calls *calls, const struct bpf_map *news, uint32_t only);
