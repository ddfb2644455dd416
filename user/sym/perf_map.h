/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf_map: the functions that a JIT compiler says it made, in /tmp/perf-PID.map: lines
 * "START SIZE name" in hexadecimal (Linux, tools/perf/Documentation/jit-interface.txt). Memory is
 * used again, so a later line wins over an earlier one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/base/cleanup.h"

struct perf_map;

/* Nothing is read yet. 0 or -ENOMEM. */
int perf_map_new(uint32_t pid, struct perf_map **ret);
void perf_map_free(struct perf_map *map);
DEFINE_FREEP(struct perf_map, perf_map_free)

/*
 * Reads what has been added to the file of the map's process, or all of it if it is another file
 * now or was written anew; what was read stays if the file or the process is gone. Returns 1 if
 * there is something new, 0 if not, -ENOENT if there is no file, or -errno with a sentence: -EPERM:
 * neither the process's user's nor root's; -EINVAL: not a regular file; -EFBIG: more than 256 MiB
 * or 2 M lines, what is within that being there.
 */
int perf_map_refresh(struct perf_map *map);

/* The same for a file that has been opened and judged by the caller, who keeps it. */
int perf_map_read(struct perf_map *map, int fd);

struct perf_map_function {
	uint32_t id;
	const char *name; /* up to 4096 bytes of it; lives with the map */
	uint64_t offset;
};

/* False if no line covers the address. */
bool perf_map_find(struct perf_map *map, uint64_t address, struct perf_map_function *ret);

/* Memory that it takes, roughly, bytes. */
uint64_t perf_map_bytes(const struct perf_map *map);
