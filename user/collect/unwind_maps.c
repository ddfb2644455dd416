/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/unwind_maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "unwind.skel.h"
#include "user/base/array.h"
#include "user/base/err.h"

#define PROCESSES 16384

/* Of all memory: rows the most, pages (8 bytes for some 64 rows), and lists of mappings. */
#define PAGES_SHARE    16
#define MAPPINGS_SHARE 8

/* The ring is looked at every 100 ms, less often when a large table is made on a busy machine. */
#define RING_MS	       500
#define RING_MIN_BYTES (4u << 20)
#define RING_MAX_BYTES (64u << 20)

/* How long a program may go on with what it has found, where the kernel cannot be asked. */
#define GRACE_MS 200

static const char *const shared[] = {
	"unwind_chunks",   "unwind_pages",     "unwind_rules",
	"unwind_mappings", "unwind_processes", "deferred",
};

static size_t map_size(const struct bpf_map *map)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t bytes = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);

	return (bytes + page - 1) / page * page;
}

static int map_memory(const struct bpf_map *map, void **ret)
{
	void *at =
		mmap(NULL, map_size(map), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (at == MAP_FAILED)
		return errf(-errno, "cannot map the kernel's unwind tables: %m");
	*ret = at;
	return 0;
}

static void unmap_memory(const struct bpf_map *map, void *at)
{
	if (at)
		munmap(at, map_size(map));
}

void unwind_maps_free(struct unwind_maps *maps)
{
	if (!maps)
		return;
	if (maps->skel) {
		unmap_memory(maps->skel->maps.unwind_chunks, maps->memory.chunks);
		unmap_memory(maps->skel->maps.unwind_pages, maps->memory.pages);
		unmap_memory(maps->skel->maps.unwind_rules, maps->rules);
		unmap_memory(maps->skel->maps.unwind_mappings, maps->mappings);
	}
	unwind_bpf__destroy(maps->skel);
	free(maps);
}

/* A power of two, as ring buffers are. */
static uint32_t ring_bytes(uint32_t samples_per_s)
{
	uint64_t need = (uint64_t)samples_per_s * RING_MS / 1000 *
			(sizeof(struct ft_deferred) + FT_MAX_PIECES * FT_PIECE_BYTES);
	uint32_t bytes = RING_MIN_BYTES;

	while (bytes < need && bytes < RING_MAX_BYTES)
		bytes *= 2;
	return bytes;
}

static uint32_t at_least_1(uint64_t n)
{
	return n ? n : 1;
}

static int set_sizes(struct unwind_maps *maps, const struct unwind_maps_options *o)
{
	struct unwind_bpf *skel = maps->skel;
	uint64_t pages = o->memory_bytes / PAGES_SHARE, mappings = o->memory_bytes / MAPPINGS_SHARE;
	uint64_t rows = o->memory_bytes - pages - mappings;

	maps->memory.n_chunks = at_least_1(rows / sizeof(struct ft_unwind_chunk));
	maps->memory.n_pages = at_least_1(pages / sizeof(struct ft_unwind_page));
	maps->n_mappings = at_least_1(mappings / sizeof(struct ft_unwind_mapping));
	if (bpf_map__set_max_entries(skel->maps.unwind_chunks, maps->memory.n_chunks) ||
	    bpf_map__set_max_entries(skel->maps.unwind_pages, maps->memory.n_pages) ||
	    bpf_map__set_max_entries(skel->maps.unwind_rules, FT_UNWIND_MAX_RULES) ||
	    bpf_map__set_max_entries(skel->maps.unwind_mappings, maps->n_mappings) ||
	    bpf_map__set_max_entries(skel->maps.unwind_processes, PROCESSES) ||
	    bpf_map__set_max_entries(skel->maps.deferred, ring_bytes(o->samples_per_s)))
		return errf(-EINVAL, "cannot size the kernel's unwind tables");
	return 0;
}

static int load(struct unwind_maps *maps, const struct unwind_maps_options *o)
{
	int err;

	maps->skel = unwind_bpf__open();
	if (!maps->skel)
		return bpf_fail(-errno, "the unwinder");
	maps->skel->rodata->cfg_pidns_inum = o->pidns_inum;
	maps->skel->rodata->cfg_command = o->command;
	err = set_sizes(maps, o);
	if (err)
		return err;
	err = unwind_bpf__load(maps->skel);
	if (!err)
		err = unwind_bpf__attach(maps->skel);
	return err ? bpf_fail(err, "the unwinder") : 0;
}

int unwind_maps_new(const struct unwind_maps_options *options, struct unwind_maps **ret)
{
	_cleanup_(unwind_maps_freep) struct unwind_maps *maps = calloc(1, sizeof(*maps));
	int err;

	if (!maps)
		return errf(-ENOMEM, "no memory for the unwinder");
	err = load(maps, options);
	if (!err)
		err = map_memory(maps->skel->maps.unwind_chunks, (void **)&maps->memory.chunks);
	if (!err)
		err = map_memory(maps->skel->maps.unwind_pages, (void **)&maps->memory.pages);
	if (!err)
		err = map_memory(maps->skel->maps.unwind_rules, (void **)&maps->rules);
	if (!err)
		err = map_memory(maps->skel->maps.unwind_mappings, (void **)&maps->mappings);
	if (err)
		return err;
	*ret = take(maps);
	return 0;
}

int unwind_maps_share(const struct unwind_maps *maps, struct bpf_object *object)
{
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(shared) && !err; i++) {
		struct bpf_map *ours = bpf_object__find_map_by_name(maps->skel->obj, shared[i]);
		struct bpf_map *theirs = bpf_object__find_map_by_name(object, shared[i]);

		err = !ours || !theirs ? -EINVAL : bpf_map__reuse_fd(theirs, bpf_map__fd(ours));
	}
	return err;
}

