/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory: what a collector of memory has found beside its stacks: how large the blocks were and how
 * long they lived, the peak of what was in use, and how sure the estimates are.
 *
 * The values of its profile are in the order of enum memory_value. Blocks are sampled by their
 * bytes, one every interval_bytes on average: all values but MEMORY_BLOCKS are estimates of what
 * all blocks made, or exact where interval_bytes is 1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/model/histogram.h"
#include "user/model/profile.h"

enum memory_value {
	MEMORY_BLOCKS, /* that were sampled: the events of the ledger */
	MEMORY_ALLOC_OBJECTS,
	MEMORY_ALLOC_SPACE,
	MEMORY_INUSE_OBJECTS, /* when the recording, or its process, ended */
	MEMORY_INUSE_SPACE,
	MEMORY_PEAK_OBJECTS, /* in use when all that is in use had its peak */
	MEMORY_PEAK_SPACE,
	MEMORY_TEMPORARY_OBJECTS, /* freed before their thread's next allocation */
	MEMORY_TEMPORARY_SPACE,
	MEMORY_LEAKED_OBJECTS, /* in use when their process ended, or for min_age_ns at the end */
	MEMORY_LEAKED_SPACE,
	MEMORY_VALUES,
};

/* How sure the values of one sample (a stack) are: estimated variances, in objects^2 and bytes^2.
 */
struct memory_sample {
	uint64_t blocks_made, blocks_in_use; /* sampled ones */
	double var_alloc_objects, var_alloc_space;
	double var_inuse_objects, var_inuse_space;
};

struct memory {
	const char *how;	 /* literal: "shim", "uprobes", "tracepoints" */
	uint64_t interval_bytes; /* mean distance of samples; 1: every block */
	bool has_frees;		 /* false: only the values of what was allocated mean something */
	bool has_temporary;	 /* false: it is not known which blocks were temporary */
	uint64_t peak_objects, peak_bytes;
	uint64_t peak_ns; /* since the start of the recording */
	uint64_t min_age_ns;
	double expected_slowdown;   /* of what is recorded, as measured before; 0: not measured */
	struct histogram sizes;	    /* "ns" are bytes */
	struct histogram lifetimes; /* of blocks that were freed */
	uint64_t blocks_full;	    /* blocks without room in the table: allocated, never in use */
	/* By number of the profile's samples; until it is made, of the capture's. */
	struct memory_sample *samples;
	size_t n_samples;
};

void memory_free(struct memory *m);
DEFINE_FREEP(struct memory, memory_free)

/*
 * Sample i becomes sample number_of[i] of n_samples; several may become one, and are added up.
 * Those beyond n_of, and those whose number is not below n_samples, are none's. 0 or -ENOMEM with a
 * sentence.
 */
int memory_renumber(struct memory *m, const uint32_t *number_of, size_t n_of, size_t n_samples);

void memory_sample_add(struct memory_sample *sum, const struct memory_sample *more);

/* The sum over all samples. */
struct memory_sample memory_total(const struct memory *m);

/* The value types of enum memory_value, as pprof's users know them: "samples", "alloc_objects",
 * "alloc_space", ... Before any other; 0 or -ENOMEM. */
int memory_add_value_types(struct profile *p);

/* The name of its value type: "alloc_space". */
const char *memory_value_name(enum memory_value value);

/* "alloc-space", ...: what people call them; -EINVAL with a sentence for another text. */
int memory_weight_parse(const char *text, enum memory_value *ret);
