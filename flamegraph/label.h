/* SPDX-License-Identifier: BSD-2-Clause */
/* label: text inside a drawing: how wide it is, where to cut it, and how to write it as XML. */
#pragma once

#include "user/base/str.h"

#define LABEL_FONT "Verdana,DejaVu Sans,sans-serif"

/*
 * Width in hundredths of a pixel of text in LABEL_FONT at 'size' pixels. Rather too wide than too
 * narrow: the advance widths of DejaVu Sans, which Verdana and the usual fallbacks do not exceed by
 * more than a hair, and a full em for all that is not ASCII.
 */
long label_width(const char *text, unsigned int size);

/*
 * Appends as much of the text as 'room' (hundredths of a pixel) holds, with "..." as one character
 * where it was cut; nothing if fewer than three characters would be left of it. The text must be
 * clean (str_add_clean). 0 or -ENOMEM.
 */
int label_fit(const char *text, unsigned int size, long room, struct str *out);

/*
 * Appends text for the content of an element or a quoted attribute: valid in XML 1.0 (section
 * 2.2) whatever the bytes, on one line, read in the order of its characters. 0 or -ENOMEM.
 */
int xml_add(struct str *out, const char *text);

/* The same for text that is clean but for tabs and line feeds, which stay. */
int xml_add_lines(struct str *out, const char *text);
