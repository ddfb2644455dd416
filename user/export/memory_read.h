/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_read: the 'memory' of a summary, and the stacks beside it, that somebody else may have
 * written. */
#pragma once

#include <jansson.h>

/*
 * A new reference to a value that has all members that docs/schemas/summary.schema.json names,
 * in their types and within their bounds, whatever 'value' is; null if it is no object. NULL if
 * there is no memory.
 */
json_t *memory_read(const json_t *value);

/*
 * Reads FOLDER/<collector>.stacks.json (schema fathom.stacks/1). *ret is a new reference to an
 * object with "stacks" and "stacks_other" as docs/schemas/stacks.schema.json has them, but that a
 * stack's text may be null. -ENOENT if there is no such file, -EINVAL if it is damaged, -EFBIG;
 * all with a sentence.
 */
int memory_read_stacks(const char *folder, const char *collector, json_t **ret);
