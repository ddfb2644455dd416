// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * unwind: walks user stacks by tables (bpf/unwind_step.h is the step). The maps are filled by
 * user/collect/unwinder.c and shared by all collectors.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/regs.bpf.h"
#include "bpf/unwind_step.h"
#include "bpf/wire.h"

/* The loader sets the sizes; the elements of mmapable arrays are multiples of 8 bytes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ft_unwind_chunk);
} unwind_chunks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ft_unwind_page);
} unwind_pages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ft_unwind_rule);
} unwind_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ft_unwind_mapping);
} unwind_mappings SEC(".maps");

/* Perf event programs need preallocated hash maps before 6.1. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct ft_process_key);
	__type(value, struct ft_process);
} unwind_processes SEC(".maps");

/* Words of the stack that are read at once, a power of two; the margin is for the verifier, which
 * does not know that what begins in a piece ends in it. */
#define UNWIND_PIECE	    64
#define UNWIND_PIECE_MARGIN 8

/* What a walk works on; too large for the BPF stack. */
struct unwind_job {
	struct user_regs regs;
	struct unwind_walk walk;
	struct ft_process_key process;
	__u64 mm;
	__u32 may_ask; /* for addresses that are not in the process's list */
	__u32 pieces_failed;
	__u64 piece_start; /* of what is in 'piece'; 0: nothing */
	__u64 piece[UNWIND_PIECE + UNWIND_PIECE_MARGIN];
	struct regs_abi saved;
	__u64 cfas[FT_MAX_FRAMES + 1]; /* by frame: the stack pointer there; not of the first */
};

/* --- what unwind_step.h asks for; 'ctx' is the job ------------------------------------------ */

/*
 * A read of user memory costs nearly the same whatever its size: a piece of the stack is read at
 * once, and callers' frames are most often in it. Where it cannot be read, as at both ends of what
 * a stack has touched, that is tried only so often in a walk.
 */
#define UNWIND_MAX_FAILED 2

static __always_inline bool unwind_fetch(struct unwind_job *job, __u64 from)
{
	job->piece_start = 0;
	if (job->pieces_failed == UNWIND_MAX_FAILED)
		return false;
	if (bpf_probe_read_user(job->piece, UNWIND_PIECE * 8, (const void *)from)) {
		job->pieces_failed++;
		return false;
	}
	job->piece_start = from;
	return true;
}

static __always_inline long unwind_read(void *ctx, void *to, __u32 size, __u64 from)
{
	struct unwind_job *job = ctx;
	__u64 index = (from - job->piece_start) / 8, *words = to;
	__u32 n = size / 8, i;

	if (n > UNWIND_PIECE_MARGIN || (from & 7))
		return bpf_probe_read_user(to, size, (const void *)from);
	if (!job->piece_start || index > UNWIND_PIECE - n) {
		if (!unwind_fetch(job, from))
			return bpf_probe_read_user(to, size, (const void *)from);
		index = 0;
	}
	UNWIND_OPAQUE(index);
	index &= UNWIND_PIECE - 1;
#pragma unroll
	for (i = 0; i < n; i++)
		words[i] = job->piece[index + i];
	return 0;
}

static __always_inline long unwind_read_code(void *ctx, void *to, __u32 size, __u64 from)
{
	return bpf_probe_read_user(to, size, (const void *)from);
}

static __always_inline const struct ft_unwind_page *unwind_page_at(void *ctx, __u32 number)
{
	return bpf_map_lookup_elem(&unwind_pages, &number);
}

static __always_inline const struct ft_unwind_chunk *unwind_chunk_of(void *ctx, __u32 row)
{
	__u32 number = row / FT_CHUNK_ROWS;

	return bpf_map_lookup_elem(&unwind_chunks, &number);
}

static __always_inline const struct ft_unwind_rule *unwind_rule_at(void *ctx, __u32 number)
{
	return bpf_map_lookup_elem(&unwind_rules, &number);
}

/* Lists have at most 65,536 mappings. */
#define UNWIND_LIST_HALVINGS 17

