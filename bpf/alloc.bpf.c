// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * alloc: memory that processes ask for and give back, by who asks.
 *
 * The probes of the shim (shim/alloc.c, docs/usdt.md) tell of sampled blocks only.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define FT_COLLECTOR FT_COLLECTOR_ALLOC

#include "bpf/alloc_account.bpf.h"

/* --- the shim's probes: the first instruction of a function with these arguments -----------------
 */

SEC("uprobe")
int BPF_KPROBE(on_made, __u64 address, __u64 bytes, __u64 weight)
{
	struct alloc_request r = {
		.address = address,
		.bytes = bytes,
		.weight = weight,
		.kind = FT_ALLOC_HEAP,
		.flags = ALLOC_USER_STACK | ALLOC_FROM_CALLER,
	};

	if (!is_on || weight < FT_ALLOC_WEIGHT_ONE)
		return 0;
	return alloc_made(ctx, &r);
}

SEC("uprobe")
int BPF_KPROBE(on_freed, __u64 address, __u64 temporary)
{
	struct ft_alloc_block_key key = { .address = address };

	if (!is_on)
		return 0;
	key.process = alloc_process_of_current(0);
	return alloc_freed(&key, temporary != 0);
}

SEC("uprobe")
int BPF_KPROBE(on_moving, __u64 address)
{
	struct ft_alloc_block_key key = { .address = address };

	if (!is_on)
		return 0;
	key.process = alloc_process_of_current(0);
	alloc_moving(&key);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(on_moved, __u64 address, __u64 ok)
{
	if (is_on)
		alloc_moved(ok != 0);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(on_mapped, __u64 id, __u64 bytes)
{
	struct alloc_request r = {
		.address = id,
		.bytes = bytes,
		.weight = FT_ALLOC_WEIGHT_ONE,
		.kind = FT_ALLOC_MAPPING,
		.flags = ALLOC_USER_STACK | ALLOC_FROM_CALLER,
	};

	return is_on ? alloc_made(ctx, &r) : 0;
}

SEC("uprobe")
int BPF_KPROBE(on_unmapped, __u64 id, __u64 bytes)
{
	struct ft_alloc_block_key key = { .address = id };

	if (!is_on)
		return 0;
	key.process = alloc_process_of_current(0);
	return alloc_freed_part(&key, bytes);
}

/* Read by the loader; a process that finds no room waits in vain, and not for long. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, struct ft_alloc_settling);
} settlings SEC(".maps");

/* A process waits until its mappings are known. Its stack, which cannot be walked, wakes the
 * loader. */
SEC("uprobe")
int BPF_KPROBE(on_settling, __u64 since_ns)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct ft_alloc_settling settling = { .since_ns = since_ns };
	struct sample *s;

	if (!is_on || cfg_frame_pointers)
		return 0;
	s = sample_take();
	if (!s)
		return 0;
	if (!sample_task(s)) {
		sample_user_stack_from(s, true);
		process_key(task, &settling.process);
		settling.mm = (__u64)BPF_CORE_READ(task, mm);
		settling.tgid = s->origin.task.tgid;
		bpf_map_push_elem(&settlings, &settling, BPF_ANY);
		sample_keep(s, active_set);
	}
	sample_release(s);
	return 0;
}

/* --- processes
 * ------------------------------------------------------------------------------------ */

/* From 7.0 on it has one more argument. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct ft_alloc_process_key key;

	if (BPF_CORE_READ(task, signal, live.counter))
		return 0; /* other threads go on */
	key = alloc_process_of_current(0);
	alloc_process_ended(&key);
	return 0;
}

/* The tracepoint comes when the process has its new number of execs. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	struct ft_alloc_process_key key = alloc_process_of_current(1);

	alloc_process_ended(&key);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