int unwind_maps_set_process(const struct unwind_maps *maps, const struct ft_process_key *key,
			    const struct ft_process *process)
{
	int fd = bpf_map__fd(maps->skel->maps.unwind_processes);

	return bpf_map_update_elem(fd, key, process, BPF_ANY) ? -errno : 0;
}

void unwind_maps_drop_process(const struct unwind_maps *maps, const struct ft_process_key *key)
{
	bpf_map_delete_elem(bpf_map__fd(maps->skel->maps.unwind_processes), key);
}

int unwind_maps_for_each(const struct unwind_maps *maps, unwind_maps_fn fn, void *ctx)
{
	_cleanup_(freep) struct ft_process_key *keys = calloc(PROCESSES, sizeof(*keys));
	_cleanup_(freep) struct ft_process *values = calloc(PROCESSES, sizeof(*values));
	uint32_t n = PROCESSES, batch, i;
	int fd = bpf_map__fd(maps->skel->maps.unwind_processes);

	if (!keys || !values)
		return errf(-ENOMEM, "no memory for the unwinder's processes");
	if (bpf_map_lookup_batch(fd, NULL, &batch, keys, values, &n, NULL) && errno != ENOENT)
		return errf(-errno, "cannot read the unwinder's processes: %m");
	for (i = 0; i < n; i++)
		fn(ctx, &keys[i], &values[i]);
	return 0;
}

bool unwind_maps_command(const struct unwind_maps *maps, struct ft_process_key *ret_key,
			 uint64_t *ret_mm)
{
	*ret_key = maps->skel->bss->command_key;
	*ret_mm = maps->skel->bss->command_mm;
	return *ret_mm != 0;
}

/* membarrier(2): its global command is a grace period of RCU, under which BPF programs run. */
void unwind_maps_wait(void)
{
	struct timespec grace = { .tv_nsec = GRACE_MS * 1000000 };

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		nanosleep(&grace, NULL);
}

int unwind_maps_ring_fd(const struct unwind_maps *maps)
{
	return bpf_map__fd(maps->skel->maps.deferred);
}

uint64_t unwind_maps_forks_lost(const struct unwind_maps *maps)
{
	return maps->skel->bss->forks_lost;
}

void unwind_maps_cost(const struct unwind_maps *maps, struct bpf_cost *ret)
{
	bpf_cost_add(maps->skel->obj, ret);
}
