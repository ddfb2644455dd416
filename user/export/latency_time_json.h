/* SPDX-License-Identifier: BSD-2-Clause */
/* latency_time_json: the series over time of a latency, for latency_json. */
#pragma once

#include <jansson.h>

#include "user/model/latency.h"

/*
 * Adds 'over_time', the subjects with the most operations, and 'over_time_other', how many others
 * there are. Neighbouring columns are merged to at most LATENCY_JSON_COLUMNS. 0, or -1 without
 * memory.
 */
int latency_time_json_add(const struct latency *l, json_t *o);

/* An amount by seconds, to three digits behind the point; null if the time is 0. */
json_t *latency_rate_json(double amount, double seconds);
