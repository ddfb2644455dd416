/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu: the collector of CPU stacks: a sampling event on each CPU, stacks and counts kept by
 * bpf/cpu.bpf.c, drained into a capture.
 */
#pragma once

#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/collect/capture.h"
#include "user/collect/perf.h"
#include "user/collect/sideband.h"
#include "user/collect/target.h"
#include "user/collect/unwinder.h"
#include "user/model/summary.h"

struct cpu_options {
	enum sample_event event;    /* chosen: not SAMPLE_AUTO */
	unsigned int rate_hz;	    /* on each CPU */
	const struct cpu_set *cpus; /* only these; NULL: all */
	bool keep_idle;
	unsigned int table_entries; /* of stacks, and four times as many counts; 0: fitting */
	struct unwinder *unwinder;  /* borrowed; NULL: user stacks by frame pointers */
};

struct cpu_collector;

/*
 * Loads and attaches, with the events still disabled. Notices of throttling go to 'sb', whose
 * rings must be open. -errno with a sentence.
 */
int cpu_collector_new(const struct cpu_options *options, const struct target *target,
		      const struct sideband *sb, struct cpu_collector **ret);
void cpu_collector_free(struct cpu_collector *c);
DEFINE_FREEP(struct cpu_collector, cpu_collector_free)

/* Events fire between these two. */
int cpu_collector_start(struct cpu_collector *c);
int cpu_collector_stop(struct cpu_collector *c);

/* Opens events on CPUs that have come online, and closes those of CPUs that are gone. */
int cpu_collector_follow_hotplug(struct cpu_collector *c, const struct cpu_set *online);

/* How long the tables last at most, in ms: drain that often. */
unsigned int cpu_collector_patience_ms(const struct cpu_collector *c);

/* Moves what has been counted so far into 'capture', losing nothing that is counted meanwhile. */
int cpu_collector_drain(struct cpu_collector *c, struct capture *capture);

/*
 * Moves the samples of the last drain that have been unwound late since into 'capture'. To be
 * called before the next drain but one, or they are lost, and counted.
 */
int cpu_collector_deliver(struct cpu_collector *c, struct capture *capture);

/*
 * After the last drain: closes the ledger against what is in 'capture', and fills in event, rate,
 * ledger, ticks missed, kernel cost (run-time statistics as they are) and map bytes.
 */
int cpu_collector_summarize(struct cpu_collector *c, const struct capture *capture,
			    const struct sideband *sb, struct collector_summary *ret);

/* Samples kept and lost so far, for progress. */
void cpu_collector_progress(const struct cpu_collector *c, uint64_t *ret_kept, uint64_t *ret_lost);
