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

	for (i = 0; i < maps->n; i++)
		perf_map_free(maps->entries[i].map);
	free(maps->entries);
	free(maps->newest);
	keyset_release(&maps->pids);
	*maps = (struct perf_maps){ 0 };
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* The entry of the process's newest image, or NULL. */
static struct perf_maps_entry *newest_of(struct perf_maps *maps, uint32_t pid)
{
	uint32_t i = keyset_find(&maps->pids, &pid);

	return i == KEYSET_NONE ? NULL : &maps->entries[maps->newest[i]];
}

static struct perf_maps_entry *add_entry(struct perf_maps *maps, uint32_t pid, uint64_t image)
{
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	uint32_t i;
	int added;

	if (array_reserve(maps->entries, maps->cap, maps->n + 1) ||
	    array_reserve(maps->newest, maps->newest_cap, maps->pids.n + 1) ||
	    perf_map_new(pid, &map))
		return NULL;
	added = keyset_add(&maps->pids, &pid, &i);
	if (added < 0)
		return NULL;
	maps->entries[maps->n] = (struct perf_maps_entry){
		.map = take(map),
		.image = image,
		.older = added ? PERF_MAPS_NONE : maps->newest[i],
	};
	maps->newest[i] = maps->n;
	return &maps->entries[maps->n++];
}

/*
 * The entry of the newest image, made if it is not there yet; NULL without memory and for no
 * process. An exec is known a moment after it: what was first read since then is the new image's.
 */
static struct perf_maps_entry *have_newest(struct perf_maps *maps, uint32_t pid, uint64_t image)
{
	struct perf_maps_entry *e;

	if (!pid)
		return NULL;
	e = newest_of(maps, pid);
	if (e && e->image < image && (!e->there_ns || e->there_ns >= image)) {
		e->image = image;
		e->read_ns = 0; /* it may have a map that the one before had not */
	}
	return e && e->image >= image ? e : add_entry(maps, pid, image);
}

static bool are_full(const struct perf_maps *maps)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < maps->n; i++)
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
	if (err >= 0 && !e->there_ns)
		e->there_ns = now;
	return err > 0;
}

void perf_maps_read(struct perf_maps *maps, uint32_t pid, uint64_t image, uint64_t pause_ns)
{
	struct perf_maps_entry *e = have_newest(maps, pid, image);

	if (e)
		read_entry(maps, e, pause_ns);
}

bool perf_maps_find(struct perf_maps *maps, uint32_t pid, uint64_t image, uint64_t address,
		    uint32_t *ret_map, struct perf_map_function *ret)
{
	struct perf_maps_entry *newest = have_newest(maps, pid, image), *e = newest;

	while (e && e->image != image)
		e = e->older == PERF_MAPS_NONE ? NULL : &maps->entries[e->older];
	if (!e)
		return false;
	if (!perf_map_find(e->map, address, ret) &&
	    (e != newest || !read_entry(maps, e, PERF_MAP_MISS_PAUSE_NS) ||
	     !perf_map_find(e->map, address, ret)))
		return false;
	*ret_map = e - maps->entries;
	return true;
}

uint64_t perf_maps_failed(const struct perf_maps *maps)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < maps->n; i++)
		n += maps->entries[i].failed;
	return n;
}
