/* SPDX-License-Identifier: BSD-2-Clause */
/* gate_functions: the functions of a pair of cases, by the stacks of one collector. */
#pragma once

#include "user/bench/gate_pairs.h"

/*
 * Compares by 'collector' (as in run_case.collectors) and adds that to 'ret'. What cannot be
 * compared has a reason instead. 0 or -ENOMEM.
 */
int gate_functions_add(const struct gate_input *in, const struct gate_couple *couple,
		       const json_t *collector, struct gate_case *ret);
