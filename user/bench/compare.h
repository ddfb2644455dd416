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
	const char *reason; /* code, a literal, see below */
};

/*
 * Codes: regressed: "beyond_limit". Improved: "improved". Passed: "within_limit". Inconclusive:
 * "no_values"; "too_few_pairs": even if all went the same way it could not be significant;
 * "below_alert": surely worse by more than min_effect, but by less than 'alert' as estimated;
 * "too_noisy"; "flagged": would be regressed but for flags_only, is_flagged is set.
 *
 * Changes are ratios by pair, ln(after / before). If a metric has a value <= 0 anywhere, they are
 * differences by pair over the median before, or if that is 0 over the mean of all values: 0 and 0
 * is no change, 0 and 7 is +200 %. With limits.is_points they are differences as they are. Pairs
 * with a value that is not finite are left out.
 *
 * Judges all metrics of one family (all of one scenario: Holm's adjustment is over the gated ones).
 * 'ret' has room for n. 0 or -ENOMEM.
 */
int compare_metrics(const struct metric_pairs *metrics, size_t n,
		    const struct policy_profile *policy, struct metric_comparison *ret);

/*
 * One verdict of many: regressed, else inconclusive, else improved, else passed; of those that are
 * gated and not only flagged. Inconclusive if nothing is gated, or if what is only flagged is all
 * there is and that cannot be told.
 */
enum verdict compare_verdict(const struct metric_comparison *m, size_t n);

/*
 * Whether a second comparison, of fresh processes, says the same as the first: the same metric was
 * regressed (flagged, improved) and is so again.
 */
bool compare_confirms(const struct metric_comparison *first,
		      const struct metric_comparison *second);
