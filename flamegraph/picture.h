/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * picture: a flame tree as one self-contained file: SVG, or HTML with the same body. It reads well
 * with scripts and style sheets forbidden, and is interactive where they are not.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "flamegraph/flame_data.h"
#include "flamegraph/flame_tree.h"
#include "flamegraph/palette.h"

#define PICTURE_DEFAULT_WIDTH	  1200
#define PICTURE_MIN_WIDTH	  300
#define PICTURE_MAX_WIDTH	  100000
#define PICTURE_MARGIN		  10  /* pixels left and right of the frames */
#define PICTURE_DEFAULT_MIN_WIDTH 0.1 /* pixels */

struct picture_options {
	const char *title;	 /* NULL: "Flame Graph", or another kind's name */
	const char *subtitle;	 /* NULL: none */
	const char *unit;	 /* of the values: "count", "nanoseconds", "bytes"; NULL: "count" */
	const char *value;	 /* what they are: "samples", "cpu"; NULL: "samples" */
	const char *count_name;	 /* flamegraph.pl's --countname; NULL: as unit and value say */
	const char *name_type;	 /* flamegraph.pl's --nametype ("Function:"); NULL: none */
	const char *font;	 /* NULL: the default */
	const char *notes;	 /* a comment in the file; NULL: none */
	unsigned int width;	 /* pixels; 0: 1200, and the window's width where scripts run */
	unsigned int row_height; /* pixels; 0: the default */
	double font_size;	 /* pixels; 0: the default */
	/* Frames narrower than this are joined. Negative: the default, more if there were too many.
	 */
	double min_width; /* pixels, */
	double min_share; /* or, if above 0, this share of all */
	double total;	/* what is 100 %, as the values; 0, or less than there is: all that is there
			 */
	bool is_icicle; /* root at the top */
	bool is_html;
	bool is_negated; /* a differential's colours change places */
	/* Of a differential: before and after one above the other, each as wide as it was, without
	 * a script. */
	bool has_two_panes;
	bool delta_is_percent; /* a differential's colour is a frame's own change in percent */
	struct palette palette;
	/* Where it comes from: key and text, in a line below the frames: rate, span, host, losses
	 * ... */
	const char *const (*provenance)[2];
	size_t n_provenance;
	const struct flame_time *time; /* NULL: none */
	bool has_all_data;	       /* the tree inside is whole, however large the file is */
};

/*
 * Writes valid XML (or HTML) whatever the names hold; the same tree and options give the same
 * bytes. Flushes 'out'. 0 or -errno with a sentence.
 */
int picture_write(const struct flame_tree *tree, const struct picture_options *options, FILE *out);
