// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* cpu: where CPU time goes: a stack for each tick of a CPU's sampling event, counted by task. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define FT_COLLECTOR FT_COLLECTOR_CPU

#include "bpf/ledger.bpf.h"
#include "bpf/sample.bpf.h"
#include "bpf/wire.h"

struct count_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct ft_origin);
	__type(value, struct ft_count);
};
struct count_table counts_0 SEC(".maps");
struct count_table counts_1 SEC(".maps");

/* 0, or the ledger slot of the loss. */
static __always_inline __u32 count_add(void *table, const struct ft_origin *key)
{
	struct ft_count first = { .n = 1 }, *have;
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
	return 0;
}

/* What became of the sample, as a ledger slot. */
static __always_inline __u32 sample_count(struct bpf_perf_event_data *ctx, struct sample *s)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u32 set = active_set, lost = sample_task(s);

	if (lost)
		return lost;
	regs_take((const void *)ctx, &s->job.regs); /* the first member of the context */
	if (!s->job.regs.is_user)
		sample_kernel_stack(ctx, s);
	regs_to_user(task, &s->job.regs, &s->job.saved);
	sample_walk(task, s);
	lost = sample_keep(s, set);
	if (!lost)
		lost = count_add(set ? (void *)&counts_1 : (void *)&counts_0, &s->origin);
	return lost ? lost : FT_KEPT;
}

SEC("perf_event")
int on_sample(struct bpf_perf_event_data *ctx)
{
	struct sample *s = sample_take();

	if (!s) {
		ledger_close(FT_LOST_NESTED);
		return 0;
	}
	ledger_close(sample_count(ctx, s));
	sample_release(s);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
