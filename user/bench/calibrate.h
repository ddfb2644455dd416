/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calibrate: what a machine's own noise does to the gate: from comparisons of a program with itself
 * it derives how wide limits must be here, and how many pairs are needed. docs/gate.md explains it,
 * docs/schemas/calibration.schema.json describes the file.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/bench/compare.h"

#define CALIBRATION_SCHEMA	 "fathom.calibration/1"
#define CALIBRATION_MIN_PAIRS	 10
#define CALIBRATION_MAX_PAIRS	 200 /* more are never asked for */
#define CALIBRATION_MAX_METRICS	 1024
#define CALIBRATION_FALSE_ALARMS 0.01 /* of all comparisons, over the gated metrics together */
#define CALIBRATION_PASSES	 0.90 /* of the comparisons of a program with itself shall pass */
#define CALIBRATION_POWER	 0.90
#define CALIBRATION_SMALL	 0.05 /* the changes that pairs are counted for */
#define CALIBRATION_LARGE	 0.08

/* Changes as in struct metric_comparison: shares, or points. NAN where not known. */
struct calibration_metric {
	char *name;
	bool is_gated, is_points;
	size_t n;		  /* pairs */
	double noise;		  /* robust standard deviation of one pair's change */
	double autocorrelation;	  /* of the changes of successive pairs; far from 0: drift */
	double change, low, high; /* of the program against itself: 0 should be within */
	double false_alarms;	  /* share of comparisons that the policy's limits call regressed */
	double min_effect, limit; /* least that this noise allows; 0: any */
	/* Pairs that it takes to be significant beyond min_effect (the policy's or this one) in 9
	 * of 10 comparisons, 0: more than CALIBRATION_MAX_PAIRS or never. */
	unsigned int pairs_for_small, pairs_for_large;
};

struct calibration {
	char *scenario, *environment; /* the caller's to set, or NULL */
	char *policy;		      /* profile */
	double alpha;
	unsigned int repeat; /* pairs of a comparison by that profile */
	struct calibration_metric *metrics;
	size_t n_metrics;
};

void calibration_free(struct calibration *c);
DEFINE_FREEP(struct calibration, calibration_free)

/*
 * 'metrics' are of two variants that are the same program, run in turns; their limits are the
 * policy's. Metrics with fewer than CALIBRATION_MIN_PAIRS known pairs are left out. Resamples
 * blocks of successive pairs, so that drift stays in them, with 'seed'. 0; -ENOMEM; -EINVAL with a
 * sentence if no metric is left.
 */
int calibrate(const struct metric_pairs *metrics, size_t n, const struct policy_profile *policy,
	      uint64_t seed, struct calibration **ret);

/* Widens the limits of that metric to what the noise allows; never narrows them. A metric that was
 * not calibrated, or in another unit (points or shares), stays as it is. */
void calibration_apply(const struct calibration *c, const char *metric,
		       struct policy_limits *limits);

/* A new reference, or NULL without memory. */
json_t *calibration_json(const struct calibration *c);

/* Reads such text, which is hostile: -EINVAL with a sentence, -ENOMEM. */
int calibration_read(const char *json, struct calibration **ret);
