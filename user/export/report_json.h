/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_json: a report as JSON for programs, schema fathom.report/1 (docs/schemas). Values are
 * exact; shares are of the total, 0..1. The same report gives the same bytes. All functions return
 * a new reference, or NULL if there is no memory.
 */
#pragma once

#include <jansson.h>

#include "user/export/report.h"

#define REPORT_JSON_SITES 100 /* stacks of memory, at most */

/* Mode "top": at most 'rows' functions (0: all), in the order of 'top', which is called 'sort'. */
json_t *report_json_top(const struct report *r, const struct top *top, size_t rows,
			const char *sort);

/*
 * Mode "tree". The nodes are a flat list, parents first and each known by its place, so that no
 * depth of a stack is too deep for a parser.
 */
json_t *report_json_tree(const struct report *r, const struct report_tree *t, double min_share);

/* Mode "function": at most 'rows' callers and callees each (0: all). */
json_t *report_json_function(const struct report *r, const char *function,
			     const struct top_neighbours *n, size_t rows);

/* Adds what had to be mended in the input: how often, and the sentence. -ENOMEM. */
int report_json_add_repairs(json_t *report, uint64_t count, const char *text);
