/* SPDX-License-Identifier: BSD-2-Clause */
/* label: text inside a drawing: how wide it is, and where to cut it. */
#pragma once

#include "user/base/str.h"

#define LABEL_FONT "Verdana,DejaVu Sans,sans-serif"

/*
 * Width in hundredths of a pixel of text in LABEL_FONT at 'size' pixels. Rather too wide than too
 * narrow: the advance widths of DejaVu Sans, which Verdana and the usual fallbacks do not exceed by
 * more than a hair, and a full em for all that is not ASCII.
 */
long label_width(const char *text, double size);

/*
 * Appends as much of the text as 'room' (hundredths of a pixel) holds, with "..." as one character
 * where it was cut; nothing if fewer than three characters would be left of it. The text must be
 * clean (str_add_clean). 0 or -ENOMEM.
 */
int label_fit(const char *text, double size, long room, struct str *out);

/*
 * The same in a font that is not known: each character is at least so wide, in thousandths of an
 * em, as all are in a monospaced font. Of LABEL_FONT, or none (NULL), that is 0.
 */
short label_least_width(const char *font);
long label_width_font(const char *text, double size, short least);
int label_fit_font(const char *text, double size, short least, long room, struct str *out);
