/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_result: what the run of a scenario found: every repetition of each case, and on what machine.
 * Strings are owned.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/bench/environment.h"
#include "user/bench/scenario.h"

/* How a repetition ended; all but the first void it. */
enum repetition_outcome {
	REPETITION_OK,
	REPETITION_FAILED,	 /* status other than 0, or a signal */
	REPETITION_WRONG_OUTPUT, /* the oracle's */
	REPETITION_NOT_VERIFIED, /* 'verify' failed */
	REPETITION_NOT_READY,	 /* ended before it was ready */
	REPETITION_TIMED_OUT,
	REPETITION_OVER_MEMORY, /* ceilings */
	REPETITION_OVER_TIME,
	REPETITION_BAD_METRIC, /* a metric that was declared is not there, or is no number */
	REPETITION_INTERRUPTED,
	REPETITION_OUTCOMES
};
extern const char *const repetition_outcome_names[REPETITION_OUTCOMES]; /* "ok", "failed" ... */

/*
 * Metrics that every case has, before those of the scenario: wall_ns, cpu_ns, user_ns, system_ns,
 * max_rss_bytes, minor_faults, major_faults, voluntary_switches, involuntary_switches,
 * read_bytes, written_bytes (block I/O), ready_ns, instructions, cycles, cache_misses,
 * branch_misses. NAN where not known.
 */
struct run_metric {
	char *name;
	char *unit; /* "ns", "bytes", "count", ... */
	enum metric_better better;
	bool is_scenario; /* the scenario's own */
};

struct run_repetition {
	unsigned int number; /* in its case and pass, from 0; warm-ups too */
	unsigned int order;  /* in the whole pass */
	uint64_t start_ns;   /* wall clock, since 1970 */
	bool is_warmup;
	bool is_profile; /* of the profile pass: decides nothing */
	enum repetition_outcome outcome;
	int exit_status; /* as a shell's $? */
	char *message;	 /* a sentence if it is not OK */
	double iterations;
	struct machine_noise noise;
	double *values; /* one for each metric of the case */
};

enum run_quantile { RUN_P50, RUN_P95, RUN_P99, RUN_QUANTILES };

/* Single observations of a latency, over all repetitions that count. */
struct run_latency {
	double *ns;
	size_t n, cap;
	uint64_t dropped; /* beyond RUN_MAX_OBSERVATIONS */
	/* Of a result that was read: files do not hold the observations, only their number and
	 * quantiles, in ms, in the order of enum run_quantile; NAN: there were too few. */
	uint64_t n_read;
	double read_ms[RUN_QUANTILES];
};
#define RUN_MAX_OBSERVATIONS 1000000

struct run_case {
	char *name, *cell, *variant;
	struct scenario_pairs parameters;
	struct run_metric *metrics;
	size_t n_metrics;
	struct run_repetition *repetitions;
	size_t n_repetitions, repetitions_cap;
	struct run_latency latency; /* the metric "latency" in a unit of time, else wall time */
	unsigned int n_profiles;    /* repetitions that were profiled */
	json_t *collectors; /* as "collectors" in summary.json of recordings, summed; or NULL */
};

struct run_canary {
	uint64_t order; /* before which repetition of the pass */
	uint64_t ns;
};

struct run_result {
	char *scenario, *description;
	char *scenario_path; /* absolute */
	char scenario_sha256[65];
	char *policy, *policy_version; /* "nightly", "1" */
	char *approved_by;	       /* or NULL */
	char *fathom_version;
	uint64_t seed;
	uint64_t start_ns, span_ns; /* wall clock; of the whole run */
	struct environment environment;
	struct run_canary *canaries;
	size_t n_canaries, canaries_cap;
	struct machine_noise noise; /* of the measure pass */
	bool was_cut;		    /* the budget ended it early */
	char *abort;		    /* a sentence: why the run was given up; NULL */
	char *profile_failure;	    /* a sentence: why the profile pass ended early; NULL */
	char *leftover;		    /* a sentence: what could not be removed; NULL; in no file */
	struct run_case *cases;
	size_t n_cases;
};

void run_result_free(struct run_result *r);
DEFINE_FREEP(struct run_result, run_result_free)

/* The number of that metric of the case, or -1. */
int run_case_metric(const struct run_case *c, const char *name);

/* Values of one metric over the repetitions that count (no warm-ups, no profiles, outcome OK), in
 * their order; *ret is the caller's, NANs are in it. -ENOMEM. */
int run_case_values(const struct run_case *c, const char *metric, double **ret, size_t *ret_n);

/* How much each profiled repetition that counts did (1 if that is not known), in the order of their
 * labels (LABEL_REPETITION); *ret is the caller's. -ENOMEM. */
int run_case_iterations(const struct run_case *c, double **ret, size_t *ret_n);

/*
 * How much the machine's speed changed, as a share: the largest deviation from their median of
 * canaries, or if there are 10 or more, of the medians of 5 in a row: what disturbs one for some
 * milliseconds disturbs one repetition, too, and is no drift. NAN below two of them.
 */
double run_canary_drift(const struct run_result *r);
