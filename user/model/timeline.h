/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timeline: when the samples of a profile were taken: slots of time since the recording's start, by
 * their label LABEL_TIME. A profile that was recorded without has none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/model/profile.h"

#define TIMELINE_NONE UINT32_MAX /* instead of a slot: the sample has no time */

/* Slots are made longer until there are no more of them: two hours of 10 ms. */
#define TIMELINE_MAX_SLOTS (1u << 20)

struct timeline {
	uint64_t slot_ns; /* as long as all times are whole numbers of; 0: no sample has a time */
	uint32_t n_slots; /* up to the last sample */
	uint32_t *slots;  /* of each sample */
};

/* 0, or -ENOMEM with a sentence. */
int timeline_new(const struct profile *p, struct timeline **ret);
void timeline_free(struct timeline *t);
DEFINE_FREEP(struct timeline, timeline_free)

/* Since the recording's start. */
struct time_range {
	uint64_t from_ns, to_ns; /* without this one */
};

/*
 * Leaves the samples whose slot begins in the range, with their times as they are; the duration is
 * that of the range then. 0, -EINVAL with a sentence if no sample has a time, or -ENOMEM.
 */
int timeline_cut(struct profile *p, const struct time_range *range);

/* Takes the times away: what was told apart by them is one sample again. 0, or -ENOMEM with a
 * sentence. */
int timeline_drop(struct profile *p);
