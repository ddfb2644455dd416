/* SPDX-License-Identifier: BSD-2-Clause */
/* difference_report: what changed between two profiles, as text and as JSON. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "user/base/str.h"
#include "user/model/difference.h"

enum difference_significance {
	SIGNIFICANCE_NONE,
	SIGNIFICANCE_SAMPLES, /* what their number cannot tell from chance is noise */
	SIGNIFICANCE_GATE,    /* as a gate judged it, from run to run */
};

/* Everything belongs to the caller. */
struct difference_report {
	const struct difference *d; /* in the order to be shown, with its scale set */
	enum difference_scale scale;
	enum difference_significance significance;
	const char *value, *unit;
	const char *sources[DIFFERENCE_SIDES]; /* as the person named them */
	const char *origins[DIFFERENCE_SIDES]; /* what recordings say of themselves; "" */
	bool by_total;
	size_t rows;	   /* at most; 0: all */
	double max_growth; /* a share; NAN: nobody asked */
	uint64_t repairs[DIFFERENCE_SIDES];
};

extern const char *const difference_scale_names[3];
extern const char *const difference_scale_texts[3]; /* for people */
extern const char *const difference_significance_names[3];

/*
 * Whether the function grew by more than 'max_growth' of all that there was before. What is known
 * to be noise did not.
 */
bool difference_exceeds(const struct difference_report *r, const struct difference_row *row);

/* How many functions did not only because they are noise. */
size_t difference_grown_noise(const struct difference_report *r);

/* The same of everything, which shares cannot tell. */
bool difference_all_exceeds(const struct difference_report *r);

/* "passed", "exceeded", "inconclusive" if there was nothing before; NULL: nobody asked. */
const char *difference_verdict(const struct difference_report *r);

/* Appends "run-a, 10.2 s of cpu in 10.0 s; ORIGIN". 0 or -ENOMEM. */
int difference_describe_side(const struct difference_report *r, enum difference_side side,
			     struct str *out);

/*
 * A heading, the table of the largest changes, and with a limit the verdict. Functions that did not
 * change in what it is sorted by are left out. Errors of 'out' are the caller's to ask for. 0 or
 * -ENOMEM with a sentence.
 */
int difference_text(const struct difference_report *r, bool color, FILE *out);

/* Schema fathom.diff/1 (docs/schemas). A new reference, or NULL if there is no memory. */
json_t *difference_json(const struct difference_report *r);
