/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * environment: the machine as far as it bends measurements: what it is (its fingerprint) and what
 * it does meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/base/cleanup.h"

/* What stays. Strings are owned, NULL if not known; so are -1. */
struct environment {
	char *kernel, *architecture, *cpu_model, *governor, *virtualization, *hostname;
	unsigned int cpus_online, cpus_allowed;
	uint64_t memory_bytes;
	int turbo, smt; /* 1 on, 0 off, -1 not known */
	int aslr;	/* kernel.randomize_va_space; -1 not known */
	char *transparent_hugepages;
	double cgroup_cpus;	      /* limit of cpu.max in CPUs over all levels; 0: none */
	uint64_t cgroup_memory_bytes; /* 0: none */
	/* 16 hexadecimal digits of all of that but the host's name (memory in whole GiB, since it
	 * is never quite the same after a restart). */
	char fingerprint[17];
	char *name; /* for folders: "x86_64-6.1.0-25-amd64-8cpu-0123456789abcdef" */
};

/* 0 or -ENOMEM; what cannot be read is not known. */
int environment_read(struct environment *ret);

/* The same with another folder before /proc and /sys ("" is the machine's own) for all that
 * host_info_read() does not say. */
int environment_read_at(const char *root, struct environment *ret);

/* Sets the fingerprint and the name by the other fields. 0 or -ENOMEM. */
int environment_identify(struct environment *e);
void environment_release(struct environment *e);

/* What changes. Counters since boot, in ns; UINT64_MAX if not known. */
struct machine_state {
	uint64_t taken_ns;		     /* CLOCK_MONOTONIC */
	uint64_t busy_ns, steal_ns, idle_ns; /* of all CPUs (/proc/stat) */
	uint64_t own_ns; /* of this process and its waited-for children, included in busy_ns */
	uint64_t psi_cpu_ns, psi_io_ns, psi_memory_ns; /* "some" totals of /proc/pressure */
	/* Of our cgroup (v2) and those above it, summed over their CPUs. */
	uint64_t throttled_ns;
	uint64_t thermal_throttles; /* count, of all CPUs */
	double load1;
};
void machine_state_read(struct machine_state *ret);
void machine_state_read_at(const char *root, struct machine_state *ret);

/* Shares (0..1) of the time between two states; NAN if not known. /proc/stat counts in ticks of
 * 10 ms: over less than some of them shares of CPUs are coarse. */
struct machine_noise {
	double other_cpu; /* of all CPUs' time, by processes that are not ours */
	double steal, psi_cpu, psi_io, psi_memory, throttled;
	uint64_t thermal_throttles;
	double load1_before, load1_after;
};
void machine_noise_between(const struct machine_state *before, const struct machine_state *after,
			   struct machine_noise *ret);

/*
 * Canary: a fixed amount of arithmetic and memory reads, always the same instructions. The least
 * wall time of 'rounds' rounds of about a millisecond, ns.
 */
uint64_t canary_ns(unsigned int rounds);
