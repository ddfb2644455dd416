// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * pagefault: memory that programs touch: page faults, and how resident memory grows, by what
 * touches it.
 *
 * Of faults every cfg_period-th of a CPU is a sample. Growth is sampled by its bytes, as
 * allocations are (bpf/alloc_draw.bpf.h).
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define FT_COLLECTOR FT_COLLECTOR_PAGEFAULT

const volatile __u64 cfg_interval_bytes = 1;

#include "bpf/alloc_draw.bpf.h"
#include "bpf/ledger.bpf.h"
#include "bpf/pagefault_wire.h"
#include "bpf/rss.bpf.h"
#include "bpf/sample.bpf.h"

__u32 is_on = 0;
const volatile __u64 cfg_period = 1; /* faults from one sample to the next */
const volatile __u64 cfg_page_bytes = 4096;

struct tally_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct ft_pagefault_key);
	__type(value, struct ft_pagefault_tally);
};
struct tally_table tallies_0 SEC(".maps");
struct tally_table tallies_1 SEC(".maps");

struct what {
	__u64 amount;
	__u32 what, memory;
};

/* 0, or the ledger slot of the loss. */
static __always_inline __u32 tally_add(void *table, const struct ft_pagefault_key *key,
				       __u64 amount)
{
	struct ft_pagefault_tally first = { .n = 1, .amount = amount }, *have;
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
	__sync_fetch_and_add(&have->amount, amount);
	return 0;
}

/* 0, or the ledger slot of the loss. */
static __always_inline __u32 keep(struct sample *s, const struct what *what, __u32 set)
{
	struct ft_pagefault_key key = { .what = what->what, .memory = what->memory };
	__u32 lost = sample_keep(s, set);

	if (lost)
		return lost;
	key.origin = s->origin;
	return tally_add(set ? (void *)&tallies_1 : (void *)&tallies_0, &key, what->amount);
}

/* --- page faults ---------------------------------------------------------------------------- */

static long take_file(struct task_struct *task, struct vm_area_struct *vma, void *at)
{
	struct file *file = vma->vm_file;

	*(__u64 *)at = file ? (__u64)BPF_CORE_READ(file, f_inode, i_sb, s_magic) : 1;
	return 0;
}

#define TMPFS_MAGIC 0x01021994 /* include/uapi/linux/magic.h */

/* What is mapped there. A page of a private mapping that is written to becomes anonymous memory. */
static __always_inline __u32 memory_at(__u64 address)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 magic = 0;

	if (bpf_find_vma(task, address, take_file, &magic, 0)) {
		__sync_fetch_and_add(&notes.unmapped, 1);
		return FT_MEMORY_UNKNOWN;
	}
	if (magic == 1)
		return FT_MEMORY_ANON;
	return magic == TMPFS_MAGIC ? FT_MEMORY_SHMEM : FT_MEMORY_FILE;
}

static __always_inline __u32 fault_account(struct bpf_perf_event_data *ctx, struct sample *s,
					   __u32 major, bool with_memory)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct what what = { .amount = cfg_period, .what = major };
	__u32 set = active_set, lost = sample_task(s);

	if (lost)
		return lost;
	if (with_memory)
		what.memory = memory_at(ctx->addr);
	regs_take((const void *)ctx, &s->job.regs); /* the first member of the context */
	if (!s->job.regs.is_user)
		sample_kernel_stack(ctx, s);
	regs_to_user(task, &s->job.regs, &s->job.saved);
	sample_recall(task, s);
	return keep(s, &what, set);
}

static __always_inline int fault(struct bpf_perf_event_data *ctx, __u32 major, bool with_memory)
{
	struct sample *s;
	__u32 lost;

	if (!is_on)
		return 0;
	s = sample_take();
	if (!s) {
		ledger_close(FT_LOST_NESTED);
		return 0;
	}
	lost = fault_account(ctx, s, major, with_memory);
	ledger_close(lost ? lost : FT_KEPT);
	sample_release(s);
	return 0;
}

/* perf's software events, when the fault has been handled. */
SEC("perf_event")
int on_minor(struct bpf_perf_event_data *ctx)
{
	return fault(ctx, FT_FAULT_MINOR, true);
}

SEC("perf_event")
int on_major(struct bpf_perf_event_data *ctx)
{
	return fault(ctx, FT_FAULT_MAJOR, true);
}

/* Where bpf_find_vma() is not there (before 5.17). */
SEC("perf_event")
int on_minor_of_unknown(struct bpf_perf_event_data *ctx)
{
	return fault(ctx, FT_FAULT_MINOR, false);
}

SEC("perf_event")
int on_major_of_unknown(struct bpf_perf_event_data *ctx)
{
	return fault(ctx, FT_FAULT_MAJOR, false);
}

/* --- resident memory ------------------------------------------------------------------------- */

#define RSS_SWAP_ENTRIES 2 /* MM_SWAPENTS of include/linux/mm_types_task.h: not resident */

static __always_inline __u32 memory_of(__u32 member)
{
	return member == 0 ? FT_MEMORY_FILE : member == 1 ? FT_MEMORY_ANON : FT_MEMORY_SHMEM;
}

static __noinline int rss_sampled(struct what *what)
{
	struct sample *s = sample_take();
	__u32 set = active_set, lost;

	if (!s) {
		ledger_close(FT_LOST_NESTED);
		return 0;
	}
	lost = sample_task(s);
	if (!lost) {
		sample_user_stack(s);
		lost = keep(s, what, set);
	}
	ledger_close(lost ? lost : FT_KEPT);
	sample_release(s);
	return 0;
}

static __always_inline int rss_changed(__u32 member, __s64 pages)
{
	struct what what = { .what = pages < 0 ? FT_RSS_RELEASED : FT_RSS_GROWN };
	__u64 bytes = (pages < 0 ? -pages : pages) * cfg_page_bytes, weight;

	if (!pages)
		return 0;
	weight = alloc_draw(bytes);
	if (!weight)
		return 0;
	what.memory = memory_of(member);
	what.amount = weight == FT_ALLOC_WEIGHT_ONE
			      ? bytes
			      : (bytes * weight + FT_ALLOC_WEIGHT_ONE / 2) >> FT_ALLOC_WEIGHT_BITS;
	return rss_sampled(&what);
}

/*
 * What is done to the memory of others, such as that of a child in fork, is left out, and what
 * the end of a process gives back.
 */
SEC("tp_btf/rss_stat")
int BPF_PROG(on_rss, struct mm_struct *mm, int member)
{
	struct task_struct *task;
	__u32 which = member;

	if (!is_on || which >= FT_RSS_MEMBERS || which == RSS_SWAP_ENTRIES)
		return 0;
	task = bpf_get_current_task_btf();
	return task->mm == mm ? rss_changed(which, rss_change(task, mm, which)) : 0;
}

/* Before 6.2. */
SEC("tp_btf/rss_stat")
int BPF_PROG(on_rss_count, struct mm_struct *mm, int member, long pages)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 own = (__u64)BPF_CORE_READ(task, mm);
	__u32 which = member;

	if (!is_on || which >= FT_RSS_MEMBERS || which == RSS_SWAP_ENTRIES || own != (__u64)mm)
		return 0;
	return rss_changed(which, rss_change_to(task, own, which, pages));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
