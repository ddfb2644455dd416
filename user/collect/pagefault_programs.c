/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/pagefault_programs.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/pagefault_wire.h"

#include "pagefault.skel.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/collect/bpf_cost.h"
#include "user/collect/tracepoint_shape.h"

/* --- what the kernel has ------------------------------------------------------------------- */

int pagefault_kernel_look(struct pagefault_kernel *ret)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int n;

	*ret = (struct pagefault_kernel){ 0 };
	if (!btf)
		return errf(-ENOTSUP, "cannot read this kernel's BTF: %m");
	n = tracepoint_arguments(btf, "rss_stat");
	if (n < 2)
		ret->no_growth = "this kernel has no tracepoint where resident memory changes";
	ret->tells_pages = n > 2;
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_PERF_EVENT, BPF_FUNC_find_vma, NULL) != 1)
		ret->no_memory_kind = "this kernel cannot look up a mapping (5.17 and later can)";
	btf__free(btf);
	return 0;
}

int pagefault_programs_choose(struct pagefault_programs *p, struct pagefault_bpf *skel)
{
	const struct pagefault_kernel *has = &p->has;
	const struct {
		struct bpf_program *program;
		bool is_wanted;
	} programs[] = {
		{ skel->progs.on_minor, !has->no_memory_kind },
		{ skel->progs.on_major, !has->no_memory_kind },
		{ skel->progs.on_minor_of_unknown, has->no_memory_kind },
		{ skel->progs.on_major_of_unknown, has->no_memory_kind },
		{ skel->progs.on_rss, !has->no_growth && !has->tells_pages },
		{ skel->progs.on_rss_count, !has->no_growth && has->tells_pages },
	};
	size_t i;

	p->skel = skel;
	for (i = 0; i < ARRAY_SIZE(programs); i++) {
		if (bpf_program__set_autoload(programs[i].program, programs[i].is_wanted))
			return errf(-EINVAL, "cannot choose the programs of page faults");
	}
	return 0;
}

/* --- events -------------------------------------------------------------------------------- */

static struct bpf_program *program_of(const struct pagefault_programs *p, unsigned int event)
{
	if (p->has.no_memory_kind)
		return event ? p->skel->progs.on_major_of_unknown
			     : p->skel->progs.on_minor_of_unknown;
	return event ? p->skel->progs.on_major : p->skel->progs.on_minor;
}

static uint64_t counted(int fd)
{
	struct perf_reading r;

	return fd < 0 || perf_read(fd, &r) ? 0 : r.value;
}

static int open_event(struct pagefault_programs *p, unsigned int cpu, unsigned int event)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = event ? PERF_COUNT_SW_PAGE_FAULTS_MAJ : PERF_COUNT_SW_PAGE_FAULTS_MIN,
		.sample_period = p->period,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
	};
	struct pagefault_cpu *c = &p->cpus[cpu];
	int fd = perf_open(&attr, cpu), err;

	if (fd == -ENODEV)
		return 0; /* it went offline just now */
	if (fd < 0)
		return errf(fd, "cannot open the event of page faults of CPU %u: %s", cpu,
			    strerror(-fd));
	c->links[event] = bpf_program__attach_perf_event(program_of(p, event), fd);
	if (!c->links[event]) {
		err = -errno;
		close(fd);
		return bpf_fail(err, "the pagefault collector's event");
	}
	c->fds[event] = fd;
	c->before[event] = counted(fd);
	return 0;
}

static void close_cpu(struct pagefault_programs *p, struct pagefault_cpu *c)
{
	unsigned int event;

	for (event = 0; event < PAGEFAULT_EVENTS; event++) {
		if (c->fds[event] >= 0)
			p->of_closed[event] += counted(c->fds[event]) - c->before[event];
		bpf_link__destroy(c->links[event]); /* closes the descriptor as well */
		c->links[event] = NULL;
		c->fds[event] = -1;
	}
}

static int reserve_cpu(struct pagefault_programs *p, unsigned int cpu)
{
	if (array_reserve(p->cpus, p->cpus_cap, cpu + 1ul))
		return errf(-ENOMEM, "no memory for the events of CPU %u", cpu);
	while (p->n_cpus <= cpu)
		p->cpus[p->n_cpus++] = (struct pagefault_cpu){ .fds = { -1, -1 } };
	return 0;
}

int pagefault_programs_follow(struct pagefault_programs *p, const struct cpu_set *online)
{
	unsigned int cpu, event;
	int err = 0;

	for (cpu = 0; cpu < PERF_MAX_CPUS && !err; cpu++) {
		bool is_online = cpu_set_has(online, cpu);

		if (is_online)
			err = reserve_cpu(p, cpu);
		if (err || cpu >= p->n_cpus)
			continue;
		if (!is_online)
			close_cpu(p, &p->cpus[cpu]);
		for (event = 0; event < PAGEFAULT_EVENTS && is_online && !err; event++) {
			if (p->cpus[cpu].fds[event] < 0)
				err = open_event(p, cpu, event);
		}
	}
	return err;
}

void pagefault_programs_start(struct pagefault_programs *p)
{
	unsigned int event;
	size_t i;

	for (event = 0; event < PAGEFAULT_EVENTS; event++) {
		p->of_closed[event] = 0;
		for (i = 0; i < p->n_cpus; i++)
			p->cpus[i].before[event] = counted(p->cpus[i].fds[event]);
	}
}

void pagefault_programs_counted(const struct pagefault_programs *p, uint64_t ret[PAGEFAULT_EVENTS])
{
	unsigned int event;
	size_t i;

	for (event = 0; event < PAGEFAULT_EVENTS; event++) {
		ret[event] = p->of_closed[event];
		for (i = 0; i < p->n_cpus; i++) {
			if (p->cpus[i].fds[event] >= 0)
				ret[event] +=
					counted(p->cpus[i].fds[event]) - p->cpus[i].before[event];
		}
	}
}

void pagefault_programs_release(struct pagefault_programs *p)
{
	size_t i;

	for (i = 0; i < p->n_cpus; i++)
		close_cpu(p, &p->cpus[i]);
	free(p->cpus);
}
