// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * sample: where an event of the current task comes from: the task, its user stack and its kernel
 * stack. Every collector takes its samples by these functions:
 *
 * - struct sample *s = sample_take(): a place to work in; NULL is FT_LOST_NESTED
 * - lost = sample_task(s): filters, and fills in s->origin.task
 * - sample_kernel_stack(ctx, s), sample_user_stack(s): where they are wanted
 * - lost = sample_keep(s, set): the stacks go to that set's table, and s->origin is whole
 * - sample_release(s)
 *
 * The program defines FT_COLLECTOR (one of FT_COLLECTOR_*) before it includes this.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/defer.bpf.h"
#include "bpf/filter.bpf.h"
#include "bpf/ledger.bpf.h"
#include "bpf/recall.bpf.h"
#include "bpf/regs.bpf.h"
#include "bpf/stack.bpf.h"
#include "bpf/task.bpf.h"
#include "bpf/ustack.bpf.h"
#include "bpf/wire.h"

/* Which of the FT_SETS sets of maps is filled now. */
__u32 active_set = 0;

/*
 * Stacks of each set that were passed up; the loader begins anew when it has drained the set. Each
 * is the only one of its number, and so takes a tally of its own: of those there must be some left.
 */
__u64 deferred_made[FT_SETS] = {};
const volatile __u64 cfg_max_deferred = 0; /* of a set; 0: any number */

/* Events are counted by slots of so many nanoseconds; 0: all together. Slot 0 begins at
 * slots_from_ns, CLOCK_MONOTONIC, and is also that of what came before. */
const volatile __u64 cfg_slot_ns = 0;
__u64 slots_from_ns = 0;

/* Too large for the BPF stack. */
struct sample {
	__u64 users;  /* 1: taken */
	__u64 number; /* of the stacks that were deferred from this place */
	__u32 place;
	__u32 pad;
	struct stack_buffer user;
	struct stack_buffer kernel;
	struct unwind_job job;
	struct recall_job recall;
	struct ft_origin origin;
	__u64 recalled; /* number of the user stack, if it is known from before; else 0 */
};

/*
 * Places for each CPU: a program may be interrupted by one of the same collector, and from 7.0 on
 * those of tracepoints may be preempted.
 */
#define SAMPLE_PLACES 4
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SAMPLE_PLACES);
	__type(key, __u32);
	__type(value, struct sample);
} samples SEC(".maps");

/*
 * An addition that returns nothing is the only atomic operation of kernels before 5.12. Two who do
 * this at the same time may both be refused, but never both be let in.
 */
static __always_inline struct sample *sample_take(void)
{
	__u32 i, place;

	for (i = 0; i < SAMPLE_PLACES; i++) {
		struct sample *s;

		place = i;
		s = bpf_map_lookup_elem(&samples, &place);
		if (!s)
			return NULL;
		__sync_fetch_and_add(&s->users, 1);
		if (*(volatile __u64 *)&s->users == 1) {
			s->place = place;
			s->user.stack.n = s->kernel.stack.n = 0;
			s->job.walk.end = FT_END_NONE;
			s->recalled = 0;
			return s;
		}
		__sync_fetch_and_add(&s->users, -1);
	}
	return NULL;
}

static __always_inline void sample_release(struct sample *s)
{
	__sync_fetch_and_add(&s->users, -1);
}

static __always_inline void task_fill(struct ft_task *out, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	out->start_ns = BPF_CORE_READ(leader, start_boottime);
	out->exec_id = BPF_CORE_READ(task, self_exec_id);
	out->cgroup_id = bpf_get_current_cgroup_id();
	bpf_get_current_comm(out->comm, sizeof(out->comm));
	/* The read leaves what a longer name before it left behind the NUL: it would split the key.
	 */
	__builtin_memset(out->process_comm, 0, sizeof(out->process_comm));
	BPF_CORE_READ_STR_INTO(&out->process_comm, leader, comm);
}

/* The event belongs to the present: sample_task() says so, too. */
static __always_inline void origin_date(struct ft_origin *origin)
{
	__u64 now, slot;

	if (!cfg_slot_ns)
		return;
	now = bpf_ktime_get_ns();
	slot = now > slots_from_ns ? (now - slots_from_ns) / cfg_slot_ns : 0;
	origin->task.slot = slot < FT_MAX_SLOT ? slot : FT_MAX_SLOT;
}

/* 0, or the ledger slot of the filter: then nothing is filled in. */
static __always_inline __u32 sample_task(struct sample *s)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u32 tgid, tid, filtered;

	current_ids(task, &tgid, &tid);
	filtered = filter_current(tgid, tid);
	if (filtered)
		return filtered;
	s->origin.task.tgid = tgid;
	s->origin.task.tid = tid;
	task_fill(&s->origin.task, task);
	origin_date(&s->origin);
	return 0;
}

