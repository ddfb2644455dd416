// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* cpu: where CPU time goes: a stack for each tick of a CPU's sampling event, counted by task. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/filter.bpf.h"
#include "bpf/ledger.bpf.h"
#include "bpf/regs.bpf.h"
#include "bpf/stack.bpf.h"
#include "bpf/task.bpf.h"
#include "bpf/ustack.bpf.h"
#include "bpf/wire.h"

/* Which of the FT_SETS sets of maps is filled now. */
__u32 active_set = 0;

struct count_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct ft_count_key);
	__type(value, struct ft_count);
};
struct count_table counts_0 SEC(".maps");
struct count_table counts_1 SEC(".maps");

/* Too large for the BPF stack. Only the sampling event uses it, and that does not nest. */
struct scratch {
	struct stack_buffer user;
	struct stack_buffer kernel;
	struct ft_count_key key;
	struct unwind_job job;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline void kernel_stack_walk(struct bpf_perf_event_data *ctx, struct ft_stack *out)
{
	long size = bpf_get_stack(ctx, out->pcs, sizeof(out->pcs), 0);

	out->end = FT_END_NONE;
	out->n = size > 0 ? (__u32)size / sizeof(out->pcs[0]) : 0;
}

static __always_inline void key_fill(struct ft_count_key *key, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	key->start_ns = BPF_CORE_READ(leader, start_boottime);
	key->exec_id = BPF_CORE_READ(task, self_exec_id);
	key->cgroup_id = bpf_get_current_cgroup_id();
	bpf_get_current_comm(key->comm, sizeof(key->comm));
	/* The read leaves what a longer name before it left behind the NUL: it would split the key.
	 */
	__builtin_memset(key->process_comm, 0, sizeof(key->process_comm));
	BPF_CORE_READ_STR_INTO(&key->process_comm, leader, comm);
}

/* 0, or the ledger slot of the loss. */
static __always_inline __u32 count_add(void *table, const struct ft_count_key *key)
{
	struct ft_count first = { .n = 1 }, *have;
	long err;

	have = bpf_map_lookup_elem(table, key);
	if (!have) {
		first.first_ns = bpf_ktime_get_ns();
		err = bpf_map_update_elem(table, key, &first, BPF_NOEXIST);
		if (!err)
			return 0;
		if (err == -16 /* EBUSY */)
			return FT_LOST_MAP_BUSY;
		if (err != -17 /* EEXIST */)
			return FT_LOST_COUNTS_FULL;
		have = bpf_map_lookup_elem(table, key);
		if (!have)
			return FT_LOST_MAP_BUSY;
	}
	__sync_fetch_and_add(&have->n, 1);
	return 0;
}

/*
 * Passes the sample up, with its kernel stack kept: true if it is on its way. Of a process that is
 * not in the loader's PID namespace nothing more can be learned.
 */
static __always_inline bool keep_deferred(struct scratch *s, struct task_struct *task, void *stacks,
					  __u32 set)
{
	__u64 hash = s->key.kernel_stack;

	if (!s->key.tgid || !is_deferrable(&s->job) ||
	    (hash && stack_keep(stacks, &s->kernel, hash)))
		return false;
	s->key.user_stack = 0;
	if (!defer(task, &s->job, &s->key, set))
		return false;
	defer_account(&s->job);
	return true;
}

/* Puts both stacks and the count into a set. */
static __always_inline __u32 keep(struct scratch *s, struct task_struct *task, void *stacks,
				  void *counts, __u32 set)
{
	__u32 lost = 0;

	if (keep_deferred(s, task, stacks, set))
		return 0;
	s->key.user_stack = stack_hash(&s->user);
	if (!s->key.user_stack && !s->key.kernel_stack)
		return FT_LOST_WALK_FAILED;
	if (s->key.user_stack)
		lost = stack_keep(stacks, &s->user, s->key.user_stack);
	if (!lost && s->key.kernel_stack)
		lost = stack_keep(stacks, &s->kernel, s->key.kernel_stack);
	return lost ? lost : count_add(counts, &s->key);
}

/*
 * Up to the user stack. 0, or what became of the sample, as a ledger slot. *ret_more: the walk is
 * not over.
 */
static __always_inline __u32 sample_begin(struct bpf_perf_event_data *ctx, struct scratch *s,
					  bool *ret_more)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u32 tgid, tid, lost;

	current_ids(task, &tgid, &tid);
	lost = filter_current(tgid, tid);
	if (lost)
		return lost;
	s->kernel.stack.n = 0;
	regs_take((const void *)ctx, &s->job.regs); /* the first member of the context */
	if (!s->job.regs.is_user)
		kernel_stack_walk(ctx, &s->kernel.stack);
	regs_to_user(task, &s->job.regs, &s->job.saved);
	s->key.tgid = tgid;
	s->key.tid = tid;
	key_fill(&s->key, task);
	*ret_more = user_stack_begin(task, &s->job, &s->user.stack);
	return 0;
}

/* What became of the sample, as a ledger slot. */
static __always_inline __u32 sample_end(struct scratch *s)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u32 lost;

	s->key.kernel_stack = stack_hash(&s->kernel);
	/* Not a map of maps: each update of one waits for an RCU grace period. */
	if (active_set)
		lost = keep(s, task, &stacks_1, &counts_1, 1);
	else
		lost = keep(s, task, &stacks_0, &counts_0, 0);
	return lost ? lost : FT_KEPT;
}

static __always_inline struct scratch *scratch_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

SEC("perf_event")
int on_sample(struct bpf_perf_event_data *ctx)
{
	struct scratch *s = scratch_get();
	bool more = false;
	__u32 slot;

	if (!s)
		return 0;
	slot = sample_begin(ctx, s, &more);
	if (!slot) {
		if (more)
			user_stack_finish(&s->job, &s->user.stack);
		slot = sample_end(s);
	}
	ledger_close(slot);
	return 0;
}

/* --- the same by tail calls: user/collect/cpu_programs.h says which is used ------------------- */

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} walkers SEC(".maps");

/* Goes on by itself until the walk is over. */
SEC("perf_event")
int on_sample_walk(struct bpf_perf_event_data *ctx)
{
	struct scratch *s = scratch_get();

	if (!s)
		return 0;
	if (user_stack_go_on(&s->job, &s->user.stack))
		bpf_tail_call(ctx, &walkers, 0);
	/* It is over, or there may be no more calls. */
	ledger_close(sample_end(s));
	return 0;
}

SEC("perf_event")
int on_sample_in_calls(struct bpf_perf_event_data *ctx)
{
	struct scratch *s = scratch_get();
	bool more = false;
	__u32 slot;

	if (!s)
		return 0;
	slot = sample_begin(ctx, s, &more);
	if (!slot) {
		if (more)
			bpf_tail_call(ctx, &walkers, 0);
		slot = sample_end(s);
	}
	ledger_close(slot);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
