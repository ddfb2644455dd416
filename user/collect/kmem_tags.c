/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/kmem_tags.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/err.h"

struct kmem_tag {
	uint32_t kind, detail; /* as in struct ft_alloc_site_key; of a cache with a name: 0 */
	char cache[FT_KMEM_NAME_LEN]; /* its name; "": unknown */
};

void kmem_tags_init(struct kmem_tags *t)
{
	keyset_init(&t->tags, sizeof(struct kmem_tag));
}

void kmem_tags_release(struct kmem_tags *t)
{
	keyset_release(&t->tags);
}

int64_t kmem_tags_add(struct kmem_tags *t, const struct ft_alloc_site_key *key,
		      const struct ft_kmem_cache *cache)
{
	struct kmem_tag tag = { .kind = key->kind, .detail = key->detail };
	uint32_t number;

	if (key->kind == FT_ALLOC_CACHE && !(key->detail & FT_KMEM_BY_SIZE)) {
		tag.detail = 0; /* another cache of the same name may have come after it */
		if (cache)
			memcpy(tag.cache, cache->name, strnlen(cache->name, FT_KMEM_NAME_LEN - 1));
	}
	if (keyset_add(&t->tags, &tag, &number) < 0)
		return errf(-ENOMEM, "no memory for tags");
	return number;
}

static void label(struct sample_tag *ret, const char *key, const char *text)
{
	ret->labels[ret->n_labels++] = (struct sample_tag_label){ .key = key, .text = text };
}

/* As the kernel calls these caches (mm/slab_common.c, kmalloc_info). */
static void describe_kmalloc(uint32_t bytes, struct sample_tag *ret)
{
	label(ret, "kind", "kmalloc");
	if (bytes >= 1024 && !(bytes % 1024))
		snprintf(ret->leaf, sizeof(ret->leaf), "[kmalloc-%uk]", bytes / 1024);
	else
		snprintf(ret->leaf, sizeof(ret->leaf), "[kmalloc-%u]", bytes);
}

static void describe_cache(const struct kmem_tag *tag, struct sample_tag *ret)
{
	label(ret, "kind", "cache");
	if (tag->detail & FT_KMEM_BY_SIZE) {
		snprintf(ret->leaf, sizeof(ret->leaf), "[cache of %u bytes]",
			 tag->detail & ~FT_KMEM_BY_SIZE);
	} else if (tag->cache[0]) {
		snprintf(ret->leaf, sizeof(ret->leaf), "[cache %s]", tag->cache);
		label(ret, "cache", tag->cache);
	} else {
		snprintf(ret->leaf, sizeof(ret->leaf), "[cache unknown]");
	}
}

static void describe_pages(uint32_t detail, struct sample_tag *ret)
{
	bool is_of_slab = detail & FT_KMEM_OF_SLAB;

	label(ret, "kind", is_of_slab ? "slab pages" : "pages");
	snprintf(ret->leaf, sizeof(ret->leaf), "[%spages order %u]", is_of_slab ? "slab " : "",
		 detail & FT_KMEM_ORDER);
}

void kmem_tags_describe(const struct kmem_tags *t, uint32_t number, struct sample_tag *ret)
{
	const struct kmem_tag *tag = keyset_key(&t->tags, number);

	*ret = (struct sample_tag){ 0 };
	if (tag->kind == FT_ALLOC_KMALLOC)
		describe_kmalloc(tag->detail, ret);
	else if (tag->kind == FT_ALLOC_CACHE)
		describe_cache(tag, ret);
	else
		describe_pages(tag->detail, ret);
}
