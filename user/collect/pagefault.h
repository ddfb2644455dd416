/* SPDX-License-Identifier: BSD-2-Clause */
/* pagefault: the collector of memory that programs touch: page faults, and how resident memory
 * grows. */
#pragma once

#include <stdint.h>

#include "user/collect/collector.h"
#include "user/collect/target.h"
#include "user/collect/unwinder.h"

struct pagefault_options {
	/* Mean distance of sampled bytes that become resident, and in pages that of faults; 1:
	 * all. */
	uint64_t interval_bytes;
	unsigned int table_entries; /* stacks; 0: the default */
	struct unwinder *unwinder;  /* borrowed; NULL: user stacks by frame pointers */
	uint64_t slot_ns;	    /* of time, by which events are counted; 0: all together */
};

/* Loads and attaches it, with nothing counted yet. 0 or -errno with a sentence. */
int pagefault_collector_new(const struct pagefault_options *options, const struct target *target,
			    struct collector **ret);
