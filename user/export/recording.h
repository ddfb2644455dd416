/* SPDX-License-Identifier: BSD-2-Clause */
/* recording: what a run folder's summary.json says of one collector, for those who show its data.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/model/ledger.h"

struct recording_cause {
	char *name; /* clean text */
	uint64_t n;
};

/* Strings are clean text, NULL if not known; so are numbers of 0 where nothing else is said. */
struct recording {
	char *collector;
	char *kernel, *architecture, *cpu_model;
	uint64_t cpus_online;
	char *target;
	char *event;
	uint64_t rate_hz;
	uint64_t span_ns;
	uint64_t fired, kept, filtered, lost;
	struct recording_cause causes[LEDGER_MAX_CAUSES]; /* of loss, those that happened */
	size_t n_causes;
	uint64_t complete, truncated, unnamed; /* stacks, in samples */
	uint64_t addresses, over_budget; /* whose lines were looked for; and left out, for cost */
	json_t *latency;		 /* as latency_read() makes it, or null */
	json_t *memory;			 /* as memory_read() makes it, or null */
	json_t *stacks;			 /* of that: as memory_read_stacks() makes it, or NULL */
};

/*
 * Reads FOLDER/summary.json (schema fathom.summary/1), which is hostile. -ENOENT if there is none,
 * or none of that collector; -EINVAL if it is damaged; -ENOMSG if it is that of a scenario's run,
 * which has no more to say of one profile; with a sentence. 'stacks' is left NULL.
 */
int recording_read(const char *folder, const char *collector, struct recording **ret);
void recording_free(struct recording *r);
DEFINE_FREEP(struct recording, recording_free)

/* Lost events as a share (0..1) of those that were wanted; 0 if none were. */
double recording_loss_share(const struct recording *r);
