/* SPDX-License-Identifier: BSD-2-Clause */
/* gate_options: the command line of 'fathom gate'. */
#pragma once

#include <stdbool.h>

#include "user/cmd/scenario_options.h"

struct gate_options {
	struct scenario_options scenario; /* its path is that of --ab; NULL: a run is judged */
	const char *run;		  /* NULL with --ab */
	const char *baseline;		  /* folder, ID or pin; NULL: the last accepted one */
	const char *store;
	const char *preset;	    /* NULL: none */
	const char *before, *after; /* variants; NULL: the two that there are */
	const char *folder;	    /* NULL: RUN.gate, or named by the time */
	bool has_profile;	    /* of the policy: else that of the run */
	bool across, no_retry, force, json, annotates, no_color, quiet;
	int argc;
	char **argv;
};

/* EXIT_DONE to go on, or an exit code with the sentence printed; *ret_help if help was printed. */
int gate_options_parse(struct gate_options *o, int argc, char **argv, bool *ret_help);
void gate_options_release(struct gate_options *o);
