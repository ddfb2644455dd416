/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_files: a run_result as files and back. docs/formats.md and docs/schemas describe them:
 * samples.jsonl has a line for each repetition, summary.json (fathom.scenario/1) all else and what
 * programs read first. Both together give the same result again.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "user/bench/policy.h"
#include "user/bench/run_result.h"

#define SCENARIO_SUMMARY_SCHEMA "fathom.scenario/1"
#define SAMPLES_SCHEMA		"fathom.samples/1"

/* One absolute limit of the scenario and whether a case keeps it. */
struct run_slo {
	const char *case_name, *metric; /* the result's, the scenario's */
	double value;			/* NAN: not known, and then it is not kept */
	double min, max;		/* NAN: none */
	bool is_kept;
};

/* The caller frees *ret. 0 or -ENOMEM. */
int run_judge_slo(const struct run_result *r, const struct scenario *s, struct run_slo **ret,
		  size_t *ret_n);

/* What voids the run: the first repetition that is not OK, and its case. NULL: nothing does. */
const struct run_repetition *run_void(const struct run_result *r, const struct run_case **ret);

/*
 * A key of the summary of one case: p50_latency_ms, p95_latency_ms, p99_latency_ms (NAN where
 * there are too few observations), throughput (iterations per second of wall time), error_rate
 * (share of measured repetitions that are not OK), max_rss_bytes, alloc_bytes (of one repetition of
 * the profile pass); or the median of any metric. A metric that the scenario itself defines under
 * such a name is what counts then. NAN if not known.
 */
double run_case_value(const struct run_case *c, const char *key);

/* The keys with a meaning of their own, which stand in each case of summary.json. */
#define RUN_STABLE_KEYS 7
extern const char *const run_stable_keys[RUN_STABLE_KEYS];
extern const char *const run_stable_units[RUN_STABLE_KEYS]; /* "ms", "bytes", "" */

/* CPU time of an iteration in the profile pass over that of the measure pass, less 1; NAN if not
 * known. */
double run_case_overhead(const struct run_case *c);

/* Whether that is more than so much, and not by chance: with six pairs of repetitions or more its
 * 95 % interval lies above. */
bool run_case_overhead_exceeds(const struct run_case *c, double share);

/* The largest share of events that a collector lost, and its name; 0 if nothing was lost. */
double run_case_loss(const struct run_case *c, const char **ret_collector);

/* 's' may be NULL here and below: what is the scenario's alone is missing then (its command,
 * components, SLOs). A new reference, or NULL without memory. */
json_t *run_summary_json(const struct run_result *r, const struct scenario *s);

/* 0, or -EIO with a sentence. */
int run_samples_write(const struct run_result *r, FILE *out);

/* For people: report.md. For other programs: JUnit XML, OpenMetrics text. -ENOMEM, -EIO. */
int run_report_write(const struct run_result *r, const struct scenario *s, FILE *out);
int run_junit_write(const struct run_result *r, const struct scenario *s, FILE *out);
int run_openmetrics_write(const struct run_result *r, FILE *out);

/* GitHub's workflow commands: an error for what voids the run and for each limit that is not kept.
 * 'file' (of the repository) may be NULL. -ENOMEM, -EIO. */
int run_annotations_write(const struct run_result *r, const struct scenario *s, const char *file,
			  FILE *out);

/*
 * Reads FOLDER/summary.json and FOLDER/samples.jsonl, which are hostile. -ENOENT if the folder is
 * no run of a scenario, -EINVAL if it is damaged; with a sentence.
 */
int run_result_read(const char *folder, struct run_result **ret);
