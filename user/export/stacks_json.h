/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stacks_json: <collector>.stacks.json, who asked for how much memory and how sure that is, schema
 * fathom.stacks/1 (docs/formats.md).
 */
#pragma once

#include <jansson.h>

#include "user/model/memory.h"
#include "user/model/view.h"

#define STACKS_SCHEMA	"fathom.stacks/1"
#define STACKS_JSON_MAX 10000

/*
 * The stacks that have the most allocated bytes, at most STACKS_JSON_MAX, merged and written as in
 * the folded file of that view (whose value means nothing here); the others are summed up. A new
 * reference, or NULL if there is no memory.
 */
json_t *stacks_json(const struct memory *m, const struct profile *p, const struct view *view,
		    const char *collector);
