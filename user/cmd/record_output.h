/* SPDX-License-Identifier: BSD-2-Clause */
/* record_output: what a recording leaves in its run folder. */
#pragma once

#include "user/cmd/run_folder.h"
#include "user/collect/session.h"
#include "user/model/view.h"

struct record_output {
	struct view view; /* of the folded stacks and the flame graph */
	int argc;	  /* fathom's own command line, from the command's name on */
	char **argv;
};

/*
 * Fills in the summary's host and command, adds comments to the profiles, and writes NAME.folded,
 * NAME.pb.gz and NAME.svg of each collector, summary.json and at last manifest.json. *ret_json is
 * the text of summary.json, the caller's. 0 or -errno with a sentence.
 */
int record_output_write(const struct record_output *output, const struct session_options *session,
			struct recorded *recorded, struct run_folder *rf, char **ret_json);
