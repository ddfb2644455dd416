/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drawing: markup that goes to a file, through a bounded buffer. The first error stays, and all
 * after it is skipped.
 */
#pragma once

#include <stdio.h>

#include "user/base/str.h"

struct drawing {
	FILE *out;
	struct str text; /* not written yet */
	int err;	 /* the first that happened: -errno */
};

void drawing_put(struct drawing *d, const char *text);
void drawing_putf(struct drawing *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Text of people, as the content of an element or of a quoted attribute. */
void drawing_put_xml(struct drawing *d, const char *text);

/* ' name="12.5"' of hundredths. */
void drawing_put_number(struct drawing *d, const char *attribute, long hundredths);

/* Writes what is left, and has the file written out. 0, or the first error with a sentence that
 * says 'what' it is. */
int drawing_end(struct drawing *d, const char *what);
