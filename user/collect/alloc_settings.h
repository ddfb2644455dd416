/* SPDX-License-Identifier: BSD-2-Clause */
/* alloc_settings: what can be asked of the collectors of memory (alloc, kmem). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/model/memory.h"

struct alloc_settings {
	uint64_t interval_bytes;  /* mean distance of sampled bytes; 1: every block */
	uint64_t min_age_ns;	  /* what is in use for less at the end is not called leaked */
	enum memory_value weight; /* the default value */
	double max_slowdown;	  /* refuse what is expected to cost more, a factor; 0: no limit */
	bool has_seed;		  /* else each process draws its own */
	uint64_t seed;		  /* the same blocks are sampled, as far as threads do the same */
	bool follow_maps;	  /* anonymous mappings are blocks, too */
	bool no_follow;		  /* the command alone, not the programs that it starts */
	bool allow_slow;	  /* attach although each call will be single-stepped */
	bool allocated_only;	  /* no frees and no return probes: what was allocated, cheaper */
	bool leaks;		  /* leaks were asked for */
};
