// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * defer: passes a stack up that cannot be unwound yet, because what its process has mapped or a
 * table is not known yet: registers and a piece of its memory, by which the program unwinds it
 * late. Its event is counted under a number that stands for the stack. user/collect/late.c is the
 * other end.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/unwind.bpf.h"
#include "bpf/wire.h"

/* Whose stack it is. */
struct deferred_as {
	__u64 number; /* what stands for it in its events */
	__u32 tgid;   /* as in ft_task */
	__u32 collector;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} deferred SEC(".maps");

/*
 * Copies the stack's pages from the one that 'sp' is in upwards, 'wanted' of them or as many as can
 * be read.
 */
static __always_inline __u32 stack_copy(__u8 (*to)[FT_PIECE_BYTES], __u32 room, __u32 wanted,
					__u64 sp)
{
	const char *from = (const char *)(sp & ~(FT_PIECE_BYTES - 1ull));
	__u32 i;

	for (i = 0; i < room && i < wanted; i++) {
		if (bpf_probe_read_user(to[i], FT_PIECE_BYTES, from + i * FT_PIECE_BYTES))
			break;
	}
	return i * FT_PIECE_BYTES;
}

static __always_inline void deferred_fill(struct ft_deferred *d, struct task_struct *task,
					  const struct unwind_job *job,
					  const struct deferred_as *as)
{
	__u32 i;

	d->time_ns = bpf_ktime_get_ns();
	d->process = job->process;
	d->mm = job->mm;
	d->vdso = (__u64)BPF_CORE_READ(task, mm, context.vdso);
	d->number = as->number;
	d->pc = job->regs.entry.pc;
	d->wanted_pc = job->walk.pc;
	for (i = 0; i < FT_REGS; i++)
		d->regs[i] = job->regs.entry.regs[i];
	d->tgid = as->tgid;
	d->collector = as->collector;
	d->in_exec = task_is_in_exec(task);
}

#define RING_HEADER_BYTES 8 /* BPF_RINGBUF_HDR_SZ of include/uapi/linux/bpf.h */

/*
 * The first one wakes the loader, which then looks again within milliseconds: what a process is
 * given soon, its later samples need not wait for. So do many that fill the ring.
 */
static __always_inline __u64 deferred_wakeup(__u64 bytes)
{
	__u64 waiting = bpf_ringbuf_query(&deferred, BPF_RB_AVAIL_DATA);

	if (waiting <= bytes + RING_HEADER_BYTES ||
	    waiting > bpf_ringbuf_query(&deferred, BPF_RB_RING_SIZE) / 4)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

/* Pages that a main thread's stack has from 'sp' on; where it is not that, as many as there is
 * room. */
static __always_inline __u32 stack_pages(struct task_struct *task, __u64 sp)
{
	__u64 end = BPF_CORE_READ(task, mm, start_stack), start = sp & ~(FT_PIECE_BYTES - 1ull);

	if (end < sp || end - start >= FT_MAX_PIECES * FT_PIECE_BYTES)
		return FT_MAX_PIECES;
	return (end - start) / FT_PIECE_BYTES + 1;
}

/*
 * A record with room for that many pages: what is reserved of a ring has a size that is known when
 * the program is loaded. Evaluates to whether the stack is on its way up.
 */
#define DEFER(pages_, task, job, as, wanted)                                                       \
	({                                                                                         \
		struct {                                                                           \
			struct ft_deferred head;                                                   \
			__u8 stack[pages_][FT_PIECE_BYTES];                                        \
		} *record_ = bpf_ringbuf_reserve(&deferred, sizeof(*record_), 0);                  \
                                                                                                   \
		if (record_) {                                                                     \
			deferred_fill(&record_->head, task, job, as);                              \
			record_->head.stack_bytes = stack_copy(record_->stack, pages_, wanted,     \
							       (job)->regs.entry.regs[UNWIND_SP]); \
			bpf_ringbuf_submit(record_, deferred_wakeup(sizeof(*record_)));            \
		}                                                                                  \
		record_ != 0;                                                                      \
	})

static __always_inline bool defer(struct task_struct *task, const struct unwind_job *job,
				  const struct deferred_as *as)
{
	__u32 pages = stack_pages(task, job->regs.entry.regs[UNWIND_SP]);

	if (pages <= 2)
		return DEFER(2, task, job, as, pages);
	if (pages <= 4)
		return DEFER(4, task, job, as, pages);
	if (pages <= 8)
		return DEFER(8, task, job, as, pages);
	return DEFER(FT_MAX_PIECES, task, job, as, pages);
}

/* Whether a walk that ended like this may go further once the loader knows more. */
static __always_inline bool is_deferrable(const struct unwind_job *job)
{
	__u32 end = job->walk.end;

	return end == FT_END_PENDING || (end == FT_END_UNKNOWN_MAPPING && job->may_ask);
}

/* One more address that a process's list does not have. */
static __always_inline void defer_account(const struct unwind_job *job)
{
	struct ft_process *process;

	if (job->walk.end != FT_END_UNKNOWN_MAPPING)
		return;
	process = bpf_map_lookup_elem(&unwind_processes, &job->process);
	if (process)
		process->deferred++;
}
