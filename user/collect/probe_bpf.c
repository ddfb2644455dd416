/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_bpf: helpers, maps and events. */
#include "user/collect/probe_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/collect/perf.h"
#include "user/collect/probe_insn.h"

static void failed(struct probe_try *ret, const char *stage, int err)
{
	ret->err = err;
	ret->stage = stage;
}

/* --- helpers ------------------------------------------------------------------------------- */

/* Puts in how a collector would call the helper; the number of instructions. */
static size_t call_build(int helper, int map_fd, struct bpf_insn *to)
{
	size_t n = 0;

	switch (helper) {
	case BPF_FUNC_get_stack: /* (ctx, buffer, size, flags) */
		to[n++] = INSN_MOV(BPF_REG_2, BPF_REG_10);
		to[n++] = INSN_ADD_IMM(BPF_REG_2, -64);
		to[n++] = INSN_MOV_IMM(BPF_REG_3, 64);
		to[n++] = INSN_MOV_IMM(BPF_REG_4, 0);
		break;
	case BPF_FUNC_probe_read_user: /* (buffer, size, address) */
	case BPF_FUNC_probe_read_kernel:
	case BPF_FUNC_probe_read_kernel_str:
	case BPF_FUNC_get_current_comm: /* (buffer, size) */
		to[n++] = INSN_MOV(BPF_REG_1, BPF_REG_10);
		to[n++] = INSN_ADD_IMM(BPF_REG_1, -16);
		to[n++] = INSN_MOV_IMM(BPF_REG_2, 16);
		to[n++] = INSN_MOV_IMM(BPF_REG_3, 0);
		break;
	case BPF_FUNC_current_task_under_cgroup: /* (map, index) */
		to[n++] = INSN_MAP_FD(BPF_REG_1, map_fd);
		to[n++] = INSN_WIDE_END(0);
		to[n++] = INSN_MOV_IMM(BPF_REG_2, 0);
		break;
	case BPF_FUNC_task_pt_regs: /* (task) */
		to[n++] = INSN_CALL(BPF_FUNC_get_current_task_btf);
		to[n++] = INSN_MOV(BPF_REG_1, BPF_REG_0);
		break;
	default: /* (), or (ctx), which is in R1 */
		break;
	}
	to[n++] = INSN_CALL(helper);
	to[n++] = INSN_MOV_IMM(BPF_REG_0, 0);
	to[n++] = INSN_EXIT;
	return n;
}

void probe_helper(int arg, struct probe_try *ret)
{
	_cleanup_(closep) int map = -1, fd = -1;
	struct bpf_insn insns[16];

	if (arg == BPF_FUNC_current_task_under_cgroup) {
		map = bpf_map_create(BPF_MAP_TYPE_CGROUP_ARRAY, "fathom_probe", 4, 4, 1, NULL);
		if (map < 0) {
			failed(ret, "at its map", map);
			return;
		}
	}
	fd = probe_load(BPF_PROG_TYPE_PERF_EVENT, NULL, insns, call_build(arg, map, insns));
	failed(ret, "at load", fd < 0 ? fd : 0);
}

/* --- maps ---------------------------------------------------------------------------------- */

void probe_map(int arg, struct probe_try *ret)
{
	_cleanup_(closep) int fd = -1;

	if (arg == BPF_MAP_TYPE_RINGBUF) /* pages */
		fd = bpf_map_create(arg, "fathom_probe", 0, 0, sysconf(_SC_PAGESIZE), NULL);
	else
		fd = bpf_map_create(arg, "fathom_probe", 4, 4, 16, NULL);
	failed(ret, "at creation", fd < 0 ? fd : 0);
}

void probe_batch(int arg, struct probe_try *ret)
{
	_cleanup_(closep) int fd = -1;
	uint32_t keys[2] = { 1, 2 }, values[2] = { 3, 4 }, where[4], n = 2;
	int err;

	(void)arg;
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "fathom_probe", 4, 4, 16, NULL);
	if (fd < 0) {
		failed(ret, "at creation", fd);
		return;
	}
	err = bpf_map_update_batch(fd, keys, values, &n, NULL);
	failed(ret, "at update", err);
	if (err)
		return;
	/* A bucket is returned whole, so ask for as many as there are; then -ENOENT is the end. */
	n = 2;
	err = bpf_map_lookup_and_delete_batch(fd, NULL, where, keys, values, &n, NULL);
	failed(ret, "at lookup", err == -ENOENT && n == 2 ? 0 : err);
}

void probe_run_time(int arg, struct probe_try *ret)
{
	_cleanup_(closep) int fd = -1;

	(void)arg;
	fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	failed(ret, "at enabling", fd < 0 ? fd : 0);
}

/* --- events -------------------------------------------------------------------------------- */

void probe_event(int arg, struct probe_try *ret)
{
	struct perf_event_attr attr = {
		.type = arg == SAMPLE_CYCLES ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE,
		.config = arg == SAMPLE_CYCLES ? PERF_COUNT_HW_CPU_CYCLES : PERF_COUNT_SW_CPU_CLOCK,
		.sample_freq = 99,
		.freq = 1,
		.disabled = 1,
	};
	_cleanup_(closep) int fd = -1;

	fd = perf_open(&attr, probe_cpu());
	failed(ret, "at perf_event_open", fd < 0 ? fd : 0);
}
