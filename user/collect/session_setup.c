/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/collect/alloc.h"
#include "user/collect/bpf_cost.h"
#include "user/collect/cpu.h"
#include "user/collect/file.h"
#include "user/collect/io.h"
#include "user/collect/kmem.h"
#include "user/collect/pagefault.h"
#include "user/collect/session_state.h"
#include "user/collect/stop_signals.h"
#include "user/collect/unwind_memory.h"

/* Rings, events and files that are kept open each take a descriptor. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int session_open_rings(struct session *s, const struct cpu_set *online)
{
	unsigned int cpu;
	int err;

	for (cpu = 0; cpu < PERF_MAX_CPUS; cpu++) {
		bool is_open = sideband_fd(s->sideband, cpu) >= 0;

		if (is_open && !cpu_set_has(online, cpu))
			sideband_close_cpu(s->sideband, cpu);
		if (is_open || !cpu_set_has(online, cpu))
			continue;
		err = sideband_open_cpu(s->sideband, cpu);
		if (err && err != -ENODEV)
			return err;
	}
	return 0;
}

/*
 * Stacks a second, at most as far as that can be told: sampling has its rate, what programs do has
 * none. Until a program's tables are there its stacks are passed up.
 */
#define OPERATIONS_PER_S 6000u

static unsigned int stacks_per_s(const struct session *s)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	unsigned int n = s->o->rate_hz * (cpus > 0 ? cpus : 1);

	return s->o->collectors & ~SESSION_CPU && n < OPERATIONS_PER_S ? OPERATIONS_PER_S : n;
}

/* A kernel that does not take it gives short stacks, better than none: the summary says so. */
static int load_unwinder(struct session *s)
{
	struct unwind_maps_options options = {
		.memory_bytes = unwind_memory_fitting(s->o->unwind_memory_bytes),
		.samples_per_s = stacks_per_s(s),
		.pidns_inum = target_config(s->target)->pidns_inum,
		.command = s->launch.pid,
	};

	int err = unwinder_new(&options, s->processes, s->symbolizer, &s->unwinder);

	return err == -ENOTSUP ? 0 : err;
}

static int load_cpu(struct session *s, struct collector **ret)
{
	struct cpu_options options = {
		.rate_hz = s->o->rate_hz,
		.cpus = s->o->cpus,
		.keep_idle = s->o->keep_idle,
		.table_entries = s->o->table_entries,
		.unwinder = s->unwinder,
		.slot_ns = s->o->slot_ns,
	};
	int err = sample_event_choose(s->o->event, &options.event);

	return err ? err : cpu_collector_new(&options, s->target, s->sideband, ret);
}

static int load_io(struct session *s, struct collector **ret)
{
	struct io_options options = {
		.table_entries = s->o->table_entries,
		.unwinder = s->unwinder,
		.slot_ns = s->o->slot_ns,
		.cgroups = s->cgroups,
		.slower_ns = s->o->slower_ns,
		.weight = s->o->io_weight,
	};

	return io_collector_new(&options, s->target, ret);
}

static int load_file(struct session *s, struct collector **ret)
{
	struct file_options options = {
		.paths = s->o->paths,
		.n_paths = s->o->n_paths,
		.slower_ns = s->o->slower_ns,
		.table_entries = s->o->table_entries,
		.unwinder = s->unwinder,
		.slot_ns = s->o->slot_ns,
		.cgroups = s->cgroups,
	};

	return file_collector_new(&options, s->target, ret);
}

static int load_alloc(struct session *s, struct collector **ret)
{
	struct alloc_options options = {
		.settings = &s->o->alloc,
		.table_entries = s->o->table_entries,
		.unwinder = s->unwinder,
		.shim_path = s->shim.environment ? s->shim.file.path : NULL,
		.pids = s->o->target.pids,
		.n_pids = s->o->target.n_pids,
		.command = s->o->whole_machine ? 0 : s->launch.pid,
		.command_path = s->o->command ? s->o->command[0] : NULL,
		.warn = s->o->warn,
		.warn_ctx = s->o->ctx,
		.known = &s->shim.known,
		.sideband = s->sideband,
	};

	return alloc_collector_new(&options, s->target, ret);
}

static int load_pagefault(struct session *s, struct collector **ret)
{
	struct pagefault_options options = {
		.interval_bytes = s->o->alloc.interval_bytes,
		.table_entries = s->o->table_entries,
		.unwinder = s->unwinder,
		.slot_ns = s->o->slot_ns,
	};

	return pagefault_collector_new(&options, s->target, ret);
}

static int load_kmem(struct session *s, struct collector **ret)
{
	struct kmem_options options = {
		.settings = &s->o->alloc,
		.table_entries = s->o->table_entries,
		.unwinder = s->unwinder,
	};

	return kmem_collector_new(&options, s->target, ret);
}

/* By their SESSION_* bits. */
static int (*const loaders[SESSION_COLLECTORS])(struct session *s, struct collector **ret) = {
	load_cpu, load_io, load_file, load_alloc, load_pagefault, load_kmem,
};

static int load_collectors(struct session *s)
{
	struct target_options target = s->o->target;
	size_t i;
	int err;

	if (!s->o->whole_machine)
		target.command = s->launch.pid;
	err = target_new(&target, s->cgroups, &s->target);
	if (!err && !s->o->frame_pointers)
		err = load_unwinder(s);
	for (i = 0; i < ARRAY_SIZE(loaders) && !err; i++) {
		if (!(s->o->collectors & 1u << i))
			continue;
		err = loaders[i](s, &s->parts[s->n_parts].c);
		s->n_parts += !err;
	}
	return err;
}

/* First, so that the command has none of our limits and of our signal mask. */
static int prepare_command(struct session *s)
{
	int err = 0;

	if (!s->o->command)
		return 0;
	/* Of others than the command the library would know nothing. */
	if (s->o->collectors & SESSION_ALLOC && !s->o->whole_machine)
		err = shim_launch_prepare(&s->o->alloc, s->o->command[0], &s->shim);
	if (!err && s->shim.why_not && s->o->warn)
		s->o->warn(s->o->ctx, s->shim.why_not);
	return err ? err : launch_prepare(s->o->command, s->shim.environment, &s->launch);
}

int session_set_up(struct session *s)
{
	struct symbolizer_options symbols = {
		.demangle = s->o->demangle,
		.no_lines = s->o->no_inline,
		.lines_cpu_ns = s->o->lines_cpu_ns,
	};
	struct cpu_set online;
	int err;

	bpf_quiet();
	err = prepare_command(s);
	raise_file_limit();
	if (!err)
		err = stop_signals_catch(&s->signals);
	if (!err)
		err = cgroups_new(&s->cgroups);
	if (!err)
		err = processes_new(&s->processes);
	if (!err)
		err = symbolizer_new(&symbols, &s->symbolizer);
	if (!err)
		err = sideband_new(s->processes, sampled_prepare_mapping, s->symbolizer,
				   &s->sideband);
	if (!err)
		err = cpu_set_online(&online);
	if (!err)
		err = session_open_rings(s, &online);
	if (!err)
		err = load_collectors(s);
	if (err)
		return err;
	s->sampled.processes = s->processes;
	s->sampled.symbolizer = s->symbolizer;
	s->sampled.cgroups = s->cgroups;
	s->sampled.java = s->o->java_perfmap ? &s->java : NULL;
	s->sampled.are_vdsos_looked_for = !s->unwinder;
	s->stats = bpf_cost_enable();
	return 0;
}
