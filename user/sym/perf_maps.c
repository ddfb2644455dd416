/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/perf_maps.h"

#include <errno.h>
#include <time.h>

#include "user/base/array.h"

/* What hostile processes can make us hold, all together. */
#define MAX_BYTES (768ull << 20)

void perf_maps_init(struct perf_maps *maps)
{
	*maps = (struct perf_maps){ 0 };
	keyset_init(&maps->pids, sizeof(uint32_t));
}

void perf_maps_release(struct perf_maps *maps)
{
	size_t i;

	for (i = 0; i < maps->pids.n; i++)
		perf_map_free(maps->entries[i].map);
	free(maps->entries);
	keyset_release(&maps->pids);
	*maps = (struct perf_maps){ 0 };
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* The process's entry, made if need be; NULL without memory and for no process. */
static struct perf_maps_entry *entry_of(struct perf_maps *maps, uint32_t pid)
{
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	uint32_t i;

	if (!pid)
		return NULL;
	i = keyset_find(&maps->pids, &pid);
	if (i != KEYSET_NONE)
		return &maps->entries[i];
	if (array_reserve(maps->entries, maps->cap, maps->pids.n + 1) || perf_map_new(pid, &map) ||
	    keyset_add(&maps->pids, &pid, &i) < 0)
		return NULL;
	maps->entries[i] = (struct perf_maps_entry){ .map = take(map) };
	return &maps->entries[i];
}

static bool are_full(const struct perf_maps *maps)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < maps->pids.n; i++)
		bytes += perf_map_bytes(maps->entries[i].map);
	return bytes > MAX_BYTES;
}

static bool read_entry(struct perf_maps *maps, struct perf_maps_entry *e, uint64_t pause_ns)
{
	uint64_t now = now_ns();
	int err;

	if (e->read_ns && now - e->read_ns < pause_ns)
		return false;
	e->read_ns = now;
	err = are_full(maps) ? -EFBIG : perf_map_refresh(e->map);
	if (err < 0 && err != -ENOENT)
		e->failed = true;
	return err > 0;
}

void perf_maps_read(struct perf_maps *maps, uint32_t pid, uint64_t pause_ns)
{
	struct perf_maps_entry *e = entry_of(maps, pid);

	if (e)
		read_entry(maps, e, pause_ns);
}

bool perf_maps_find(struct perf_maps *maps, uint32_t pid, uint64_t address,
		    struct perf_map_function *ret)
{
	struct perf_maps_entry *e = entry_of(maps, pid);

	if (!e)
		return false;
	if (perf_map_find(e->map, address, ret))
		return true;
	return read_entry(maps, e, PERF_MAP_MISS_PAUSE_NS) && perf_map_find(e->map, address, ret);
}

uint64_t perf_maps_failed(const struct perf_maps *maps)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < maps->pids.n; i++)
		n += maps->entries[i].failed;
	return n;
}
