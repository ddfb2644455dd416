/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu: the collector of CPU stacks: a sampling event on each CPU, stacks and counts kept by
 * bpf/cpu.bpf.c, drained into a capture. Its values: samples, and nanoseconds of CPU time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/collect/collector.h"
#include "user/collect/perf.h"
#include "user/collect/sideband.h"
#include "user/collect/target.h"
#include "user/collect/unwinder.h"

struct cpu_options {
	enum sample_event event;    /* chosen: not SAMPLE_AUTO */
	unsigned int rate_hz;	    /* on each CPU */
	const struct cpu_set *cpus; /* only these; NULL: all */
	bool keep_idle;
	unsigned int table_entries; /* of stacks, and four times as many counts; 0: fitting */
	struct unwinder *unwinder;  /* borrowed; NULL: user stacks by frame pointers */
	uint64_t slot_ns;	    /* of time, by which events are counted; 0: all together */
};

/*
 * Loads and attaches, with the events still disabled. Notices of throttling go to 'sb', whose
 * rings must be open. -errno with a sentence.
 */
int cpu_collector_new(const struct cpu_options *options, const struct target *target,
		      const struct sideband *sb, struct collector **ret);
