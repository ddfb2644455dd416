/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * repetition: runs the command of a case once, or watches a service for a while, and says what it
 * used and whether it was right. This process has to be a subreaper (process_tree.h).
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "user/bench/measure.h"
#include "user/bench/run_result.h"
#include "user/bench/scenario.h"

/* What every case has, in the order of repetition_metrics[]. */
enum {
	VALUE_WALL,
	VALUE_CPU,
	VALUE_USER,
	VALUE_SYSTEM,
	VALUE_MAX_RSS,
	VALUE_MINOR_FAULTS,
	VALUE_MAJOR_FAULTS,
	VALUE_VOLUNTARY_SWITCHES,
	VALUE_INVOLUNTARY_SWITCHES,
	VALUE_READ,
	VALUE_WRITTEN,
	VALUE_READY,
	VALUE_INSTRUCTIONS,
	VALUE_CYCLES,
	VALUE_CACHE_MISSES,
	VALUE_BRANCH_MISSES,
	REPETITION_VALUES
};

struct repetition_metric {
	const char *name, *unit;
};
extern const struct repetition_metric repetition_metrics[REPETITION_VALUES];

struct repetition_options {
	const struct scenario *scenario;
	const struct scenario_case *c;
	unsigned int number;
	const char *folder;	  /* private; stdout and stderr are left there */
	uint64_t timeout_ns;	  /* of the command */
	uint64_t hook_timeout_ns; /* of before_each and verify, each */
	int stop_fd;		  /* ends it when readable; -1: none */
	profile_fn profile;	  /* NULL: the command itself */
	void *profile_ctx;
	const char *profile_folder;
};

/*
 * A repetition's own times: wall time is from just before the command is executed until it ends, or
 * is stopped because its duration is over or it is ready. What all processes of the command used
 * counts; the largest resident set is that of the largest of them.
 */
struct repetition {
	enum repetition_outcome outcome;
	int exit_status;
	char *message;	       /* a sentence if it is not OK, the caller's */
	bool recording_failed; /* 'profile' could not record, which 'message' tells */
	uint64_t start_ns;     /* wall clock, since 1970 */
	uint64_t other_ns;     /* CPU time of a service that was watched: not of our children */
	double values[REPETITION_VALUES]; /* NAN: not known */
	char out[PATH_MAX];		  /* the command's stdout */
};

/* 0, whatever the outcome; -errno with a sentence if it could not be run at all. */
int repetition_run(const struct repetition_options *o, struct repetition *ret);

/* Whether a file was last written before 'since_ns' (of the wall clock), and so by another
 * repetition. */
bool repetition_is_stale(int fd, uint64_t since_ns);

/* 'file' of a scenario: below the case's workdir unless it is absolute. 0, or -ENAMETOOLONG with a
 * sentence. */
int repetition_path(const struct scenario_case *c, const char *file, char ret[PATH_MAX]);
