/* SPDX-License-Identifier: BSD-2-Clause */
/* kmem: the collector of memory that the kernel allocates: blocks, objects of caches, pages. */
#pragma once

#include "user/collect/alloc_settings.h"
#include "user/collect/collector.h"
#include "user/collect/target.h"
#include "user/collect/unwinder.h"

struct kmem_options {
	const struct alloc_settings *settings; /* borrowed, longer than the collector lives */
	unsigned int table_entries;	       /* stacks; 0: the default */
	struct unwinder *unwinder;	       /* borrowed; NULL: user stacks by frame pointers */
};

/* Loads and attaches it, with nothing counted yet. 0 or -errno with a sentence. */
int kmem_collector_new(const struct kmem_options *options, const struct target *target,
		       struct collector **ret);
