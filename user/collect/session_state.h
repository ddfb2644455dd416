/* SPDX-License-Identifier: BSD-2-Clause */
/* session_state: a session's parts, for the files that make it up: set up, record, summarize. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/collect/cgroup.h"
#include "user/collect/collector.h"
#include "user/collect/java.h"
#include "user/collect/launch.h"
#include "user/collect/processes.h"
#include "user/collect/sampled.h"
#include "user/collect/session.h"
#include "user/collect/shim_launch.h"
#include "user/collect/sideband.h"
#include "user/collect/target.h"
#include "user/collect/unwinder.h"
#include "user/sym/sym.h"

struct session {
	const struct session_options *o;
	struct cgroups *cgroups;
	struct processes *processes;
	struct symbolizer *symbolizer;
	struct sideband *sideband;
	struct unwinder *unwinder; /* NULL: user stacks by frame pointers */
	struct target *target;
	struct part {
		struct collector *c;
		uint32_t looked_at; /* samples of its capture whose processes have been looked at */
		uint64_t drain_at;  /* CLOCK_MONOTONIC */
	} parts[SUMMARY_MAX_COLLECTORS];
	unsigned int n_parts;
	struct launch launch;
	struct shim_launch shim;
	struct java_maps java;
	struct sampled sampled;
	int stats; /* run-time statistics are on while this is open; -1: not allowed */
	int signals;
	uint64_t started_ns;
	int exit_status;
	uint64_t cpus_failed;
};

/* Loads and attaches everything; nothing is counted yet. 0 or -errno with a sentence. */
int session_set_up(struct session *s);

/* Opens the side band's rings of these CPUs and closes those of all others. */
int session_open_rings(struct session *s, const struct cpu_set *online);

/* After the last drain: all that is told of the recording. */
int session_summarize(struct session *s, struct recorded *ret);
