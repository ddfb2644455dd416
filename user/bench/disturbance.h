/* SPDX-License-Identifier: BSD-2-Clause */
/* disturbance: whether the machine was itself while a run measured. */
#pragma once

#include <stdbool.h>

#include "user/bench/policy.h"
#include "user/bench/run_result.h"

/* A share beyond what the policy allows. */
struct disturbance {
	const char *reason; /* code, a literal: "host_drifted", "host_busy" ... */
	const char *what;   /* a literal: "other programs took CPU time" */
	double share, allowed;
};

/* The first there is; what is not known is not held against a machine. */
bool disturbance_find(const struct run_result *r, const struct policy_profile *p,
		      struct disturbance *ret);

/* By what share the same work took more or less time in one of two runs; NAN if not known. */
double disturbance_between(const struct run_result *a, const struct run_result *b);
