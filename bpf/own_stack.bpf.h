// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * own_stack: programs of uprobes that do not share their stack.
 *
 * Such a program may be preempted from 6.0 on, and nothing keeps another task of that CPU from
 * running it meanwhile. But from 6.13 on the kernel (bpf_enable_priv_stack()) takes programs of
 * this type for those that cannot run twice on a CPU, and gives each function with 64 bytes or more
 * on its stack one place for each CPU: two tasks write to the same one, and the kernel crashes. It
 * does not where the program has a tail call.
 *
 * All programs of uprobes begin with own_stack(ctx).
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

const volatile __u8 cfg_never = 0;

/* The call is there when the kernel looks for one, and gone when it has seen that nobody gets to
 * it. */
static __always_inline void own_stack(void *ctx)
{
	if (cfg_never)
		bpf_tail_call(ctx, NULL, 0);
}
