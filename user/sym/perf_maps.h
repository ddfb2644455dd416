/* SPDX-License-Identifier: BSD-2-Clause */
/* perf_maps: the perf maps of all processes, read now and then, within bounds for all of them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/base/keyset.h"
#include "user/sym/perf_map.h"

/* Before a map is read again: in the course of things, and when an address is not in it. */
#define PERF_MAP_PAUSE_NS      1000000000ull
#define PERF_MAP_MISS_PAUSE_NS 100000000ull

/* Of one image of a process: see struct sym_mapping. */
struct perf_maps_entry {
	struct perf_map *map;
	uint64_t image;
	uint32_t older;	   /* entry of an image of the PID before this one, or PERF_MAPS_NONE */
	uint64_t there_ns; /* when it was there first, CLOCK_MONOTONIC; 0: never */
	uint64_t read_ns;  /* when it was tried last, CLOCK_MONOTONIC */
	bool failed;
};

#define PERF_MAPS_NONE UINT32_MAX

struct perf_maps {
	struct keyset pids;
	uint32_t *newest; /* by number in 'pids' */
	size_t newest_cap;
	struct perf_maps_entry *entries;
	size_t n, cap;
};

void perf_maps_init(struct perf_maps *maps);
void perf_maps_release(struct perf_maps *maps);

/*
 * Reads what is new in the map of 'pid', which is that image now (0 or an older one: the newest
 * that was named here), unless it was tried less than 'pause_ns' ago.
 */
void perf_maps_read(struct perf_maps *maps, uint32_t pid, uint64_t image, uint64_t pause_ns);

/*
 * False if the image's map has no such address; it is read once more before that is said, if no
 * newer image of the process is known. *ret_map is the map's number: with the function's it is
 * unique.
 */
bool perf_maps_find(struct perf_maps *maps, uint32_t pid, uint64_t image, uint64_t address,
		    uint32_t *ret_map, struct perf_map_function *ret);

/* Maps that are there and could not, or not wholly, be read. */
uint64_t perf_maps_failed(const struct perf_maps *maps);
