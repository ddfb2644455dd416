/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_attach: programs of each kind, loaded and attached. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/collect/perf.h"
#include "user/collect/probe_bpf.h"
#include "user/collect/probe_insn.h"

#define WAIT_NS	 300000000ull /* for the first sample, at PROBE_HZ */
#define PROBE_HZ 1000

int probe_load(enum bpf_prog_type type, struct bpf_prog_load_opts *opts,
	       const struct bpf_insn *insns, size_t n)
{
	int fd = bpf_prog_load(type, "fathom_probe", "Dual BSD/GPL", insns, n, opts);

	return fd < 0 ? -errno : fd;
}

int probe_cpu(void)
{
	struct cpu_set online;
	unsigned int cpu = 0;

	if (cpu_set_online(&online))
		return 0;
	while (cpu < PERF_MAX_CPUS - 1 && !cpu_set_has(&online, cpu))
		cpu++;
	return cpu;
}

/* A program that counts its runs in a map of one number. */
struct counter {
	int map, prog;
};

static void counter_release(struct counter *c)
{
	closep(&c->prog);
	closep(&c->map);
}

static int counter_load(enum bpf_prog_type type, struct bpf_prog_load_opts *opts,
			struct probe_try *ret, struct counter *c)
{
	struct bpf_insn insns[6];

	c->map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "fathom_probe", 4, 8, 1, NULL);
	if (c->map < 0) {
		ret->err = -errno;
		ret->stage = "at its map";
		return ret->err;
	}
	insns[0] = INSN_MAP_VALUE(BPF_REG_1, c->map);
	insns[1] = INSN_WIDE_END(0);
	insns[2] = INSN_MOV_IMM(BPF_REG_2, 1);
	insns[3] = INSN_ATOMIC_ADD(BPF_REG_1, 0, BPF_REG_2);
	insns[4] = INSN_MOV_IMM(BPF_REG_0, 0);
	insns[5] = INSN_EXIT;
	c->prog = probe_load(type, opts, insns, ARRAY_SIZE(insns));
	ret->err = c->prog < 0 ? c->prog : 0;
	ret->stage = "at load";
	return ret->err;
}

static uint64_t counter_read(const struct counter *c)
{
	uint32_t key = 0;
	uint64_t n = 0;

	return bpf_map_lookup_elem(c->map, &key, &n) ? 0 : n;
}

/* Opens the event on one CPU and attaches the program; its file descriptor or -1. */
static int counter_attach(const struct counter *c, struct perf_event_attr *attr,
			  struct probe_try *ret)
{
	_cleanup_(closep) int fd = -1;

	attr->size = sizeof(*attr);
	fd = syscall(SYS_perf_event_open, attr, -1, probe_cpu(), -1, PERF_FLAG_FD_CLOEXEC);
	ret->stage = "at perf_event_open";
	if (fd >= 0) {
		ret->stage = "at attach";
		if (!ioctl(fd, PERF_EVENT_IOC_SET_BPF, c->prog) &&
		    !ioctl(fd, PERF_EVENT_IOC_ENABLE, 0)) {
			ret->err = 0;
			return take_fd(fd);
		}
	}
	ret->err = -errno;
	return -1;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void probe_perf_event(int arg, struct probe_try *ret)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_freq = PROBE_HZ,
		.freq = 1,
		.disabled = 1,
	};
	_cleanup_(counter_release) struct counter c = { -1, -1 };
	_cleanup_(closep) int fd = -1;
	uint64_t until, n = 0;

	(void)arg;
	if (counter_load(BPF_PROG_TYPE_PERF_EVENT, NULL, ret, &c))
		return;
	fd = counter_attach(&c, &attr, ret);
	if (fd < 0)
		return;
	/* The idle CPU is sampled too, so there is nothing to do but wait. */
	until = now_ns() + WAIT_NS;
	while (!n && now_ns() < until) {
		usleep(1000);
		n = counter_read(&c);
	}
	if (!n) {
		ret->err = -ETIME;
		ret->stage = "after attach: no sample came";
	}
}

void probe_tp_btf(int arg, struct probe_try *ret)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP);
	int id = libbpf_find_vmlinux_btf_id("sched_process_fork", BPF_TRACE_RAW_TP);
	_cleanup_(counter_release) struct counter c = { -1, -1 };
	_cleanup_(closep) int fd = -1;

	(void)arg;
	if (id < 0) {
		ret->err = id;
		ret->stage = "in BTF";
		return;
	}
	opts.attach_btf_id = id;
	if (counter_load(BPF_PROG_TYPE_TRACING, &opts, ret, &c))
		return;
	fd = bpf_raw_tracepoint_open(NULL, c.prog);
	ret->err = fd < 0 ? -errno : 0;
	ret->stage = "at attach";
}
