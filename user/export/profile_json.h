/* SPDX-License-Identifier: BSD-2-Clause */
/* profile_json: what summary.json says of a collector's profile: totals, processes, functions. */
#pragma once

#include <jansson.h>

#include "user/model/profile.h"

#define SUMMARY_FUNCTIONS 50
#define SUMMARY_PROCESSES 200

/*
 * Puts "values", "ranked_by", "processes", "processes_other", "top", "top_self" and "top_total"
 * into the object 'into'. 0 or -errno with a sentence.
 */
int profile_json(const struct profile *p, json_t *into);
