/* SPDX-License-Identifier: BSD-2-Clause */
/* summary_json: run_summary and profile as summary.json, schema fathom.summary/1 (docs/formats.md).
 */
#pragma once

#include <jansson.h>

#include "user/model/profile.h"
#include "user/model/summary.h"

#define SUMMARY_SCHEMA "fathom.summary/1"

/*
 * A new reference. profiles[i] belongs to s->collectors[i]; NULL for a collector without one. Holds
 * totals by process and the top 50 functions by self and by total of each collector, all by the
 * profile's default value. Numbers that are not known are null. NULL if there is no memory or the
 * profile cannot be summed (with a sentence).
 */
json_t *summary_json(const struct run_summary *s, const struct profile *const *profiles);
