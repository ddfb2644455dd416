/* SPDX-License-Identifier: BSD-2-Clause */
/* scenario_names: "${NAME}" in the texts of a scenario. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/base/str.h"
#include "user/bench/scenario.h"

/* Stands for "${scratch}" until the folder is known; files of scenarios hold no such character. */
#define SCRATCH_MARK "\x01"

/* The value of one name (not terminated, 'len' bytes), or NULL if there is none. */
typedef const char *name_lookup(void *ctx, const char *name, size_t len);

/*
 * Appends 'text' with names replaced and "$$" as "$". -ENOMEM; -EINVAL with a sentence for a name
 * that is not known or a "${" without its end.
 */
int scenario_substitute(const char *text, name_lookup *lookup, void *ctx, struct str *ret);

/* Names that are no parameters: variant, scenario_dir, scratch. */
bool scenario_name_is_reserved(const char *name);

/* The first parameter of that name, or NULL. */
const struct scenario_pair *scenario_pairs_find(const struct scenario_pairs *pairs,
						const char *name, size_t len);
