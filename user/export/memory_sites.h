/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_sites: of a run folder's stacks (memory_read_stacks) those with the most of the value that
 * a report shows.
 */
#pragma once

#include "user/export/report.h"

struct memory_sites {
	const char *value; /* by which they are ranked: that of the report, or "alloc_space" */
	const char *other; /* the same in objects, of objects in bytes; of samples: alloc_space */
	bool is_space;	   /* 'value' is bytes, else objects or samples */
	bool has_intervals;
	const json_t **list; /* borrowed from the recording; those without any of it are left out */
	size_t n;
	uint64_t others; /* stacks that the folder sums up, and what they have */
	int64_t others_value;
};

/* *ret is NULL if the recording has no stacks. 0 or -ENOMEM with a sentence. */
int memory_sites_new(const struct report *r, struct memory_sites **ret);
void memory_sites_free(struct memory_sites *s);
DEFINE_FREEP(struct memory_sites, memory_sites_free)

/* A site's value, 0 if it is not known. */
int64_t memory_site_value(const struct memory_sites *s, const json_t *site);
