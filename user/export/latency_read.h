/* SPDX-License-Identifier: BSD-2-Clause */
/* latency_read: the 'latency' of a summary that somebody else may have written. */
#pragma once

#include <jansson.h>

/*
 * A new reference to a value that has all members that docs/schemas/summary.schema.json names,
 * in their types and within their bounds, whatever 'value' is; null if it is no object. NULL if
 * there is no memory.
 */
json_t *latency_read(const json_t *value);
