/* SPDX-License-Identifier: BSD-2-Clause */
/* scenario_run: one run of a scenario, for all commands that make one: run, gate, calibrate. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/bench/measure.h"
#include "user/cmd/run_folder.h"
#include "user/cmd/run_profile.h"

/* What the command line says; all is the caller's. */
struct scenario_request {
	const char *path;		    /* of the scenario */
	const char *policy;		    /* file; NULL: built in */
	const char *profile;		    /* of the policy */
	int warmup, repeat, profile_repeat; /* -1: the scenario's or the policy's */
	bool no_profile;
	bool has_seed;
	uint64_t seed;
	const struct scenario_pair *only; /* parameters of the matrix */
	size_t n_only;
	const char *variant;	 /* NULL: all */
	const char *approved_by; /* NULL: nobody */
	bool no_wait;		 /* for other runs on this machine */
	bool quiet;
};

void scenario_request_init(struct scenario_request *r);

struct scenario_run {
	const struct scenario_request *request;
	struct scenario *scenario;
	struct policy *policy;
	const struct policy_profile *profile;
	struct scenario_cases *cases;
	struct run_profiles *profiles;
	struct run_result *result; /* NULL before it ran */
	bool shows_progress;
};

/*
 * Reads and checks the scenario and the policy. EXIT_DONE, or an exit code with the sentence
 * printed; EXIT_USAGE also for one of production that nobody has approved.
 */
int scenario_run_prepare(struct scenario_run *run, const struct scenario_request *request);

/* Waits for its turn and runs. An exit code as above. */
int scenario_run_go(struct scenario_run *run);

/*
 * Writes all that is known into the folder: summary.json, samples.jsonl, scenario.yaml, report.md,
 * junit.xml, metrics.txt (OpenMetrics), and what the profile pass has left. 0 or -errno with a
 * sentence.
 */
int scenario_run_write(struct scenario_run *run, struct run_folder *rf);

/* The last file of a folder: what it holds and how it came to be. */
int scenario_run_manifest(const struct scenario_run *run, struct run_folder *rf, int argc,
			  char **argv);

/*
 * EXIT_DONE, or what the run itself says, with a sentence printed: EXIT_MEASURED if it is void or
 * was given up, EXIT_DATA_QUALITY for losses or overhead beyond the policy, EXIT_REGRESSION for an
 * SLO.
 */
int scenario_run_verdict(const struct scenario_run *run);

void scenario_run_release(struct scenario_run *run);
