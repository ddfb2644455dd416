// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* task: who is running, in the PID namespace of the program that asks. */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/wire.h"

/* Inode of fathom's PID namespace; 0 when that is the initial one, where no search is needed. */
const volatile __u32 cfg_pidns_inum = 0;

#define FT_PF_KTHREAD	 0x00200000 /* include/linux/sched.h */
#define FT_MAX_PID_LEVEL 32	    /* MAX_PID_NS_LEVEL, include/linux/pid_namespace.h */

static __always_inline bool is_kernel_thread(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return BPF_CORE_READ(task, flags) & FT_PF_KTHREAD;
}

/* Whether the task is in the middle of an exec; false where the kernel does not say so. */
static __always_inline __u32 task_is_in_exec(struct task_struct *task)
{
	if (!bpf_core_field_exists(task->in_execve))
		return 0;
	return BPF_CORE_READ_BITFIELD_PROBED(task, in_execve);
}

/* The number of a struct pid in fathom's namespace, 0 if it has none there. */
static __always_inline __u32 pid_number(struct pid *pid)
{
	__u32 level = BPF_CORE_READ(pid, level), i;

	for (i = 0; i <= FT_MAX_PID_LEVEL; i++) {
		const void *at = (const void *)pid + bpf_core_field_offset(struct pid, numbers) +
				 i * bpf_core_type_size(struct upid);
		struct upid *entry = (struct upid *)at;

		if (i > level)
			break;
		if (BPF_CORE_READ(entry, ns, ns.inum) == cfg_pidns_inum)
			return BPF_CORE_READ(entry, nr);
	}
	return 0;
}

static __always_inline __u32 task_tgid(struct task_struct *task)
{
	if (!cfg_pidns_inum)
		return BPF_CORE_READ(task, tgid);
	return pid_number(BPF_CORE_READ(task, group_leader, thread_pid));
}

static __always_inline __u32 task_tid(struct task_struct *task)
{
	if (!cfg_pidns_inum)
		return BPF_CORE_READ(task, pid);
	return pid_number(BPF_CORE_READ(task, thread_pid));
}

/* The same for the current task, cheaper where no search is needed. */
static __always_inline void current_ids(struct task_struct *task, __u32 *tgid, __u32 *tid)
{
	__u64 id;

	if (cfg_pidns_inum) {
		*tgid = task_tgid(task);
		*tid = task_tid(task);
		return;
	}
	id = bpf_get_current_pid_tgid();
	*tgid = id >> 32;
	*tid = (__u32)id;
}
