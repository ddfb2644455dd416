/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_map: BPF maps in memory, behind the helpers that programs use. A map is known by the address
 * of its definition, from which FAKE_MAP() derives its type and sizes as libbpf does.
 */
#pragma once

#include <errno.h>
#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_MAPS 24
#define FAKE_CPUS 4

struct fake_map {
	void *definition;
	__u32 type, max_entries;
	size_t key_size, value_size;
	unsigned char *keys, *values; /* of arrays: only values, for each CPU if they are per CPU */
	bool *used;
	__u32 n;
	void **inner; /* of maps of maps */
};

static struct fake_map fake_maps[FAKE_MAPS];
static unsigned int fake_n_maps;
static unsigned int fake_cpu; /* that the programs run on */

static inline __u32 bpf_get_smp_processor_id(void)
{
	return fake_cpu;
}

/* Asked before each update: what it returns, if not 0, becomes the update's error. */
static long (*fake_on_update)(struct fake_map *map, const void *key);

#define FAKE_UINT(m, what) (sizeof(*(m).what) / sizeof(int))
#define FAKE_MAP(m)                                                                         \
	fake_map_add(&(m), FAKE_UINT(m, type), FAKE_UINT(m, max_entries), sizeof(*(m).key), \
		     sizeof(*(m).value), NULL)
static inline bool fake_is_hash(const struct fake_map *map)
{
	return map->type == BPF_MAP_TYPE_HASH || map->type == BPF_MAP_TYPE_LRU_HASH;
}

static inline void *fake_alloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

/* Empties the map; 'max_entries' as the loader may set it. */
static inline void fake_map_resize(struct fake_map *map, __u32 max_entries)
{
	__u32 copies = map->type == BPF_MAP_TYPE_PERCPU_ARRAY ? FAKE_CPUS : 1;

	free(map->keys);
	free(map->values);
	free(map->used);
	map->keys = fake_alloc(max_entries, map->key_size);
	map->values = fake_alloc((size_t)max_entries * copies, map->value_size);
	map->used = fake_alloc(max_entries, sizeof(*map->used));
	map->max_entries = max_entries;
	map->n = 0;
}

static inline struct fake_map *fake_map_add(void *definition, __u32 type, __u32 max_entries,
					    size_t key_size, size_t value_size, void **inner)
{
	struct fake_map *map;

	if (fake_n_maps == FAKE_MAPS)
		abort();
	map = &fake_maps[fake_n_maps++];
	*map = (struct fake_map){
		.definition = definition,
		.type = type,
		.key_size = key_size,
		.value_size = value_size,
		.inner = inner,
	};
	fake_map_resize(map, max_entries);
	return map;
}

static inline void fake_maps_release(void)
{
	while (fake_n_maps) {
		struct fake_map *map = &fake_maps[--fake_n_maps];

		free(map->keys);
		free(map->values);
		free(map->used);
	}
	fake_on_update = NULL;
	fake_cpu = 0;
}

/* The map of a definition. One that the test did not declare is the test's mistake. */
static inline struct fake_map *fake_map_of(const void *definition)
{
	unsigned int i;

	for (i = 0; i < fake_n_maps; i++) {
		if (fake_maps[i].definition == definition)
			return &fake_maps[i];
	}
	abort();
}

/* Entry i of a hash map, NULL if it is free. */
static inline void *fake_map_value(const struct fake_map *map, __u32 i)
{
	return map->used[i] ? map->values + i * map->value_size : NULL;
}

static inline void *fake_map_key(const struct fake_map *map, __u32 i)
{
	return map->keys + i * map->key_size;
}

static inline long fake_slot(const struct fake_map *map, const void *key)
{
	__u32 i;

	for (i = 0; i < map->max_entries; i++) {
		if (map->used[i] && !memcmp(fake_map_key(map, i), key, map->key_size))
			return i;
	}
	return -ENOENT;
}

static inline void *bpf_map_lookup_elem(void *definition, const void *key)
{
	struct fake_map *map = fake_map_of(definition);
	__u32 index;
	long slot;

	if (fake_is_hash(map)) {
		slot = fake_slot(map, key);
		return slot < 0 ? NULL : fake_map_value(map, slot);
	}
	memcpy(&index, key, sizeof(index));
	if (index >= map->max_entries)
		return NULL;
	if (map->inner)
		return map->inner[index];
	if (map->type == BPF_MAP_TYPE_PERCPU_ARRAY)
		index += fake_cpu * map->max_entries;
	return map->values + index * map->value_size;
}

static inline long bpf_map_update_elem(void *definition, const void *key, const void *value,
				       __u64 flags)
{
	struct fake_map *map = fake_map_of(definition);
	long err = fake_on_update ? fake_on_update(map, key) : 0, slot;

	if (err)
		return err;
	if (!fake_is_hash(map))
		abort(); /* no program does */
	slot = fake_slot(map, key);
	if (slot >= 0 && flags == BPF_NOEXIST)
		return -EEXIST;
	if (slot < 0 && flags == BPF_EXIST)
		return -ENOENT;
	if (slot < 0) {
		if (map->n == map->max_entries && map->type == BPF_MAP_TYPE_LRU_HASH) {
			map->used[0] = false; /* any may go */
			map->n--;
		}
		if (map->n == map->max_entries)
			return -E2BIG;
		for (slot = 0; map->used[slot]; slot++)
			;
		map->used[slot] = true;
		map->n++;
		memcpy(fake_map_key(map, slot), key, map->key_size);
	}
	memcpy(fake_map_value(map, slot), value, map->value_size);
	return 0;
}

/* Of a queue that no test reads: how many were pushed. */
static __u64 fake_pushed;
static inline long bpf_map_push_elem(void *definition, const void *value, __u64 flags)
{
	(void)definition;
	(void)value;
	(void)flags;
	fake_pushed++;
	return 0;
}

static inline long bpf_map_delete_elem(void *definition, const void *key)
{
	struct fake_map *map = fake_map_of(definition);
	long slot = fake_slot(map, key);

	if (slot < 0)
		return slot;
	map->used[slot] = false;
	map->n--;
	return 0;
}
