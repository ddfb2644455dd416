/* SPDX-License-Identifier: BSD-2-Clause */
/* diff_options: the command line of 'fathom diff'. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/export/difference_report.h"

enum diff_noise {
	NOISE_AUTO,    /* by samples where both sides were sampled in time */
	NOISE_SAMPLES, /* by samples: counts are samples */
	NOISE_NONE,
};

struct diff_options {
	const char *paths[DIFFERENCE_SIDES];
	const char *collector, *case_name, *value;
	enum difference_scale scale;
	enum diff_noise noise;
	const char *gate; /* its result, or its folder; NULL: none */
	bool by_total, json, no_color, quiet;
	bool has_rows;
	unsigned int rows; /* 0: all */
	double max_growth; /* a share; NAN: no limit */

	/* Of the picture. */
	const char *output; /* NULL: none */
	const char *title, *subtitle;
	unsigned int width, panes;
	bool is_html, is_icicle, is_negated, delta_is_percent, no_comm;
};

/*
 * True if there is something to compare; else *ret_code is the exit code, after a message or the
 * help.
 */
bool diff_options_parse(struct diff_options *o, int argc, char **argv, int *ret_code);
