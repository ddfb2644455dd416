/* SPDX-License-Identifier: BSD-2-Clause */
/* running: the processes that run already, as the unwinder knows them. */
#pragma once

#include <stdint.h>

#include <linux/types.h>

#include "bpf/wire.h"

/* Called for each process that is visible in the PID namespace of that inode; not 0 ends it. */
typedef int (*running_fn)(void *ctx, const struct ft_running *one);

/*
 * Asks the kernel (an iterator over tasks, 5.8). 0, also where it does not say; what 'fn' returned;
 * or -ENOMEM with a sentence. 'pidns_inum': as in struct target_config.
 */
int running_read(uint32_t pidns_inum, running_fn fn, void *ctx);
