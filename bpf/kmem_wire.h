/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* kmem_wire: the border of the kmem collector beside bpf/alloc_wire.h. The includer provides __u32
 * and the like. */
#pragma once

#include "bpf/alloc_wire.h"

/*
 * What 'detail' of struct ft_alloc_site_key says:
 *
 * - of FT_ALLOC_KMALLOC: bytes that the block takes
 * - of FT_ALLOC_CACHE: the cache's number in the map 'caches', or, where the tracepoint does not
 * tell of the cache, FT_KMEM_BY_SIZE and the bytes that an object takes
 * - of FT_ALLOC_PAGES: the order, and FT_KMEM_OF_SLAB for pages that the allocator of objects takes
 *   for itself: what lies on them is told of as objects once more
 */
#define FT_KMEM_BY_SIZE 0x80000000u
#define FT_KMEM_OF_SLAB 0x100u
#define FT_KMEM_ORDER	0xffu

/* Caches by number; 0 stands for all those without room in the map. */
#define FT_KMEM_MAX_CACHES 2048
#define FT_KMEM_NAME_LEN   40
struct ft_kmem_cache {
	__u64 cache;   /* address of its struct kmem_cache, */
	__u64 name_at; /* and of its name: a cache that is gone leaves its place to others */
	__u32 bytes;   /* that an object takes */
	__u32 pad;
	char name[FT_KMEM_NAME_LEN];
};
_Static_assert(sizeof(struct ft_kmem_cache) == 64, "ft_kmem_cache");

/* Functions that take pages for objects. */
#define FT_KMEM_MAX_RANGES 8
struct ft_kmem_range {
	__u64 start, end;
};

/* How many blocks of the table have an address that falls into a slot: what is not there need not
 * be looked for. */
#define FT_KMEM_PRESENT_BITS 16

struct ft_kmem_notes {
	__u64 interrupts;  /* sampled blocks that no task asked for */
	__u64 caches_full; /* sampled blocks of caches without a number */
};
