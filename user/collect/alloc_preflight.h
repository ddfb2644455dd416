/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc_preflight: what probes on an allocator will cost a process, before they are there. What a
 * probe costs is measured on this machine, in a child that calls functions with and without one;
 * how often the process calls its allocator is counted for a moment by programs that only count.
 *
 * The expected slowdown is the CPU time that the process will need for what it does now, as a
 * multiple of what it needs without probes: 1 + calls * cost / CPU time. It is what the probes cost
 * whatever becomes of a call; what is done for each sampled block (its stack, its site) comes on
 * top, by 'kept_ns' for each where all of them are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "user/collect/allocators.h"
#include "user/collect/uprobes.h"

/* How long calls are counted. */
#define ALLOC_PREFLIGHT_MS 200

/* Calls that cost alike. */
enum alloc_class { ALLOC_FAST_MADE, ALLOC_FAST_FREED, ALLOC_SLOW_MADE, ALLOC_SLOW_FREED };
#define ALLOC_CLASSES 4

/* What a probe adds to a call, ns. */
struct alloc_costs {
	double entry_ns; /* on an instruction that the kernel executes itself */
	double both_ns;	 /* the same, and on the return */
	double slow_ns;	 /* on one that is single-stepped */
	/*
	 * The kernel ends a process that a seccomp filter confines when it returns into a probe:
	 * by a system call of the kernel's own, which the filter sees, on x86-64 from 6.11 on
	 * unless it was mended (6.14, and some before).
	 */
	bool seccomp_kills;
};

/* Some 100 ms. 0 or -errno with a sentence; programs must be allowed. */
int alloc_costs_measure(enum uprobes_way way, struct alloc_costs *ret);

/* What a process did in a while. */
struct alloc_load {
	uint64_t calls[ALLOC_CLASSES];
	uint64_t cpu_ns; /* of the process (or of all), with what counting took */
	uint64_t wall_ns;
};

/*
 * Counts calls of those probes in the process, or (pid 0) in all, for ALLOC_PREFLIGHT_MS. With
 * 'frees', those that free too. -ESRCH if it has ended, or another -errno with a sentence.
 */
int alloc_load_count(enum uprobes_way way, pid_t pid, const struct allocator_set *set, bool frees,
		     struct alloc_load *ret);

/*
 * A factor, at least 1; 1 for a process that does nothing. 'in_use': calls that give out memory are
 * probed at their return, too, as in 'sampled' of 1 of them. 'kept_ns' is what is done for each of
 * these.
 */
double alloc_slowdown(const struct alloc_load *load, const struct alloc_costs *costs, bool in_use,
		      double sampled, double kept_ns);

/* Whether a seccomp filter confines the process (/proc/PID/status); false if that is not known. */
bool alloc_is_confined(pid_t pid);
