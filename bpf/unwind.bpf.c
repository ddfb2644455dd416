// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * unwind: keeps the list of what a process has mapped with its process: a fork shares it, an exec
 * drops it, and so does the end. It also owns the maps of bpf/unwind.bpf.h and bpf/defer.bpf.h,
 * which the collectors share.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/defer.bpf.h"
#include "bpf/task.bpf.h"
#include "bpf/unwind.bpf.h"
#include "bpf/wire.h"

/* Forks whose list did not fit: their first samples are unwound late. */
__u64 forks_lost = 0;

/* The command that the loader starts, and who it is once it has exec'ed. */
const volatile __u32 cfg_command = 0;
struct ft_process_key command_key = {};
__u64 command_mm = 0;

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct ft_process_key key;
	struct ft_process *from, copy;

	if (BPF_CORE_READ(parent, tgid) == BPF_CORE_READ(child, tgid))
		return 0; /* a thread */
	process_key(parent, &key);
	from = bpf_map_lookup_elem(&unwind_processes, &key);
	if (!from || from->mm != (__u64)BPF_CORE_READ(parent, mm))
		return 0;
	copy = *from;
	copy.mm = (__u64)BPF_CORE_READ(child, mm);
	copy.deferred = 0;
	process_key(child, &key);
	if (bpf_map_update_elem(&unwind_processes, &key, &copy, BPF_ANY))
		__sync_fetch_and_add(&forks_lost, 1);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	struct ft_process_key key;

	process_key(task, &key);
	bpf_map_delete_elem(&unwind_processes, &key);
	if (cfg_command && task_tgid(task) == cfg_command) {
		command_mm = (__u64)BPF_CORE_READ(task, mm);
		command_key = key;
	}
	return 0;
}

/* Not at its exit: what a process does at the very end is sampled, too. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(on_free, struct task_struct *task)
{
	struct ft_process_key key;

	if (BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid))
		return 0;
	process_key(task, &key);
	bpf_map_delete_elem(&unwind_processes, &key);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
