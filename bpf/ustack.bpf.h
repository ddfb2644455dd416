// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * ustack: the user part of a stack. The functions here are the one door through which every
 * collector comes by it: by tables, or, if that is asked for, by frame pointers alone.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/defer.bpf.h"
#include "bpf/regs.bpf.h"
#include "bpf/task.bpf.h"
#include "bpf/unwind.bpf.h"
#include "bpf/wire.h"

const volatile __u8 cfg_frame_pointers = 0;

/* A frame record: the caller's frame pointer, then the return address (System V ABI for x86-64,
 * 3.2.2; AAPCS64, 6.4.6). */
struct frame_record {
	__u64 fp;
	__u64 ret;
};

/*
 * Walks the current task's user stack from 'regs' by frame pointers into out->pcs and says in
 * out->end how that ended: FT_END_NULL when the chain ends in a null pointer, as the start code of
 * programs and threads leaves it.
 */
static __always_inline void frame_pointer_walk(const struct user_regs *regs, struct ft_stack *out)
{
	struct frame_record record;
	__u64 fp;
	__u32 i;

	out->n = 0;
	if (!regs->entry.pc) {
		out->end = FT_END_NONE;
		return;
	}
	out->pcs[0] = regs->entry.pc;
	out->n = 1;
	if (regs->compat) { /* 32-bit code: other records, not walked */
		out->end = FT_END_RULE_UNSUPPORTED;
		return;
	}
	fp = regs->entry.regs[UNWIND_FP];
	for (i = 1; i < FT_MAX_FRAMES; i++) {
		if (!fp) {
			out->end = FT_END_NULL;
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
			out->end = FT_END_NULL;
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
	out->end = fp ? FT_END_DEPTH : FT_END_NULL;
}

static __always_inline __u32 user_stack_end(__u32 end)
{
	return end == FT_END_PENDING ? FT_END_NO_TABLE : end;
}

/*
 * Begins the walk from job->regs. True if there is more to do: user_stack_go_on() until that says
 * no, UNWIND_CALLS times at most. Then out->end says how it ended.
 */
static __always_inline bool user_stack_begin(struct task_struct *task, struct unwind_job *job,
					     struct ft_stack *out)
{
	if (cfg_frame_pointers) {
		job->walk.end = FT_END_NONE;
		frame_pointer_walk(&job->regs, out);
		return false;
	}
	out->end = FT_END_NONE;
	job->walk.end = unwind_first(task, job, out);
	if (!job->walk.end && out->n)
		return true;
	out->end = user_stack_end(job->walk.end);
	return false;
}

/* Some frames more. True if there may be others. */
static __always_inline bool user_stack_go_on(struct unwind_job *job, struct ft_stack *out)
{
	bool more = unwind_some(job, out);

	out->end = more ? FT_END_DEPTH : user_stack_end(job->walk.end);
	return more;
}
