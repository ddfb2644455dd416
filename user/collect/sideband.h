/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sideband: the kernel's own records of what processes map, and of their forks, execs and exits:
 * one ring for each CPU. It also carries perf's notices that a sampling event was throttled.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/collect/perf.h"
#include "user/collect/processes.h"

struct sideband;

/* Told of each executable mapping as it is read, while its process probably still lives. */
typedef void (*sideband_mapping_fn)(void *ctx, const struct sym_mapping *m);

int sideband_new(struct processes *ps, sideband_mapping_fn on_mapping, void *ctx,
		 struct sideband **ret);
void sideband_free(struct sideband *sb);
DEFINE_FREEP(struct sideband, sideband_free)

/* Opens the CPU's ring, or opens it again after the CPU was offline; -ENODEV if it is now. */
int sideband_open_cpu(struct sideband *sb, unsigned int cpu);
void sideband_close_cpu(struct sideband *sb, unsigned int cpu);

/* Whether the CPU has been offline since this was asked last or the ring was opened, be it back or
 * not: an event that was open then does not run again. False if the ring is not open. */
bool sideband_has_stopped(struct sideband *sb, unsigned int cpu);

/* The CPU's ring as a descriptor, for PERF_EVENT_IOC_SET_OUTPUT; -1 if it is not open. */
int sideband_fd(const struct sideband *sb, unsigned int cpu);

/*
 * Reads all rings and hands what happened up to a moment ago to 'ps', in the order of time over
 * all CPUs, and then settles it. 0 or -ENOMEM.
 */
int sideband_read(struct sideband *sb);

/*
 * The same with all of it, however young: what other CPUs record in this moment may come behind
 * what is later. At the end of a recording that does not matter.
 */
int sideband_read_all(struct sideband *sb);

/* After the last reading: sampling events that stand still have done so until now. */
void sideband_end(struct sideband *sb);

/* Up to when everything has been handed over, CLOCK_MONOTONIC. */
uint64_t sideband_settled(const struct sideband *sb);

struct sideband_counts {
	uint64_t records;
	uint64_t lost;	       /* records that did not fit into a ring */
	uint64_t malformed;    /* records that were not what they should be */
	uint64_t throttled_ns; /* how long sampling events of busy CPUs stood still */
};
void sideband_counts(const struct sideband *sb, struct sideband_counts *ret);
