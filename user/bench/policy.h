/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy: how often is measured, and from where on a change counts. One versioned file
 * (user/bench/policy.yaml, built in; --policy names another) gives a reason for each threshold.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/base/cleanup.h"
#include "user/bench/scenario.h"

/*
 * Changes are for the worse, as shares of the value before: 0.03 is 3 % slower, or 3 % less
 * throughput. With 'is_points' they are differences of the value itself (an error rate).
 */
struct policy_limits {
	double min_effect; /* a smaller change is nobody's business: the bound of the test's H0 */
	double alert;	   /* REGRESSED needs an estimate at least as large */
	double limit;	   /* PASSED needs the interval's upper bound below it */
	bool is_points;
	bool flags_only; /* beyond 'alert' it is flagged for a person, and does not fail */
};

struct policy_metric {
	char *name;
	struct policy_limits limits; /* in presets NAN for what they do not say */
	char *rationale;
};

/* Why a number is what it is: "alpha", "metrics.max_rss_bytes.limit". */
struct policy_reason {
	char *key, *because;
};

struct policy_reasons {
	struct policy_reason *list;
	size_t n;
};

/* Named sets of limits that replace the profile's: "alert-10", "service". */
struct policy_preset {
	char *name;
	struct policy_limits defaults; /* NAN for what it does not say */
	struct policy_metric *metrics;
	size_t n_metrics;
	char *rationale;
	struct policy_reasons reasons;
};

struct policy_profile {
	char *name;		     /* "smoke", "nightly", "release" */
	unsigned int warmup, repeat; /* repetitions of each case in the measure pass */
	unsigned int profile_repeat; /* and in the profile pass; 0: no profile pass */
	double budget_s;	     /* wall time of the whole run; repetitions end there */
	double timeout_s;	     /* of one repetition */
	double alpha;		     /* family-wise, over the gated metrics of one scenario */
	double confidence;	     /* of the interval, 0.95 */
	double power;		     /* of the smallest effect that is told, 0.8 */
	struct policy_limits defaults;
	struct policy_metric *metrics; /* those that differ, and which are gated by default */
	size_t n_metrics;
	double function_candidate_share; /* 0.005 of either side */
	double function_alpha;		 /* 0.05 family-wise */
	double function_growth;		 /* 0.10 of its own cost */
	double function_total_share;	 /* 0.01 of the total */
	double overhead_share;	   /* CPU time of the profile pass over the measure pass, - 1 */
	double canary_drift_share; /* 0.03 */
	double other_cpu_share;	   /* of the machine, by others, while it measures */
	double steal_share, throttled_share;
	double pressure_share; /* of the time, something waited for a CPU or for memory; waiting
				  for I/O may be the command's own doing */
	double loss_share;     /* of a collector's events */
	struct policy_reasons reasons; /* one for each of these numbers */
};

struct policy {
	char *version; /* "1" */
	char *path;    /* NULL: built in */
	char sha256[65];
	struct policy_profile *profiles;
	size_t n_profiles;
	struct policy_preset *presets;
	size_t n_presets;
};

/* 'path' NULL: the one that is built in. Errors as scenario_read(). */
int policy_read(const char *path, struct policy **ret);
void policy_free(struct policy *p);
DEFINE_FREEP(struct policy, policy_free)

/* -ENOENT with a sentence that lists what there is. */
int policy_find_profile(const struct policy *p, const char *name,
			const struct policy_profile **ret);
int policy_find_preset(const struct policy *p, const char *name, const struct policy_preset **ret);

/*
 * The limits of one metric, each of them the scenario's, else the preset's (may be NULL) for that
 * metric, else its defaults, else the profile's for that metric, else their defaults. Defaults of a
 * preset do not apply to what is in points. *ret_gated: whether it takes part in the verdict:
 * metrics that nobody names do not, those that the scenario defines ('is_scenario_metric', not for
 * informative ones) do, unless the scenario's gates say otherwise.
 */
void policy_limits_of(const struct policy_profile *profile, const struct policy_preset *preset,
		      const struct scenario_gate *gates, size_t n_gates, const char *metric,
		      bool is_scenario_metric, struct policy_limits *ret, bool *ret_gated);
