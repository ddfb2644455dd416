/* SPDX-License-Identifier: BSD-2-Clause */
/* record_options: the command line of 'fathom record'. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/cmd/record_output.h"
#include "user/collect/session.h"

struct record_options {
	struct session_options session;
	struct record_output output;
	const char *folder; /* NULL: named by the time */
	const char *weight; /* NULL: each collector's own */
	unsigned int needs; /* options that only some collectors know: bits by their number */
	bool force;
	bool json;
	bool quiet;
	double max_loss; /* percent; negative: no limit */
	struct cpu_set cpus;
	uint32_t *pids, *tids;
	size_t n_pids, pids_cap, n_tids, tids_cap;
	const char **comms;
	size_t n_comms, comms_cap;
	const char **paths;
	size_t paths_cap;
};

/* Defaults. */
void record_options_init(struct record_options *o, int argc, char **argv);
void record_options_release(struct record_options *o);

/*
 * EXIT_DONE to go on, or an exit code with the sentence printed. *ret_help if help was asked for,
 * and printed. What is parsed refers to argv.
 */
int record_options_parse(struct record_options *o, int argc, char **argv, bool *ret_help);
