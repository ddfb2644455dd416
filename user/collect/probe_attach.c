/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_attach: programs of each kind, loaded and attached. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/file.h"
#include "user/collect/perf.h"
#include "user/collect/probe_bpf.h"
#include "user/collect/probe_insn.h"

#define WAIT_NS	 300000000ull /* for the first sample, at PROBE_HZ */
#define PROBE_HZ 1000

/* Made for such attempts: net/bpf/test_run.c has it since 5.5, and nothing calls it. */
#define HARMLESS_FUNCTION "bpf_fentry_test1"

int probe_load(enum bpf_prog_type type, struct bpf_prog_load_opts *opts,
	       const struct bpf_insn *insns, size_t n, char *log, size_t log_size)
{
	LIBBPF_OPTS(bpf_prog_load_opts, none);
	int fd;

	if (!opts)
		opts = &none;
	if (log) {
		*log = '\0';
		opts->log_buf = log;
		opts->log_size = log_size;
		opts->log_level = 1;
	}
	fd = bpf_prog_load(type, "fathom_probe", "Dual BSD/GPL", insns, n, opts);
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
	c->prog = probe_load(type, opts, insns, ARRAY_SIZE(insns), NULL, 0);
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

/* Opens the event for this thread (pid 0) or, with cpu >= 0, for that CPU; attaches the program. */
static int counter_attach(const struct counter *c, struct perf_event_attr *attr, int pid, int cpu,
			  struct probe_try *ret)
{
	_cleanup_(closep) int fd = -1;

	attr->size = sizeof(*attr);
	fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
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
	fd = counter_attach(&c, &attr, -1, probe_cpu(), ret);
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

/* Loads a program that is attached by the BTF of what it is attached to. */
static int load_by_btf(const char *name, enum bpf_attach_type type, struct probe_try *ret,
		       struct counter *c)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	int id = libbpf_find_vmlinux_btf_id(name, type);

	if (id < 0) {
		ret->err = id;
		ret->stage = "in BTF";
		return id;
	}
	opts.attach_btf_id = id;
	return counter_load(BPF_PROG_TYPE_TRACING, &opts, ret, c);
}

static void attach_raw(const struct counter *c, const char *name, struct probe_try *ret)
{
	_cleanup_(closep) int fd = bpf_raw_tracepoint_open(name, c->prog);

	ret->err = fd < 0 ? -errno : 0;
	ret->stage = "at attach";
}

void probe_tp_btf(int arg, struct probe_try *ret)
{
	_cleanup_(counter_release) struct counter c = { -1, -1 };

	(void)arg;
	if (!load_by_btf("sched_process_exit", BPF_TRACE_RAW_TP, ret, &c))
		attach_raw(&c, NULL, ret);
}

void probe_raw_tp(int arg, struct probe_try *ret)
{
	_cleanup_(counter_release) struct counter c = { -1, -1 };

	(void)arg;
	if (!counter_load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL, ret, &c))
		attach_raw(&c, "sched_process_exit", ret);
}

void probe_fentry(int arg, struct probe_try *ret)
{
	_cleanup_(counter_release) struct counter c = { -1, -1 };

	(void)arg;
	if (!load_by_btf(HARMLESS_FUNCTION, BPF_TRACE_FENTRY, ret, &c))
		attach_raw(&c, NULL, ret);
}

/* The number in a small file, or -errno. */
static int file_number(const char *path)
{
	_cleanup_(freep) char *line = NULL;
	int err = file_read_line(path, &line);

	return err ? err : atoi(line);
}

void probe_tracepoint(int arg, struct probe_try *ret)
{
	static const char *const files[] = {
		"/sys/kernel/tracing/events/sched/sched_process_exit/id",
		"/sys/kernel/debug/tracing/events/sched/sched_process_exit/id",
	};
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .disabled = 1 };
	_cleanup_(counter_release) struct counter c = { -1, -1 };
	_cleanup_(closep) int fd = -1;
	int id = -ENOENT;
	size_t i;

	(void)arg;
	if (counter_load(BPF_PROG_TYPE_TRACEPOINT, NULL, ret, &c))
		return;
	for (i = 0; i < ARRAY_SIZE(files) && id < 0; i++)
		id = file_number(files[i]);
	if (id < 0) {
		ret->err = id;
		ret->stage = "at reading its number in tracefs";
		return;
	}
	attr.config = id;
	fd = counter_attach(&c, &attr, -1, probe_cpu(), ret);
}

/* The type of a dynamic PMU into the attributes; 0 or -errno with the stage. */
static int pmu_type(const char *path, struct perf_event_attr *attr, struct probe_try *ret)
{
	int type = file_number(path);

	if (type < 0) {
		ret->err = type;
		ret->stage = "at finding its event source";
		return type;
	}
	attr->type = type;
	return 0;
}

void probe_kprobe(int arg, struct probe_try *ret)
{
	struct perf_event_attr attr = {
		.disabled = 1,
		.kprobe_func = (uintptr_t)HARMLESS_FUNCTION,
	};
	_cleanup_(counter_release) struct counter c = { -1, -1 };
	_cleanup_(closep) int fd = -1;

	(void)arg;
	if (pmu_type("/sys/bus/event_source/devices/kprobe/type", &attr, ret) ||
	    counter_load(BPF_PROG_TYPE_KPROBE, NULL, ret, &c))
		return;
	fd = counter_attach(&c, &attr, -1, probe_cpu(), ret);
}

/* What the uprobe is put on. */
__attribute__((noinline, noclone)) static void uprobe_target(void)
{
	__asm__ volatile("" ::: "memory");
}

struct place {
	uintptr_t address;
	uint64_t offset; /* in the file that is the program */
	bool found;
};

static int find_offset(struct dl_phdr_info *info, size_t size, void *data)
{
	struct place *place = data;
	int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD && place->address >= start &&
		    place->address < start + p->p_memsz) {
			place->offset = place->address - start + p->p_offset;
			place->found = true;
			return 1;
		}
	}
	return 1; /* the program itself comes first, and the target is in it */
}

void probe_uprobe(int arg, struct probe_try *ret)
{
	struct perf_event_attr attr = { .disabled = 1,
					.uprobe_path = (uintptr_t) "/proc/self/exe" };
	_cleanup_(counter_release) struct counter c = { -1, -1 };
	struct place place = { .address = (uintptr_t)uprobe_target };
	_cleanup_(closep) int fd = -1;

	(void)arg;
	dl_iterate_phdr(find_offset, &place);
	if (!place.found) {
		ret->err = -ENOENT;
		ret->stage = "at finding a function of our own";
		return;
	}
	attr.probe_offset = place.offset;
	if (pmu_type("/sys/bus/event_source/devices/uprobe/type", &attr, ret) ||
	    counter_load(BPF_PROG_TYPE_KPROBE, NULL, ret, &c))
		return;
	fd = counter_attach(&c, &attr, 0, -1, ret);
	if (fd < 0)
		return;
	uprobe_target();
	if (!counter_read(&c)) {
		ret->err = -ETIME;
		ret->stage = "after attach: it did not fire";
	}
}
