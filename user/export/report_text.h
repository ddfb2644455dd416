/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_text: a profile for people: the top table, the call tree, and what surrounds a function.
 * Names are clean text. Errors of 'out' are the caller's to ask for; the functions return 0 or
 * -ENOMEM with a sentence.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "user/export/report.h"

struct report_style {
	bool color;	    /* ANSI colours */
	bool utf8;	    /* box-drawing characters, else ASCII */
	unsigned int width; /* of the terminal, to which module names are cut; 0: no cut */
};

/* At most 'rows' functions (0: all), and how many more there are. */
int report_text_top(const struct report *r, const struct top *top, size_t rows,
		    const struct report_style *style, FILE *out);

/*
 * Calls from the root down. A line without a branch mark continues the call above it, which had
 * no other worth showing. min_share is that of 't', for the sentence about what is left out.
 */
int report_text_tree(const struct report *r, const struct report_tree *t, double min_share,
		     const struct report_style *style, FILE *out);

/* Callers and callees, at most 'rows' of each (0: all). */
int report_text_function(const struct report *r, const char *function,
			 const struct top_neighbours *n, size_t rows,
			 const struct report_style *style, FILE *out);
