/* SPDX-License-Identifier: BSD-2-Clause */
/* gate_breach: what a run breaks by itself, whatever it is compared with. */
#pragma once

#include "user/bench/gate_judge.h"

/*
 * Of the cases of the later side (*ret is empty, its sentence becomes the caller's): "slo_missed",
 * a limit of the scenario that is not kept (a value that is not known keeps none). 0 or -ENOMEM.
 */
int gate_breach_slo(const struct gate_input *in, struct gate_breach *ret);

/*
 * "losses" or "overhead": what the profile pass lost or cost, if the policy allows less. 0 or
 * -ENOMEM.
 */
int gate_breach_quality(const struct gate_input *in, struct gate_breach *ret);
