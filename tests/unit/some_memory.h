/* SPDX-License-Identifier: BSD-2-Clause */
/* some_memory: what a collector of memory might have found, for tests. */
#pragma once

#include "tests/unit/stacks.h"

#include <math.h>

#include "user/model/memory.h"

#define SOME_INTERVAL 524288.0

static inline struct profile *some_memory_profile(void)
{
	struct profile *p = profile_new();

	assert_non_null(p);
	assert_int_equal(memory_add_value_types(p), 0);
	p->default_value = MEMORY_ALLOC_SPACE;
	return p;
}

/*
 * 'made' blocks of a size were sampled at a stack, and so many of them are in use, were at the
 * peak, were temporary, are leaked. The process is part of the stack.
 */
struct some_blocks {
	const char *process, *stack;
	double bytes;
	unsigned int made, in_use, at_peak, temporary, leaked;
};

static inline void some_blocks_add(struct memory *m, struct profile *p, const struct some_blocks *b)
{
	double keep = m->interval_bytes > 1 ? 1 - exp(-b->bytes / (double)m->interval_bytes) : 1;
	const unsigned int n[] = { b->made, b->in_use, b->at_peak, b->temporary, b->leaked };
	double var_objects = (1 - keep) / keep / keep,
	       var_bytes = var_objects * b->bytes * b->bytes;
	const struct memory_sample known = { .blocks_made = b->made,
					     .blocks_in_use = b->in_use,
					     .var_alloc_objects = b->made * var_objects,
					     .var_alloc_space = b->made * var_bytes,
					     .var_inuse_objects = b->in_use * var_objects,
					     .var_inuse_space = b->in_use * var_bytes };
	int64_t values[MEMORY_VALUES] = { b->made };
	size_t before = p->samples.n, i;
	uint64_t objects = (uint64_t)llround(b->made / keep), freed;

	for (i = 0; i < 5; i++) {
		values[1 + 2 * i] = llround(n[i] / keep);
		values[2 + 2 * i] = llround(n[i] / keep * b->bytes);
	}
	stacks_add_values(p, b->process, b->stack, values);
	assert_int_equal(p->samples.n, before + 1); /* numbered as they come */
	m->samples = realloc(m->samples, (before + 1) * sizeof(*m->samples));
	assert_non_null(m->samples);
	m->samples[before] = known;
	m->n_samples = before + 1;
	assert_int_equal(histogram_add(&m->sizes, ft_hist_slot((uint64_t)b->bytes), objects), 0);
	histogram_add_sum(&m->sizes, objects * (uint64_t)b->bytes, (uint64_t)b->bytes);
	freed = (uint64_t)llround((b->made - b->in_use) / keep);
	/* Temporary ones for 2 us, the others for 3 ms. */
	i = (size_t)llround(b->temporary / keep);
	assert_int_equal(histogram_add(&m->lifetimes, ft_hist_slot(2000), i), 0);
	assert_int_equal(histogram_add(&m->lifetimes, ft_hist_slot(3000000), freed - i), 0);
	histogram_add_sum(&m->lifetimes, i * 2000 + (freed - i) * 3000000,
			  freed > i ? 3000000
			  : i	    ? 2000
				    : 0);
	m->peak_objects += (uint64_t)values[MEMORY_PEAK_OBJECTS];
	m->peak_bytes += (uint64_t)values[MEMORY_PEAK_SPACE];
}

static inline struct memory *some_memory_new(double interval_bytes)
{
	struct memory *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->how = "shim";
	m->interval_bytes = (uint64_t)interval_bytes;
	m->has_frees = true;
	m->has_temporary = true;
	m->peak_ns = 2500000000;
	m->min_age_ns = 1000000000;
	m->expected_slowdown = 1.0204;
	m->blocks_full = 7;
	return m;
}

/* Many small blocks, some middle ones, a huge one; two of the stacks read the same. */
static inline struct memory *some_memory(struct profile *p)
{
	static const struct some_blocks blocks[] = {
		{ "sh", "main;parse;node", 64, 40, 10, 12, 25, 10 },
		{ "sh", "main;read;grow", 4096, 400, 4, 30, 0, 4 },
		{ "sh", "main;load", 8388608, 1, 1, 1, 0, 0 },
		{ "ls", "main;list", 65536, 3, 0, 1, 3, 0 },
		{ "sh", "main@/bin/sh;parse;node", 128, 5, 0, 2, 5, 0 },
	};
	struct memory *m = some_memory_new(SOME_INTERVAL);
	size_t i;

	for (i = 0; i < sizeof(blocks) / sizeof(*blocks); i++)
		some_blocks_add(m, p, &blocks[i]);
	return m;
}
