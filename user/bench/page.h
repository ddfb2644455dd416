/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page: text that is put together from our own words and from strangers' names, which cannot get
 * out of their place: not in a terminal, in Markdown, in XML, in OpenMetrics, in the commands that
 * GitHub reads from a log. The first failure is kept; page_write() tells of it.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "user/base/str.h"

struct page {
	struct str text;
	int err;
};

void page_release(struct page *p);

/* Our own words, as they are. */
void page_put(struct page *p, const char *text);
void page_putf(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Names, on one line, without control characters (str_add_clean); NULL is "". */
void page_clean(struct page *p, const char *text);

/* The same, filled up with blanks to so many characters, or cut. */
void page_column(struct page *p, const char *text, unsigned int width);

/* Content of an element or of a quoted attribute. */
void page_xml(struct page *p, const char *text);

/* Markdown (GitHub's): as code, also in a table; and as words, in which nothing is markup. */
void page_code(struct page *p, const char *text);
void page_words(struct page *p, const char *text);

/* Value of a label of OpenMetrics, without its quotes. */
void page_label(struct page *p, const char *text);

/* Message, and property, of a workflow command of GitHub's ("::error title=PROPERTY::MESSAGE"). */
void page_message(struct page *p, const char *text);
void page_property(struct page *p, const char *text);

/* A number with its unit, in four digits: "12.35 ms", "1.5 MiB", "42"; "-" if it is none. */
void page_quantity(struct page *p, double value, const char *unit);

/* With its sign: "+3.1 %", or "+3.1 points" for a difference of rates; "-" if it is none. */
void page_change(struct page *p, double change, bool is_points);

/* Writes it all. -EIO or -ENOMEM with a sentence; 'name' is what is written, for that. */
int page_write(struct page *p, const char *name, FILE *out);

/* " is 7, at least 8, at most 9": a value, and its limits; NAN is not known, or none. */
void page_limits(struct page *p, double value, double min, double max);
