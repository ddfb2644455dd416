/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_rows: what is tried, and what it means if it fails. */
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "user/base/array.h"
#include "user/collect/perf.h"
#include "user/collect/probe_bpf.h"

#define PROGRAMS "programs"
#define HELPERS	 "helpers"
#define MAPS	 "maps"
#define EVENTS	 "events"

#define NEW_KERNEL(version) "use a kernel from " version " on"
#define BUILT_WITH(symbols) "use a kernel built with " symbols

#define REQUIRED_HELPER(name)                                                          \
	{                                                                              \
		"helper." #name, HELPERS, "bpf_" #name, PROBE_REQUIRED, PROBE_MISSING, \
			probe_helper, BPF_FUNC_##name, "may be called",                \
			"Samples cannot be taken without it.", NEW_KERNEL("5.10")      \
	}
#define HELPER(name, need, otherwise, meaning, version)                                \
	{                                                                              \
		"helper." #name, HELPERS, "bpf_" #name, need, otherwise, probe_helper, \
			BPF_FUNC_##name, "may be called", meaning, NEW_KERNEL(version) \
	}

const struct probe_row probe_rows[] = {
	{ "program.perf_event", PROGRAMS, "perf_event", PROBE_REQUIRED, PROBE_MISSING,
	  probe_perf_event, 0, "loaded, attached to cpu-clock, and it ran",
	  "Samples are taken by such a program: nothing can be recorded.",
	  BUILT_WITH("CONFIG_BPF_SYSCALL, CONFIG_BPF_EVENTS and CONFIG_PERF_EVENTS") },
	{ "program.cpu", PROGRAMS, "cpu collector", PROBE_REQUIRED, PROBE_MISSING, probe_collector,
	  0, "its own programs load", "The kernel refuses our programs: nothing can be recorded.",
	  "use a kernel from 5.10 on with BTF; on such a kernel, please report this" },
	{ "program.follow", PROGRAMS, "process tracking", PROBE_WANTED, PROBE_MISSING,
	  probe_collector, 1, "its own programs load",
	  "Children of -p processes are not followed, and no command can be started.",
	  "use a kernel from 5.10 on with BTF" },
	{ "program.unwind", PROGRAMS, "unwinding", PROBE_WANTED, PROBE_DEGRADED, probe_collector, 2,
	  "its own programs load and attach",
	  "User stacks are walked by frame pointers, which most programs do not have.",
	  "use a kernel from 5.10 on with BTF" },
	{ "program.io", PROGRAMS, "io collector", PROBE_WANTED, PROBE_MISSING, probe_io,
	  PROBE_IO_REQUESTS, "its own programs load and attach", "--collect=io is impossible.",
	  "use a kernel from 5.10 on with BTF, built with CONFIG_BLOCK" },
	{ "program.io_lineage", PROGRAMS, "io: devices above", PROBE_WANTED, PROBE_DEGRADED,
	  probe_io, PROBE_IO_LINEAGE, "there is a tracepoint where they hand requests on",
	  "--collect=io does not tell which device mapper or md device a request came through.",
	  BUILT_WITH("CONFIG_BLOCK") },
	{ "program.io_writeback", PROGRAMS, "io: writeback", PROBE_WANTED, PROBE_DEGRADED, probe_io,
	  PROBE_IO_WRITEBACK, "there is a tracepoint where pages become dirty",
	  "--collect=io shows what is written back later as the work of the kernel's threads.",
	  "use a kernel from 5.10 on with BTF" },
	{ "program.file", PROGRAMS, "file collector", PROBE_WANTED, PROBE_MISSING, probe_file,
	  PROBE_FILE_CALLS, "its own programs load", "--collect=file is impossible.",
	  "use a kernel from 5.10 on with BTF" },
	{ "program.file_faults", PROGRAMS, "files: page faults", PROBE_WANTED, PROBE_DEGRADED,
	  probe_file, PROBE_FILE_FAULTS, "there is a tracepoint, and mappings can be looked up",
	  "--collect=file does not see page faults, or not in which file they were.",
	  "use a kernel from 5.17 on, on x86-64" },
	{ "program.file_uring", PROGRAMS, "files: io_uring", PROBE_WANTED, PROBE_DEGRADED,
	  probe_file, PROBE_FILE_URING, "its requests can be told apart",
	  "--collect=file does not see what is done by io_uring.",
	  "use a kernel from 6.0 on, built with CONFIG_IO_URING" },
	{ "program.alloc", PROGRAMS, "alloc collector", PROBE_WANTED, PROBE_MISSING, probe_memory,
	  PROBE_ALLOC, "its own programs load, and attach to its library",
	  "--collect=alloc is impossible.",
	  "use a kernel from 5.10 on with BTF and CONFIG_UPROBES" },
	{ "program.alloc_links", PROGRAMS, "alloc: many probes", PROBE_WANTED, PROBE_DEGRADED,
	  probe_memory, PROBE_ALLOC_LINKS, "one link attaches them all",
	  "--collect=alloc takes longer to begin and to end, and its probes cost more.",
	  "use a kernel from 6.6 on" },
	{ "program.kmem", PROGRAMS, "kmem collector", PROBE_WANTED, PROBE_MISSING, probe_memory,
	  PROBE_KMEM, "its own programs load", "--collect=kmem is impossible.",
	  "use a kernel from 5.10 on with BTF" },
	{ "program.kmem_caches", PROGRAMS, "kmem: caches", PROBE_WANTED, PROBE_DEGRADED,
	  probe_memory, PROBE_KMEM_CACHES, "tracepoints tell which cache an object is of",
	  "--collect=kmem tells objects of caches apart by their size alone.",
	  "use a kernel from 5.19 on" },
	{ "program.pagefault", PROGRAMS, "pagefault collector", PROBE_WANTED, PROBE_MISSING,
	  probe_memory, PROBE_PAGEFAULT, "its own programs load",
	  "--collect=pagefault is impossible.", "use a kernel from 5.10 on with BTF" },
	{ "program.pagefault_all", PROGRAMS, "pagefault: memory", PROBE_WANTED, PROBE_DEGRADED,
	  probe_memory, PROBE_PAGEFAULT_ALL,
	  "resident memory is followed, and mappings can be looked up",
	  "--collect=pagefault does not tell what becomes resident, or not what a fault was of.",
	  "use a kernel from 5.17 on" },
	{ "program.tp_btf", PROGRAMS, "tp_btf", PROBE_WANTED, PROBE_MISSING, probe_tp_btf, 0,
	  "loaded and attached to sched_process_fork",
	  "Children of -p processes are not followed, and no command can be started.",
	  BUILT_WITH("CONFIG_DEBUG_INFO_BTF and CONFIG_BPF_EVENTS") },

	REQUIRED_HELPER(get_stack),
	REQUIRED_HELPER(probe_read_user),
	REQUIRED_HELPER(probe_read_kernel),
	REQUIRED_HELPER(probe_read_kernel_str),
	REQUIRED_HELPER(get_current_task),
	REQUIRED_HELPER(get_current_pid_tgid),
	REQUIRED_HELPER(get_current_comm),
	REQUIRED_HELPER(get_current_cgroup_id),
	REQUIRED_HELPER(ktime_get_ns),
	HELPER(current_task_under_cgroup, PROBE_WANTED, PROBE_MISSING, "--cgroup is impossible.",
	       "4.9 built with CONFIG_CGROUPS"),
	HELPER(get_current_task_btf, PROBE_WANTED, PROBE_DEGRADED,
	       "User registers are taken from the top of the kernel stack instead, which loses "
	       "nothing.",
	       "5.11"),
	HELPER(task_pt_regs, PROBE_WANTED, PROBE_DEGRADED,
	       "User registers are taken from the top of the kernel stack instead, which loses "
	       "nothing.",
	       "5.15"),

	{ "map.hash", MAPS, "hash, preallocated", PROBE_REQUIRED, PROBE_MISSING, probe_map,
	  BPF_MAP_TYPE_HASH, "created", "Stacks are counted in it: nothing can be recorded.",
	  BUILT_WITH("CONFIG_BPF_SYSCALL") },
	{ "map.percpu_array", MAPS, "per-CPU array", PROBE_REQUIRED, PROBE_MISSING, probe_map,
	  BPF_MAP_TYPE_PERCPU_ARRAY, "created", "Nothing can be recorded without it.",
	  BUILT_WITH("CONFIG_BPF_SYSCALL") },
	{ "map.cgroup_array", MAPS, "cgroup array", PROBE_REQUIRED, PROBE_MISSING, probe_map,
	  BPF_MAP_TYPE_CGROUP_ARRAY, "created",
	  "The cpu collector's programs name one: nothing can be recorded.",
	  BUILT_WITH("CONFIG_CGROUPS") },
	{ "map.ringbuf", MAPS, "ring buffer", PROBE_REQUIRED, PROBE_MISSING, probe_map,
	  BPF_MAP_TYPE_RINGBUF, "created",
	  "The cpu collector's programs name one: nothing can be recorded.", NEW_KERNEL("5.8") },
	{ "map.batch", MAPS, "batch operations", PROBE_REQUIRED, PROBE_MISSING, probe_batch, 0,
	  "read and deleted two keys at once",
	  "Stacks are fetched by them: nothing can be recorded.", NEW_KERNEL("5.6") },
	{ "bpf.run_time", MAPS, "run-time statistics", PROBE_WANTED, PROBE_DEGRADED, probe_run_time,
	  0, "may be switched on while recording", "What the programs cost per event is not known.",
	  "run as root or with CAP_SYS_ADMIN, or set kernel.bpf_stats_enabled=1" },

	{ "event.cpu_clock", EVENTS, "cpu-clock", PROBE_REQUIRED, PROBE_MISSING, probe_event,
	  SAMPLE_CPU_CLOCK, "opened", "There is nothing to sample by.",
	  BUILT_WITH("CONFIG_PERF_EVENTS") },
	{ "event.cycles", EVENTS, "hardware cycles", PROBE_WANTED, PROBE_DEGRADED, probe_event,
	  SAMPLE_CYCLES, "opened",
	  "cpu-clock is used: a timer, which sees code with interrupts off only when they are on "
	  "again.",
	  "on a virtual machine, let the host pass its PMU on (QEMU: -cpu host,pmu=on)" },
};
const unsigned int probe_n_rows = ARRAY_SIZE(probe_rows);
_Static_assert(ARRAY_SIZE(probe_rows) <= PROBE_MAX_ROWS, "room in struct probe_facts");

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

void probe_facts_try(struct probe_facts *facts)
{
	libbpf_print_fn_t before = libbpf_set_print(silent);
	unsigned int i;

	for (i = 0; i < probe_n_rows; i++) {
		facts->tries[i] = (struct probe_try){ .stage = "" };
		probe_rows[i].run(probe_rows[i].arg, &facts->tries[i]);
	}
	libbpf_set_print(before);
}
