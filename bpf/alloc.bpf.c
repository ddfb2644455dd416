// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * alloc: memory that processes ask for and give back, by who asks.
 *
 * The probes of the shim tell of sampled blocks only (alloc_shim.bpf.h); those on the allocator's
 * own functions, of every call (alloc_calls.bpf.h).
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define FT_COLLECTOR FT_COLLECTOR_ALLOC

#include "bpf/alloc_account.bpf.h"
#include "bpf/alloc_calls.bpf.h"
#include "bpf/alloc_shim.bpf.h"

/* --- processes ---------------------------------------------------------------------------- */

const volatile __u8 cfg_tell_news = 0; /* the loader follows processes */

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, struct ft_alloc_news);
} news SEC(".maps");

static __always_inline void news_tell(__u32 tgid, __u32 what)
{
	struct ft_alloc_news one = { .tgid = tgid, .what = what };

	if (tgid && bpf_map_push_elem(&news, &one, BPF_ANY))
		__sync_fetch_and_add(&state.news_full, 1);
}

/* Whether the current task is one that was asked for; in *tgid its process. */
static __always_inline bool is_wanted(__u32 *tgid)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u32 tid;

	current_ids(task, tgid, &tid);
	return !filter_current(*tgid, tid);
}

/* From 7.0 on it has one more argument. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct ft_alloc_process_key key;
	__u32 tgid;

	calls_end_thread();
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0; /* other threads go on */
	key = alloc_process_of_current(0);
	alloc_process_ended(&key);
	if (cfg_tell_news && is_wanted(&tgid))
		news_tell(tgid, FT_ALLOC_ENDED);
	return 0;
}

/* The tracepoint comes when the process has its new number of execs. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, pid_t old_pid)
{
	struct ft_alloc_process_key key = alloc_process_of_current(1);
	__u32 tgid;

	alloc_process_ended(&key);
	if (!is_on || !is_wanted(&tgid))
		return 0;
	__sync_fetch_and_add(&state.execs, 1);
	if (!cfg_tell_news)
		return 0;
	/* Probes that are a process's are its leader's, and that is another thread now. */
	if (old_pid != task->pid)
		news_tell(tgid, FT_ALLOC_ENDED);
	news_tell(tgid, FT_ALLOC_BEGAN);
	return 0;
}

/* Its child has the same memory, but no probes that are the parent's alone. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 from, to = task_tgid(child);

	if (cfg_tell_news && is_wanted(&from) && from != to)
		news_tell(to, FT_ALLOC_BEGAN);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
