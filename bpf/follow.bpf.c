// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* follow: which processes belong to the target: children of a target join it. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/task.bpf.h"
#include "bpf/wire.h"

const volatile __u8 cfg_follow_children = 1;

/* Processes that did not fit: their samples are filtered, and the summary counts them. */
__u64 targets_lost = 0;

/* Shared with the collectors. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u32);
} targets SEC(".maps");

/* Targets that were added here: when there have been many, the loader looks for dead ones. */
__u64 targets_joined = 0;

/*
 * A target stays one until its PID is used again: what it does at the very end, such as giving its
 * memory back, is the target's, too, and the exit tracepoint comes before that from 6.16 on.
 */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 from = task_tgid(parent), to = task_tgid(child), *mark, joined;

	if (from == to)
		return 0; /* a thread */
	mark = cfg_follow_children ? bpf_map_lookup_elem(&targets, &from) : NULL;
	if (!mark) {
		if (bpf_map_lookup_elem(&targets, &to))
			bpf_map_delete_elem(&targets, &to); /* of a process that had this PID */
		return 0;
	}
	joined = *mark;
	__sync_fetch_and_add(&targets_joined, 1);
	if (bpf_map_update_elem(&targets, &to, &joined, BPF_ANY))
		__sync_fetch_and_add(&targets_lost, 1);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	__u32 tgid = task_tgid(task), now = FT_TARGET_NOW;
	__u32 *mark = bpf_map_lookup_elem(&targets, &tgid);

	if (mark && *mark == FT_TARGET_AT_EXEC)
		bpf_map_update_elem(&targets, &tgid, &now, BPF_EXIST);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
