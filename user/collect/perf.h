/* SPDX-License-Identifier: BSD-2-Clause */
/* perf: opening perf events, one for each CPU, and which CPUs there are. */
#pragma once

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>

#include "user/base/cleanup.h"

#define PERF_MAX_CPUS 8192

/* A set of CPUs. */
struct cpu_set {
	unsigned char has[PERF_MAX_CPUS / 8];
	unsigned int n;
};

void cpu_set_add(struct cpu_set *set, unsigned int cpu);
bool cpu_set_has(const struct cpu_set *set, unsigned int cpu);

/* Parses "0-3,7" as the kernel writes it. -EINVAL with a sentence. */
int cpu_set_parse(const char *text, const char *what, struct cpu_set *ret);
int cpu_set_online(struct cpu_set *ret);

enum sample_event { SAMPLE_AUTO, SAMPLE_CYCLES, SAMPLE_CPU_CLOCK };

/* "cycles", "cpu-clock". */
const char *sample_event_name(enum sample_event event);

/*
 * Whether this host has hardware cycles to sample by: opens such an event once. SAMPLE_AUTO becomes
 * SAMPLE_CYCLES or SAMPLE_CPU_CLOCK; asked for by name and not there: -ENODEV with a sentence.
 */
int sample_event_choose(enum sample_event wanted, enum sample_event *ret);

/*
 * Opens the sampling event of one CPU, disabled. Its clock is CLOCK_MONOTONIC. -ENODEV if the CPU
 * is offline; else -errno with a sentence that says what to do.
 */
int sample_event_open(enum sample_event event, unsigned int cpu, unsigned int rate_hz);

/* What perf's counter of an event says: its value, and how long it was enabled and running. */
struct perf_reading {
	uint64_t value, enabled_ns, running_ns;
};
int perf_read(int fd, struct perf_reading *ret);

/* perf_event_open(2) by its number; -errno. */
int perf_open(struct perf_event_attr *attr, int cpu);
