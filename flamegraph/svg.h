/* SPDX-License-Identifier: BSD-2-Clause */
/* svg: draws a flame graph's layout as one self-contained interactive SVG file. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "flamegraph/flamegraph.h"

#define SVG_DEFAULT_WIDTH 1200
#define SVG_MIN_WIDTH	  300
#define SVG_MAX_WIDTH	  100000
#define SVG_MARGIN	  10 /* pixels left and right of the frames */

struct svg_delta;

struct svg_options {
	const char *title;    /* NULL: "Flame Graph" */
	const char *subtitle; /* rate, span, losses; NULL: none */
	const char *unit;     /* of the values: "count", "nanoseconds", "bytes" */
	const char *value;    /* what they are: "samples", "cpu" */
	unsigned int width;   /* pixels; 0: 1200, and as wide as its window where scripts may run */
	bool icicle;	      /* root at the top */
	const struct svg_delta
		*delta; /* frames are coloured by what changed; NULL: by their kind */
};

/*
 * Writes valid XML whatever the names hold; readable with scripts forbidden; the same layout and
 * options give the same bytes. 0 or -errno with a sentence.
 */
int svg_write(const struct flame_layout *layout, const struct svg_options *options, FILE *out);
