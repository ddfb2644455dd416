/* SPDX-License-Identifier: BSD-2-Clause */
/* histogram_json: a histogram of sizes or times as JSON (docs/formats.md). */
#pragma once

#include <jansson.h>

#include "user/model/histogram.h"

#define HISTOGRAM_JSON_OCTAVES 39 /* 0, and the powers of two up to the last slot's */

/* Members end in their unit: "p50_bytes". A shape for readers stands in memory_read.c. */
enum histogram_unit { HISTOGRAM_BYTES, HISTOGRAM_NS };

/*
 * A new reference: number, mean, quantiles, maximum, and counts by powers of two from the first to
 * the last that has any. 'observations' is how many the histogram rests on, where these stand for
 * others: a quantile is null if there are too few for it (histogram_has_quantile). NULL if there is
 * no memory.
 */
json_t *histogram_json(const struct histogram *h, enum histogram_unit unit, uint64_t observations);
