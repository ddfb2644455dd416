// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * rss: by how much the resident memory of the current process has just changed. The kernel's
 * tracepoint tells that it has, and
 *
 * - before 6.2 what it is now. Each thread collects up to 64 page faults before it adds them up
 *   (SPLIT_RSS_COUNTING in mm/memory.c).
 * - later not even that. It is a sum of a part for each CPU and of one in common, into which a CPU
 *   puts its part when that grows large (lib/percpu_counter.c). So the change is that of this CPU's
 *   part and, if that was put away, of the common one.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/pagefault_wire.h"

__u64 began_boot_ns = 0; /* since boot; the loader sets it when the recording begins */
struct ft_pagefault_notes notes = {};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct ft_rss_key);
	__type(value, struct ft_rss_process);
} rss_processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1u << FT_RSS_SLOT_BITS);
	__type(key, __u32);
	__type(value, struct ft_rss_slot);
} rss_slots SEC(".maps");

#define RSS_PF_FORKNOEXEC 0x40 /* include/linux/sched.h */

/* All memory of a process that began its program under our eyes began at 0; NULL: no room. */
static __always_inline struct ft_rss_process *rss_process(struct task_struct *task,
							  const struct ft_rss_key *key)
{
	struct ft_rss_process *p = bpf_map_lookup_elem(&rss_processes, key), fresh = {};

	if (p)
		return p;
	fresh.is_young = !(BPF_CORE_READ(task, flags) & RSS_PF_FORKNOEXEC) &&
			 BPF_CORE_READ(task, group_leader, start_boottime) >= began_boot_ns;
	if (fresh.is_young)
		fresh.known = (1u << FT_RSS_MEMBERS) - 1;
	bpf_map_update_elem(&rss_processes, key, &fresh, BPF_NOEXIST);
	p = bpf_map_lookup_elem(&rss_processes, key);
	if (!p)
		__sync_fetch_and_add(&notes.processes_full, 1);
	return p;
}

/* Most changes are of one page. */
static __always_inline __s64 rss_first_seen(void)
{
	__sync_fetch_and_add(&notes.first_seen, 1);
	return 1;
}

/* Pages more or less, where the tracepoint says what it is now. 'member' is below FT_RSS_MEMBERS.
 */
static __always_inline __s64 rss_change_to(struct task_struct *task, __u64 mm, __u32 member,
					   __s64 pages)
{
	struct ft_rss_key key = {
		.mm = mm,
		.tgid = bpf_get_current_pid_tgid() >> 32,
		.exec_id = BPF_CORE_READ(task, self_exec_id),
	};
	struct ft_rss_process *p = rss_process(task, &key);
	__s64 before;

	if (!p)
		return 0;
	before = p->pages[member];
	p->pages[member] = pages;
	if (p->known & 1u << member)
		return pages - before;
	p->known |= 1u << member;
	return rss_first_seen();
}

/* struct percpu_counter (include/linux/percpu_counter.h), and mm_struct as it is from 6.2 on. */
struct percpu_counter___rss {
	__s64 count;
	__s32 *counters;
} __attribute__((preserve_access_index));
struct mm_struct___counters {
	struct percpu_counter___rss rss_stat[FT_RSS_MEMBERS];
} __attribute__((preserve_access_index));

/* The head of a map whose values are per CPU (include/linux/bpf.h). */
struct bpf_array {
	void *pptrs[0];
} __attribute__((preserve_access_index));

/* Where this CPU's copies of things lie, from what stands for all of them; 0: not known yet. */
#define RSS_MAP_HEAD_BYTES 1024
struct rss_cpu {
	__u64 offset;
	__u64 self; /* this value's own address */
	__u8 head[RSS_MAP_HEAD_BYTES];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rss_cpu);
} rss_cpus SEC(".maps");

/*
 * From a value of which both addresses can be known: not all kernels tell the programs where their
 * variables are (CONFIG_KALLSYMS_ALL).
 */
