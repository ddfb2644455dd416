/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latency_json: what a collector of latencies found, as the 'latency' of its summary and as the
 * document of its slowest operations (docs/formats.md). Lists are bounded, the most time first;
 * what is beyond is summed up beside them. A quantile is null where there are too few observations
 * for it (histogram_has_quantile).
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "user/model/latency.h"

#define SLOW_SCHEMA "fathom.slow/1"

/* The most that lists have; readers need not expect more. */
#define LATENCY_JSON_GROUPS   128
#define LATENCY_JSON_ROWS     256 /* of the breakdown, and of paths */
#define LATENCY_JSON_DEVICES  256 /* and routes */
#define LATENCY_JSON_SUBJECTS 32  /* over time */
#define LATENCY_JSON_COLUMNS  120
#define LATENCY_JSON_OCTAVES  33

/*
 * The 'latency' of a summary, a new reference. Rates are over 'span_ns', null if that is 0. NULL if
 * there is no memory.
 */
json_t *latency_json(const struct latency *l, uint64_t span_ns);

/*
 * The document <collector>.slow.json, a new reference: the operations beyond the threshold in the
 * order in which they stand (latency_outliers_sort). NULL if there is no memory.
 */
json_t *latency_slow_json(const struct latency *l, const char *collector);