static __always_inline __u32 unwind_locate(void *ctx, struct unwind_walk *w, __u64 address)
{
	__u32 low = 0, n = w->n_mappings, number, i;
	struct ft_unwind_mapping *m;

	/* The first mapping that starts beyond the address. */
	for (i = 0; i < UNWIND_LIST_HALVINGS && n; i++) {
		__u32 half = n / 2;

		number = w->first + low + half;
		m = bpf_map_lookup_elem(&unwind_mappings, &number);
		if (!m)
			return FT_END_UNKNOWN_MAPPING;
		if (m->start <= address) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	if (!low)
		return FT_END_UNKNOWN_MAPPING;
	number = w->first + low - 1;
	m = bpf_map_lookup_elem(&unwind_mappings, &number);
	if (!m || address >= m->end)
		return FT_END_UNKNOWN_MAPPING;
	if (!m->used)
		m->used = 1; /* for who looks for the table that is needed least */
	w->at.start = m->start;
	w->at.end = m->end;
	w->at.bias = m->bias;
	w->at.word =
		*(volatile __u64 *)&m->word; /* a table that comes is seen whole or not at all */
	return 0;
}

/* --- walks ----------------------------------------------------------------------------------- */

static __always_inline void process_key(struct task_struct *task, struct ft_process_key *key)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	key->start_ns = BPF_CORE_READ(leader, start_boottime);
	key->tgid = BPF_CORE_READ(leader, tgid);
	key->pad = 0;
}

/*
 * How often a process asks for such addresses until its list is made anew: some are no code. The
 * loader allows more where there is no rate that limits how fast they come.
 */
const volatile __u32 cfg_unwind_max_asked = 1024;

/*
 * Begins the walk of the current task's user stack from job->regs: out has its first frame. Returns
 * FT_END_*; FT_END_NONE with a frame is to go on.
 */
static __always_inline __u32 unwind_first(struct task_struct *task, struct unwind_job *job,
					  struct ft_stack *out)
{
	struct unwind_walk *w = &job->walk;
	struct ft_process *process;

	out->n = 0;
	if (!job->regs.entry.pc)
		return FT_END_NONE;
	out->pcs[0] = job->regs.entry.pc;
	out->n = 1;
	if (job->regs.compat) /* 32-bit code: other tables, not walked */
		return FT_END_RULE_UNSUPPORTED;
	w->pc = job->regs.entry.pc;
	process_key(task, &job->process);
	job->mm = (__u64)BPF_CORE_READ(task, mm);
	process = bpf_map_lookup_elem(&unwind_processes, &job->process);
	if (!process)
		return FT_END_PENDING;
	if (process->mm != job->mm) {
		if (!task_is_in_exec(task))
			return FT_END_PENDING; /* the list came too late */
		/* The old memory is gone, and the new one has no stack yet. */
		out->n = 0;
		return FT_END_NONE;
	}
	job->piece_start = 0;
	job->pieces_failed = 0;
	job->may_ask = process->deferred < cfg_unwind_max_asked;
	unwind_begin(&job->regs.entry, w);
	w->first = process->first;
	w->n_mappings = process->n;
	return 0;
}

/* One frame more; 0 to go on, or FT_END_*. */
static __always_inline __u32 unwind_next(struct unwind_job *job, struct ft_stack *out)
{
	struct unwind_walk *w = &job->walk;
	__u32 end = unwind_step(job, &job->regs.entry, w), n = out->n;

	if (end)
		return end;
	w->pc = regs_strip(w->pc);
	if (!w->pc)
		return FT_END_NULL;
	if (n >= FT_MAX_FRAMES)
		return FT_END_DEPTH;
	out->pcs[n & FT_MAX_FRAMES] = unwind_frame(w, w->pc);
	job->cfas[n & FT_MAX_FRAMES] = w->sp;
	out->n = n + 1;
	return 0;
}

/* Frames for each call of user_stack_frames() in bpf/sample.bpf.h. */
#define UNWIND_FRAMES_PER_CALL 4
#define UNWIND_CALLS	       32

/* Some frames: true if there are more. */
static __always_inline bool unwind_some(struct unwind_job *job, struct ft_stack *out)
{
	__u32 i;

	for (i = 0; i < UNWIND_FRAMES_PER_CALL; i++) {
		job->walk.end = unwind_next(job, out);
		if (job->walk.end)
			return false;
	}
	return true;
}