static __always_inline __u64 rss_cpu_offset(void)
{
	__u64 at = bpf_core_field_offset(struct bpf_array, pptrs), of_all = 0;
	__u32 zero = 0;
	struct rss_cpu *cpu = bpf_map_lookup_elem(&rss_cpus, &zero);

	if (!cpu)
		return 0;
	if (cpu->offset)
		return cpu->offset;
	if (at > RSS_MAP_HEAD_BYTES - sizeof(of_all))
		return 0;
	/* Stored and read again, it is a number. */
	*(volatile __u64 *)&cpu->self = (__u64)cpu;
	bpf_probe_read_kernel(cpu->head, sizeof(cpu->head), &rss_cpus);
	of_all = *(__u64 *)(cpu->head + at);
	if (of_all)
		cpu->offset = *(volatile __u64 *)&cpu->self - of_all;
	return cpu->offset;
}

/* Its counter of a member: the CPUs' part, and the common one. The verifier wants no index. */
static __always_inline __u64 rss_parts(const struct mm_struct___counters *mm, __u32 member)
{
	if (member == 0)
		return (__u64)mm->rss_stat[0].counters;
	return member == 1 ? (__u64)mm->rss_stat[1].counters : (__u64)mm->rss_stat[3].counters;
}

static __always_inline __s64 rss_common(const struct mm_struct___counters *mm, __u32 member)
{
	if (member == 0)
		return mm->rss_stat[0].count;
	return member == 1 ? mm->rss_stat[1].count : mm->rss_stat[3].count;
}

static __always_inline bool is_same_process(const struct ft_rss_key *a, const struct ft_rss_key *b)
{
	return a->mm == b->mm && a->tgid == b->tgid && a->exec_id == b->exec_id;
}

/* Makes the slot one of that process. */
static __always_inline void rss_slot_take(struct ft_rss_slot *slot, const struct ft_rss_key *key,
					  struct ft_rss_process *p)
{
	__u64 cpu = 1ull << (bpf_get_smp_processor_id() & 63);

	__builtin_memset(slot, 0, sizeof(*slot));
	slot->key = *key;
	slot->offset = rss_cpu_offset();
	if (p->is_young && !(p->cpus & cpu))
		slot->known = (1u << FT_RSS_MEMBERS) - 1;
	__sync_fetch_and_add(&p->cpus, p->cpus & cpu ? 0 : cpu);
}

/*
 * The same, where it does not, of the current process, whose memory 'mm' is. Each page fault comes
 * here: what can be read without a helper is.
 */
static __always_inline __s64 rss_change(struct task_struct *task, struct mm_struct *mm,
					__u32 member)
{
	const struct mm_struct___counters *counters = (const void *)mm;
	struct ft_rss_key key = {
		/* A distance is a number, on which the verifier allows arithmetic. */
		.mm = (__u64)mm - (__u64)&notes,
		.tgid = task->tgid,
		.exec_id = task->self_exec_id,
	};
	__u32 index = (key.mm * 0x9e3779b97f4a7c15ULL) >> (64 - FT_RSS_SLOT_BITS);
	struct ft_rss_slot *slot = bpf_map_lookup_elem(&rss_slots, &index);
	struct ft_rss_process *p = NULL;
	__s32 pages = 0, before;
	__s64 change, common;

	if (!slot)
		return 0;
	if (!is_same_process(&slot->key, &key)) {
		p = rss_process(task, &key);
		if (!p)
			return 0;
		rss_slot_take(slot, &key, p);
	}
	bpf_probe_read_kernel(&pages, sizeof(pages),
			      (const void *)(rss_parts(counters, member) + slot->offset));
	before = slot->pages[member];
	slot->pages[member] = pages;
	change = pages - before;
	if (!(slot->known & 1u << member)) {
		slot->known |= 1u << member;
		change = rss_first_seen();
	}
	if (pages) /* it was not put away */
		return change;
	if (!p)
		p = rss_process(task, &key);
	if (!p)
		return 0;
	common = rss_common(counters, member);
	if (p->known & 1u << member)
		change += common - p->pages[member];
	p->pages[member] = common;
	p->known |= 1u << member;
	return change;
}
