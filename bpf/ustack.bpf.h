// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * ustack: the user part of a stack. user_stack_walk() is the one door through which every
 * collector comes by it.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/regs.bpf.h"
#include "bpf/task.bpf.h"
#include "bpf/wire.h"

/* A frame record: the caller's frame pointer, then the return address (System V ABI for x86-64,
 * 3.2.2; AAPCS64, 6.4.6). */
struct frame_record {
	__u64 fp;
	__u64 ret;
};

/*
 * Walks the current task's user stack from 'regs' by frame pointers into out->pcs and says in
 * out->end how that ended: FT_END_ROOT when the chain ends in a null pointer, as the start code of
 * programs and threads leaves it.
 */
static __always_inline void user_stack_walk(const struct user_regs *regs, struct ft_stack *out)
{
	struct frame_record record;
	__u64 fp;
	__u32 i;

	out->n = 0;
	if (!regs->pc) {
		out->end = FT_END_NONE;
		return;
	}
	out->pcs[0] = regs->pc;
	out->n = 1;
	if (regs->compat) { /* 32-bit code: other records, not walked */
		out->end = FT_END_RULE_UNSUPPORTED;
		return;
	}
	fp = regs->fp;
	for (i = 1; i < FT_MAX_FRAMES; i++) {
		if (!fp) {
			out->end = FT_END_ROOT;
			return;
		}
		if (fp & 7) {
			out->end = FT_END_FRAME_POINTER;
			return;
		}
		if (bpf_probe_read_user(&record, sizeof(record), (const void *)fp)) {
			out->end = FT_END_READ_FAILED;
			return;
		}
		record.ret = regs_strip(record.ret);
		if (!record.ret) {
			out->end = FT_END_ROOT;
			return;
		}
		out->pcs[i] = record.ret;
		out->n = i + 1;
		/* Stacks grow down: a caller's record lies above. */
		if (record.fp && record.fp <= fp) {
			out->end = FT_END_FRAME_POINTER;
			return;
		}
		fp = record.fp;
	}
	out->end = fp ? FT_END_DEPTH : FT_END_ROOT;
}
