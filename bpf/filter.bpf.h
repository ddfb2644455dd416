// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * filter: whether an event is one that was asked for. What is configured is known at load time,
 * so the verifier removes the rest.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/glob.bpf.h"
#include "bpf/task.bpf.h"
#include "bpf/wire.h"

const volatile __u32 cfg_self_tgid = 0;
const volatile __u8 cfg_keep_idle = 0;
const volatile __u8 cfg_by_target = 0; /* tgid in 'targets' (see follow.bpf.c) */
const volatile __u8 cfg_by_tid = 0;
const volatile __u8 cfg_by_cgroup = 0;
const volatile __u8 cfg_by_comm = 0;
const volatile struct ft_glob cfg_comm = {};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);   /* tgid */
	__type(value, __u32); /* FT_TARGET_* */
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32); /* tid */
	__type(value, __u32);
} target_tids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target_cgroup SEC(".maps");

/* 0 to go on, else the ledger slot of the filter. */
static __always_inline __u32 filter_current(__u32 tgid, __u32 tid)
{
	char comm[FT_COMM_LEN];
	__u32 *mark;

	/* The idle task is the only one with PID 0 in the initial namespace. */
	if (!cfg_keep_idle && !(__u32)bpf_get_current_pid_tgid())
		return FT_FILTERED_IDLE;
	if (tgid == cfg_self_tgid)
		return FT_FILTERED_SELF;
	if (cfg_by_target) {
		mark = bpf_map_lookup_elem(&targets, &tgid);
		if (!mark || *mark != FT_TARGET_NOW)
			return FT_FILTERED_TARGET;
	}
	if (cfg_by_tid && !bpf_map_lookup_elem(&target_tids, &tid))
		return FT_FILTERED_TARGET;
	if (cfg_by_cgroup && bpf_current_task_under_cgroup(&target_cgroup, 0) != 1)
		return FT_FILTERED_TARGET;
	if (cfg_by_comm) {
		bpf_get_current_comm(comm, sizeof(comm));
		if (!glob_match(&cfg_comm, comm))
			return FT_FILTERED_TARGET;
	}
	return 0;
}
