// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* tasks: who runs already, as the unwinder knows processes: what /proc does not tell. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/task.bpf.h"
#include "bpf/unwind.bpf.h"
#include "bpf/wire.h"

SEC("iter/task")
int each_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct ft_running running = {};

	if (!task || BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid))
		return 0;
	running.mm = (__u64)BPF_CORE_READ(task, mm);
	running.tgid = task_tgid(task);
	process_key(task, &running.process);
	if (running.mm && running.tgid)
		bpf_seq_write(ctx->meta->seq, &running, sizeof(running));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
