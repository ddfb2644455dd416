/* SPDX-License-Identifier: BSD-2-Clause */
/* component_costs: the self costs of functions summed by the part of the program they belong to. */
#pragma once

#include "user/bench/function_rows.h"

/*
 * A function belongs to the first component whose regex finds something in its name, and to
 * "other", the last of the result, if there is none; without components there is no result. The
 * array and the names in it are the caller's. 0, -ENOMEM, or -EINVAL with a sentence if a regex is
 * none.
 */
int component_costs_new(const struct function_rows *rows,
			const struct scenario_component *components, size_t n_components,
			struct component_change **ret, size_t *ret_n);
