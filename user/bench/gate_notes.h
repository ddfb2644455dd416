/* SPDX-License-Identifier: BSD-2-Clause */
/* gate_notes: what else is worth a sentence beside a verdict. */
#pragma once

#include "user/bench/gate_judge.h"

/*
 * Of cases that regressed: what else changed, and how much of it no function explains; of two runs:
 * what they do not have in common. 0 or -ENOMEM.
 */
int gate_notes_add(const struct gate_input *in, struct gate_result *g);

/* NULL if it has no such metric. */
const struct metric_comparison *gate_case_metric(const struct gate_case *c, const char *name);
