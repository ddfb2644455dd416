/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure: runs a scenario's cases, in turns, and keeps what each repetition said. The measure pass
 * has no probes; in the profile pass a function of the caller's records.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/bench/policy.h"
#include "user/bench/run_result.h"
#include "user/bench/scenario.h"

/*
 * Called in a forked child that has the repetition's working directory, environment, standard
 * streams and process group, instead of executing the command. It records the command into files
 * below 'folder' (absolute, a private temporary folder of the repetition) and returns what a shell
 * would call
 * $? of the command, or -errno with a sentence on stderr. 'usage' is shared with the parent.
 */
struct profile_usage {
	uint64_t wall_ns, user_ns, system_ns, max_rss_bytes; /* of the command alone */
	char failure[1024]; /* the sentence if recording itself failed; "" */
};
typedef int (*profile_fn)(void *ctx, const struct scenario_case *c, unsigned int number,
			  const char *folder, struct profile_usage *usage);

/* Called in the parent after such a repetition that counts; takes the folder's files into account.
 * -errno with a sentence ends the run. */
typedef int (*profiled_fn)(void *ctx, unsigned int case_number, unsigned int number,
			   const char *folder);

struct measure_progress {
	const char *case_name;
	bool is_profile, is_warmup;
	unsigned int done, all; /* repetitions of this pass */
	uint64_t elapsed_ns, budget_ns;
};

struct measure_options {
	const struct scenario *scenario;
	struct scenario_cases *cases; /* those that need a scratch folder are given theirs: a second
					 run needs new ones */
	const struct policy_profile *policy;
	int warmup, repeat, profile_repeat; /* -1: the scenario's, else the policy's */
	uint64_t seed;
	const char *output; /* folder that exists: the commands' stdout and stderr are kept below
			       it while they run */
	profile_fn profile; /* NULL: no profile pass */
	profiled_fn profiled;
	void (*progress)(void *ctx, const struct measure_progress *p); /* NULL: not wanted */
	void *ctx;
};

/*
 * Runs setup of each case, warm-ups, the measure pass (within a cell variants are interleaved ABBA,
 * swapped by 'seed'), the profile pass in the same manner, and teardown, whatever happened. SIGINT
 * and SIGTERM end it after killing what runs. A repetition that is not OK voids the run and ends it
 * (its outcome says why); so does a ceiling (r->abort). What could not be removed afterwards is
 * told (r->leftover). 0 for all of these, *ret says what they are; -errno with a sentence if it
 * could not be run at all.
 */
int measure_run(const struct measure_options *o, struct run_result **ret);

/* Waits for other runs on this machine, which would disturb each other: returns a descriptor that
 * holds the lock, or -EBUSY with a sentence if 'wait' is false and another runs. */
int measure_lock(bool wait);
int measure_lock_at(const char *path, bool wait); /* the same with another file */
