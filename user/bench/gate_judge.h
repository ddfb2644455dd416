/* SPDX-License-Identifier: BSD-2-Clause */
/* gate_judge: makes the verdict of a gate out of two runs, or of two variants of one run. */
#pragma once

#include "user/bench/calibrate.h"
#include "user/bench/gate.h"
#include "user/model/profile.h"

struct gate_side {
	const struct run_result *run;
	const char *path;    /* its folder, for texts */
	const char *variant; /* only its cases; NULL: all, by their names */
};

/*
 * The profile of one case and collector of a run, with LABEL_REPETITION. -errno with a sentence,
 * which becomes the reason why functions were not compared.
 */
typedef int (*gate_profile_fn)(void *ctx, const struct gate_side *side, const struct run_case *c,
			       const char *collector, struct profile **ret);

/* All is the caller's. */
struct gate_input {
	struct gate_side before, after;
	const struct scenario *scenario; /* limits and components; NULL: the policy's alone */
	const struct policy *policy;
	const struct policy_profile *profile;
	const struct policy_preset *preset;    /* NULL: none */
	const struct calibration *calibration; /* NULL: none */
	bool across;			       /* other machines are compared, too */
	gate_profile_fn load;		       /* NULL: functions are not compared */
	void *ctx;
};

/* 0 with a verdict, be it that nothing could be told; -errno with a sentence otherwise. */
int gate_judge(const struct gate_input *in, struct gate_result **ret);

/*
 * After runs in fresh processes: what alerted in 'g' and did not again in 'again' (the same metric
 * of the same cell in the same direction) is inconclusive, "not_confirmed".
 */
int gate_confirm(struct gate_result *g, const struct gate_result *again);

/* Whether a case has something that must alert again. */
bool gate_case_alerts(const struct gate_case *c);
