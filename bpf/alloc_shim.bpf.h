// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * alloc_shim: the probes of the shim (shim/alloc.c, docs/usdt.md): each is the first instruction of
 * a function with its arguments.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/alloc_account.bpf.h"
#include "bpf/alloc_wire.h"
#include "bpf/own_stack.bpf.h"

/* Read by the loader; a process that finds no room waits in vain, and not for long. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, struct ft_alloc_settling);
} settlings SEC(".maps");

static __always_inline int shim_made(__u32 kind, __u64 address, __u64 bytes, __u64 weight)
{
	struct alloc_request r = {
		.address = address,
		.bytes = bytes,
		.weight = weight,
		.kind = kind,
		.flags = ALLOC_USER_STACK | ALLOC_FROM_CALLER,
	};

	return weight < FT_ALLOC_WEIGHT_ONE ? 0 : alloc_made(NULL, &r);
}

/*
 * A process has begun with the shim, and (since_ns) waits until its mappings are known. Its stack,
 * which cannot be walked, wakes the loader.
 */
static __always_inline int shim_settling(__u64 since_ns)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct ft_alloc_settling settling = { .since_ns = since_ns };
	struct sample *s;

	s = sample_take();
	if (!s)
		return 0;
	if (!sample_task(s)) {
		__sync_fetch_and_add(&state.started, 1);
		if (!since_ns || cfg_frame_pointers)
			goto out;
		sample_user_stack_from(s, SAMPLE_AT_ENTRY);
		process_key(task, &settling.process);
		settling.mm = (__u64)BPF_CORE_READ(task, mm);
		settling.tgid = s->origin.task.tgid;
		bpf_map_push_elem(&settlings, &settling, BPF_ANY);
		sample_keep(s, active_set);
	}
out:
	sample_release(s);
	return 0;
}

/* What is about a block that was given out before. */
static __always_inline int shim_block(__u32 probe, __u64 address, __u64 b)
{
	struct ft_alloc_block_key key = {
		.address = address,
		.process = alloc_process_of_current(0),
	};

	if (probe == FT_ALLOC_PROBE_FREED)
		return alloc_freed(&key, b != 0);
	if (probe == FT_ALLOC_PROBE_UNMAPPED)
		return alloc_freed_part(&key, b);
	alloc_moving(&key);
	return 0;
}

static __noinline int shim_event(__u32 probe, __u64 a, __u64 b, __u64 c)
{
	if (!is_on)
		return 0;
	switch (probe) {
	case FT_ALLOC_PROBE_MADE:
		return shim_made(FT_ALLOC_HEAP, a, b, c);
	case FT_ALLOC_PROBE_MAPPED:
		return shim_made(FT_ALLOC_MAPPING, a, b, FT_ALLOC_WEIGHT_ONE);
	case FT_ALLOC_PROBE_MOVED:
		alloc_moved(b != 0);
		return 0;
	case FT_ALLOC_PROBE_SETTLING:
		return shim_settling(a);
	default:
		return shim_block(probe, a, b);
	}
}

/* One for all probes, whose cookie says which it is: what one link has is detached at once. */
SEC("uprobe")
int BPF_KPROBE(on_probe, __u64 a, __u64 b, __u64 c)
{
	own_stack(ctx);
	return shim_event(bpf_get_attach_cookie(ctx), a, b, c);
}

/* One for each, where the kernel has no such link. */
SEC("uprobe")
int BPF_KPROBE(on_made, __u64 address, __u64 bytes, __u64 weight)
{
	own_stack(ctx);
	return shim_event(FT_ALLOC_PROBE_MADE, address, bytes, weight);
}

SEC("uprobe")
int BPF_KPROBE(on_freed, __u64 address, __u64 temporary)
{
	own_stack(ctx);
	return shim_event(FT_ALLOC_PROBE_FREED, address, temporary, 0);
}

SEC("uprobe")
int BPF_KPROBE(on_moving, __u64 address)
{
	own_stack(ctx);
	return shim_event(FT_ALLOC_PROBE_MOVING, address, 0, 0);
}

SEC("uprobe")
int BPF_KPROBE(on_moved, __u64 address, __u64 ok)
{
	own_stack(ctx);
	return shim_event(FT_ALLOC_PROBE_MOVED, address, ok, 0);
}

SEC("uprobe")
int BPF_KPROBE(on_mapped, __u64 id, __u64 bytes)
{
	own_stack(ctx);
	return shim_event(FT_ALLOC_PROBE_MAPPED, id, bytes, 0);
}

SEC("uprobe")
int BPF_KPROBE(on_unmapped, __u64 id, __u64 bytes)
{
	own_stack(ctx);
	return shim_event(FT_ALLOC_PROBE_UNMAPPED, id, bytes, 0);
}

SEC("uprobe")
int BPF_KPROBE(on_settling, __u64 since_ns)
{
	own_stack(ctx);
	return shim_event(FT_ALLOC_PROBE_SETTLING, since_ns, 0, 0);
}
