/* SPDX-License-Identifier: BSD-2-Clause */
/* cpu_events: a sampling event on each CPU, and the program that each of them runs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/collect/perf.h"
#include "user/collect/sideband.h"

struct bpf_link;
struct bpf_program;

struct cpu_events {
	enum sample_event event; /* chosen: not SAMPLE_AUTO */
	unsigned int rate_hz;
	const struct cpu_set *wanted; /* borrowed; NULL: all */
	const struct sideband *sb;    /* borrowed: takes perf's notices of throttling */
	struct bpf_program *program;  /* borrowed, loaded */
	struct cpu_event {
		int fd; /* owned by the link; -1: not open */
		struct bpf_link *link;
	} * events; /* by CPU */
	size_t n, cap;
	unsigned int n_open;
	bool are_on;
	uint64_t ticks_of_closed;
	struct cpu_set sampled; /* CPUs that had an event at some time */
};

/* The caller fills in the first five and leaves the rest zero. */
void cpu_events_release(struct cpu_events *e);

/* Opens events on CPUs that have come online, and closes those of CPUs that are gone. 0 or -errno
 * with a sentence. */
int cpu_events_follow(struct cpu_events *e, const struct cpu_set *online);

/* Whether they fire; they do not at first. 0 or -errno with a sentence. */
int cpu_events_switch(struct cpu_events *e, bool on);

/*
 * Waits until the programs that run now have ended. The kernel reads an active event on its own
 * CPU, in an interrupt (perf_event_read() in kernel/events/core.c): whatever the event's program
 * interrupted before is over when that answers.
 */
void cpu_events_wait(const struct cpu_events *e);

/* What they should have fired so far, by the time that they were on; 0 if that cannot be told. */
uint64_t cpu_events_due(const struct cpu_events *e);
