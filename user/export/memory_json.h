/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_json: what a collector of memory found, as the 'memory' of its summary (docs/formats.md).
 * What is not known, since frees were not followed, is null.
 */
#pragma once

#include <jansson.h>

#include "user/model/interval.h"
#include "user/model/memory.h"

/*
 * A new reference. The profile is the collector's, with the values of enum memory_value; m->samples
 * are numbered as its samples are. NULL if there is no memory.
 */
json_t *memory_json(const struct memory *m, const struct profile *p);

/* The ends of an interval, as whole numbers that contain it: a new reference. */
json_t *memory_interval_json(const struct memory *m, uint64_t blocks, struct interval interval);
