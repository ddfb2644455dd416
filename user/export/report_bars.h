/* SPDX-License-Identifier: BSD-2-Clause */
/* report_bars: a distribution for people: a line with a bar for each of its intervals. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "user/export/report_text.h"

struct report_bars {
	const json_t *list;	   /* of objects of known shape, with a count "n" and: */
	const char *lower, *upper; /* the keys of the interval's ends, */
	const char *unit;	   /* as view_amount() takes it */
	int unit_width;		   /* characters that an end takes at most */
};

/* The largest number of the list: if it is 0 there is nothing to draw. */
uint64_t report_bars_most(const struct report_bars *bars);

/* 0 or -ENOMEM. */
int report_bars(const struct report_bars *bars, const struct report_style *style, FILE *out);
