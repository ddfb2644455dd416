// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * recall: a thread that comes into the kernel in the same place again mostly has the same user
 * stack as before. A stack that was walked to its root is remembered with where its return
 * addresses lie; if all of them lie there still, it is this stack, and need not be walked, hashed
 * and kept again.
 *
 * That is exact as far as frames have fixed sizes: from the same registers, of those that frames
 * were found by, and with the same return address each time, a walk goes the same way. A frame
 * whose size changes (alloca) could deceive it only by holding the old return address in the old
 * place. On arm64, where return addresses lie anywhere in a frame, nothing is remembered.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/unwind.bpf.h"
#include "bpf/wire.h"

/* Samples of a CPU's event are of any place, not of the same again. */
#if defined(__TARGET_ARCH_x86) && FT_COLLECTOR != FT_COLLECTOR_CPU

#define RECALL_FRAMES 48  /* callers; deeper stacks are walked each time */
#define RECALL_WORDS  128 /* of stack memory that are read at once; what lies beyond, one by one */

struct recall_key {
	__u64 pc, sp;
	__u32 tid; /* in the initial PID namespace */
	__u32 pad;
};

struct recall {
	__u64 mm, fp, bx;
	__u32 used; /* UNWIND_USED_*: which of the two the walk went by; programs count in the other
		     */
	__u32 pad;
	__u64 number; /* of the stack, which the loader knows or will when the sets are drained */
	__u32 n;
	__u32 bytes; /* of stack memory, from sp on, that hold all return addresses */
	__u32 offsets[RECALL_FRAMES]; /* from sp, bytes */
	__u64 pcs[RECALL_FRAMES];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2048);
	__type(key, struct recall_key);
	__type(value, struct recall);
} recalls SEC(".maps");

/* What recall works on; too large for the BPF stack. */
struct recall_job {
	struct recall_key key;
	struct recall new;
	__u64 words[RECALL_WORDS];
};

static __always_inline __u64 recall_word(const struct recall_job *r, __u32 offset)
{
	__u64 word = 0, i = offset / 8;

	UNWIND_OPAQUE(i);
	if (i < RECALL_WORDS)
		return r->words[i];
	bpf_probe_read_user(&word, sizeof(word), (const void *)(r->key.sp + offset));
	return word;
}

/* Reads 'bytes' of stack memory, or as many as there is room for. 0 if it could. */
static __always_inline long recall_read(struct recall_job *r, __u32 bytes)
{
	__u64 size = bytes;

	UNWIND_OPAQUE(size);
	if (size > sizeof(r->words))
		size = sizeof(r->words);
	return bpf_probe_read_user(r->words, size, (const void *)r->key.sp);
}

/* The number of the current task's user stack if it is one that was remembered, else 0. */
static __always_inline __u64 recall_find(struct task_struct *task, struct recall_job *r,
					 const struct user_regs *regs)
{
	const struct recall *have;
	__u32 i;

	r->key.pc = regs->entry.pc;
	r->key.sp = regs->entry.regs[FT_X86_RSP];
	r->key.tid = (__u32)bpf_get_current_pid_tgid();
	r->key.pad = 0;
	if (!r->key.pc || r->key.sp & 7)
		return 0;
	have = bpf_map_lookup_elem(&recalls, &r->key);
	if (!have || (have->used & UNWIND_USED_FP && have->fp != regs->entry.regs[FT_X86_RBP]) ||
	    (have->used & UNWIND_USED_BX && have->bx != regs->entry.regs[FT_X86_RBX]) ||
	    have->mm != (__u64)BPF_CORE_READ(task, mm) || recall_read(r, have->bytes))
		return 0;
	for (i = 0; i < RECALL_FRAMES; i++) {
		if (i >= have->n)
			return have->number;
		if (recall_word(r, have->offsets[i]) != have->pcs[i])
			return 0;
	}
	return have->number;
}

/* Remembers a stack that was walked to its root just now, and kept under that number. */
static __always_inline void recall_keep(struct recall_job *r, const struct unwind_job *job,
					const struct ft_stack *stack, __u64 number)
{
	__u32 i, n = stack->n - 1, end = stack->end;
	__u64 far;

	if ((end != FT_END_ROOT && end != FT_END_NULL) || !r->key.pc || r->key.sp & 7 ||
	    n > RECALL_FRAMES || job->walk.used & UNWIND_USED_OTHER)
		return;
	r->new.mm = job->mm;
	r->new.fp = job->regs.entry.regs[FT_X86_RBP];
	r->new.bx = job->regs.entry.regs[FT_X86_RBX];
	r->new.used = job->walk.used;
	r->new.number = number;
	r->new.n = n;
	r->new.bytes = 0;
	for (i = 0; i < RECALL_FRAMES && i < n; i++) {
		/* The return address is below the canonical frame address, which is the caller's
		 * sp. */
		far = job->cfas[i + 1] - 8 - r->key.sp;
		if (far & 7 || far >= 1u << 20)
			return;
		r->new.offsets[i] = far;
		r->new.pcs[i] = stack->pcs[i + 1];
		r->new.bytes = far + 8;
	}
	if (recall_read(r, r->new.bytes))
		return;
	/* Signal frames, and whoever else has it elsewhere. */
	for (i = 0; i < RECALL_FRAMES && i < n; i++) {
		if (recall_word(r, r->new.offsets[i]) != r->new.pcs[i])
			return;
	}
	bpf_map_update_elem(&recalls, &r->key, &r->new, BPF_ANY);
}

#else

struct recall_job {
	__u32 nothing;
};

static __always_inline __u64 recall_find(struct task_struct *task, struct recall_job *r,
					 const struct user_regs *regs)
{
	return 0;
}

static __always_inline void recall_keep(struct recall_job *r, const struct unwind_job *job,
					const struct ft_stack *stack, __u64 number)
{
}

#endif