/* From a tracepoint it begins with the frames of the tracepoint itself. */
static __always_inline void sample_kernel_stack(void *ctx, struct sample *s)
{
	struct ft_stack *out = &s->kernel.stack;
	long size = bpf_get_stack(ctx, out->pcs, sizeof(out->pcs), 0);

	out->end = FT_END_NONE;
	out->n = size > 0 ? (__u32)size / sizeof(out->pcs[0]) : 0;
}

/*
 * Some frames of the user stack that is walked in that place. Global, so that the verifier looks at
 * it once and not in each round of its caller's loop. 1 if there may be more.
 */
__noinline int user_stack_frames(__u32 place)
{
	struct sample *s = bpf_map_lookup_elem(&samples, &place);

	return s && user_stack_go_on(&s->job, &s->user.stack);
}

/* From s->job.regs, which are user registers. */
static __always_inline void sample_walk(struct task_struct *task, struct sample *s)
{
	__u32 i;

	if (!user_stack_begin(task, &s->job, &s->user.stack))
		return;
	for (i = 0; i < UNWIND_CALLS; i++) {
		if (!user_stack_frames(s->place))
			break;
	}
}

/* From s->job.regs, which are user registers: recalled, if it is the same as before, or walked. */
static __always_inline void sample_recall(struct task_struct *task, struct sample *s)
{
	if (!cfg_frame_pointers)
		s->recalled = recall_find(task, &s->recall, &s->job.regs);
	if (!s->recalled)
		sample_walk(task, s);
}

/* Where a task stands: anywhere, or at the first instruction of a function or behind a call of it,
 * and the stack is that of the caller in the middle of the call. */
#define SAMPLE_AT_PC	 0
#define SAMPLE_AT_ENTRY	 1
#define SAMPLE_AT_RETURN 2

/* Of a task that is in the kernel. */
static __always_inline void sample_user_stack_from(struct sample *s, __u32 at)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	s->job.regs.is_user = 0;
	regs_to_user(task, &s->job.regs, &s->job.saved);
	if (at == SAMPLE_AT_ENTRY)
		regs_to_caller(&s->job.regs);
	else if (at == SAMPLE_AT_RETURN)
		regs_to_call(&s->job.regs);
	sample_recall(task, s);
}

static __always_inline void sample_user_stack(struct sample *s)
{
	sample_user_stack_from(s, SAMPLE_AT_PC);
}

/*
 * Passes the user stack up if it may go further late: 0, or its number. Of a process that is not in
 * the loader's PID namespace nothing more can be learned.
 */
static __always_inline __u64 sample_defer(struct task_struct *task, struct sample *s, __u32 set)
{
	struct deferred_as as = { .tgid = s->origin.task.tgid, .collector = FT_COLLECTOR };

	if (!as.tgid || !is_deferrable(&s->job))
		return 0;
	if (cfg_max_deferred && deferred_made[set & 1] >= cfg_max_deferred)
		return 0;
	as.number = (++s->number << 16 | bpf_get_smp_processor_id() << 3 | s->place) << 1;
	if (!defer(task, &s->job, &as))
		return 0;
	__sync_fetch_and_add(&deferred_made[set & 1], 1);
	defer_account(&s->job);
	return as.number;
}

static __always_inline __u32 stacks_keep(struct sample *s, void *table, __u32 set)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct ft_origin *origin = &s->origin;
	__u32 lost = 0;

	origin->kernel_stack = stack_hash(&s->kernel);
	if (origin->kernel_stack)
		lost = stack_keep(table, &s->kernel, origin->kernel_stack);
	if (lost)
		return lost;
	origin->user_stack = s->recalled;
	if (!origin->user_stack)
		origin->user_stack = sample_defer(task, s, set);
	if (origin->user_stack)
		return 0;
	origin->user_stack = stack_hash(&s->user);
	if (!origin->user_stack)
		return origin->kernel_stack ? 0 : FT_LOST_WALK_FAILED;
	lost = stack_keep(table, &s->user, origin->user_stack);
	if (!lost && !cfg_frame_pointers)
		recall_keep(&s->recall, &s->job, &s->user.stack, origin->user_stack);
	return lost;
}

/* Puts both stacks into a set: 0, or the ledger slot of the loss. */
static __always_inline __u32 sample_keep(struct sample *s, __u32 set)
{
	/* Not a map of maps: each update of one waits for an RCU grace period. */
	return set ? stacks_keep(s, &stacks_1, 1) : stacks_keep(s, &stacks_0, 0);
}
