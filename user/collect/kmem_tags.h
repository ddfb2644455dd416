/* SPDX-License-Identifier: BSD-2-Clause */
/* kmem_tags: what the samples of kernel memory are told apart by beside their stacks, for people:
 * "[kmalloc-64]", "[cache dentry]", "[pages order 0]". */
#pragma once

#include <linux/types.h>
#include <stdint.h>

#include "bpf/kmem_wire.h"
#include "user/base/keyset.h"
#include "user/collect/collector.h"

struct kmem_tags {
	struct keyset tags; /* of struct kmem_tag */
};

void kmem_tags_init(struct kmem_tags *t);
void kmem_tags_release(struct kmem_tags *t);

/*
 * The number of the tag of a site; 'cache' is what is known of the cache of FT_ALLOC_CACHE, NULL:
 * nothing. -ENOMEM with a sentence.
 */
int64_t kmem_tags_add(struct kmem_tags *t, const struct ft_alloc_site_key *key,
		      const struct ft_kmem_cache *cache);

void kmem_tags_describe(const struct kmem_tags *t, uint32_t number, struct sample_tag *ret);
