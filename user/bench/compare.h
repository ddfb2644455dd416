/* SPDX-License-Identifier: BSD-2-Clause */
/* compare: the verdict on the metrics of one pair of cases. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/bench/policy.h"

enum verdict { VERDICT_PASSED, VERDICT_IMPROVED, VERDICT_REGRESSED, VERDICT_INCONCLUSIVE };
extern const char *const verdict_names[4]; /* "passed", "improved", ... */

struct metric_pairs {
	const char *name, *unit; /* the caller's */
	enum metric_better better;
	bool is_gated;
	struct policy_limits limits;
	const double *before, *after; /* n finite values each, in pairs */
	size_t n;
};

/* 'change' and all that is compared with it: for the worse is positive, as in struct
 * policy_limits. */
struct metric_comparison {
	const char *name, *unit;
	enum metric_better better;
	bool is_gated, is_flagged; /* for a person */
	struct policy_limits limits;
	size_t n;
	double before, after; /* medians */
	double change, low, high;
	double p, p_adjusted;			/* worse by more than min_effect */
	double p_improved, p_improved_adjusted; /* better by more than min_effect */
	double detectable; /* smallest change for the worse that this test would have seen with
			      the policy's power; NAN: none, there are too few pairs */
	enum verdict verdict;
	const char *reason; /* code, a literal: "beyond_limit", "within_limit", "too_few_pairs",
			       "too_noisy", "no_values", ... (docs/gate.md lists them) */
};

/*
 * Judges all metrics of one family (all of one scenario: Holm's adjustment is over the gated ones).
 * 'ret' has room for n. 0 or -ENOMEM.
 */
int compare_metrics(const struct metric_pairs *metrics, size_t n,
		    const struct policy_profile *policy, struct metric_comparison *ret);

/* One verdict of many: regressed, else inconclusive, else improved, else passed; of gated ones. */
enum verdict compare_verdict(const struct metric_comparison *m, size_t n);
