/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"

static const struct {
	const char *option, *type, *unit;
} values[MEMORY_VALUES] = {
	[MEMORY_BLOCKS] = { "samples", "samples", "count" },
	[MEMORY_ALLOC_OBJECTS] = { "alloc-objects", "alloc_objects", "count" },
	[MEMORY_ALLOC_SPACE] = { "alloc-space", "alloc_space", "bytes" },
	[MEMORY_INUSE_OBJECTS] = { "inuse-objects", "inuse_objects", "count" },
	[MEMORY_INUSE_SPACE] = { "inuse-space", "inuse_space", "bytes" },
	[MEMORY_PEAK_OBJECTS] = { "peak-objects", "peak_objects", "count" },
	[MEMORY_PEAK_SPACE] = { "peak-space", "peak_space", "bytes" },
	[MEMORY_TEMPORARY_OBJECTS] = { "temporary-objects", "temporary_objects", "count" },
	[MEMORY_TEMPORARY_SPACE] = { "temporary-space", "temporary_space", "bytes" },
	[MEMORY_LEAKED_OBJECTS] = { "leaked-objects", "leaked_objects", "count" },
	[MEMORY_LEAKED_SPACE] = { "leaked-space", "leaked_space", "bytes" },
};
_Static_assert(MEMORY_VALUES <= PROFILE_MAX_VALUES, "a profile has room for them");

void memory_free(struct memory *m)
{
	if (!m)
		return;
	histogram_release(&m->sizes);
	histogram_release(&m->lifetimes);
	free(m->samples);
	free(m);
}

void memory_sample_add(struct memory_sample *sum, const struct memory_sample *more)
{
	sum->blocks_made += more->blocks_made;
	sum->blocks_in_use += more->blocks_in_use;
	sum->var_alloc_objects += more->var_alloc_objects;
	sum->var_alloc_space += more->var_alloc_space;
	sum->var_inuse_objects += more->var_inuse_objects;
	sum->var_inuse_space += more->var_inuse_space;
}

int memory_renumber(struct memory *m, const uint32_t *number_of, size_t n_of, size_t n_samples)
{
	struct memory_sample *samples = calloc(n_samples + 1, sizeof(*samples));
	size_t i;

	if (!samples)
		return errf(-ENOMEM, "no memory for what is known of %zu stacks", n_samples);
	for (i = 0; i < m->n_samples && i < n_of; i++) {
		if (number_of[i] < n_samples)
			memory_sample_add(&samples[number_of[i]], &m->samples[i]);
	}
	free(m->samples);
	m->samples = samples;
	m->n_samples = n_samples;
	return 0;
}

struct memory_sample memory_total(const struct memory *m)
{
	struct memory_sample sum = { 0 };
	size_t i;

	for (i = 0; i < m->n_samples; i++)
		memory_sample_add(&sum, &m->samples[i]);
	return sum;
}

int memory_add_value_types(struct profile *p)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < MEMORY_VALUES && !err; i++)
		err = profile_add_value_type(p, values[i].type, values[i].unit);
	return err;
}

const char *memory_value_name(enum memory_value value)
{
	return values[value].type;
}

int memory_weight_parse(const char *text, enum memory_value *ret)
{
	unsigned int i;

	for (i = 0; i < MEMORY_VALUES; i++) {
		if (!strcmp(text, values[i].option)) {
			*ret = i;
			return 0;
		}
	}
	return errf(-EINVAL,
		    "'%s' is no weight of memory: it is alloc-, inuse-, peak-, temporary- or "
		    "leaked-space, the same with -objects, or samples",
		    text);
}
