/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate_session: what 'fathom gate' compares: a run and an accepted one, or two variants that it
 * runs itself; and the run in fresh processes that confirms an alert.
 */
#pragma once

#include "user/bench/gate_judge.h"
#include "user/cmd/gate_options.h"
#include "user/cmd/scenario_run.h"

struct gate_session {
	const struct gate_options *o;
	struct scenario_run ab;	   /* with --ab */
	char ab_folder[32];	   /* where its profiles are, before it has its name */
	struct scenario *scenario; /* of the run that is judged, else */
	struct policy *policy;
	struct run_result *before, *after; /* owned; NULL with --ab */
	char *before_path;
	char *baseline_id;
	struct calibration *calibration; /* NULL: none */
	struct scenario_request again_request;
	struct scenario_run again; /* what confirms */
	struct gate_input input;
	struct gate_result *result;
};

/* Reads what is judged. An exit code with the sentence printed, or EXIT_DONE. */
int gate_session_open(struct gate_session *s, const struct gate_options *o);

/* With --ab: runs, and leaves the run in the folder. */
int gate_session_run(struct gate_session *s, struct run_folder *rf);

/*
 * Judges, and if something alerts runs again what does: in fresh processes, with twice the
 * repetitions. EXIT_DONE with s->result, or an exit code with the sentence printed.
 */
int gate_session_judge(struct gate_session *s);

void gate_session_release(struct gate_session *s);
