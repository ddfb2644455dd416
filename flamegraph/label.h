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
long label_width(const char *text, unsigned int size);

/*
 * Appends as much of the text as 'room' (hundredths of a pixel) holds, with "..." as one character
 * where it was cut; nothing if fewer than three characters would be left of it. The text must be
 * clean (str_add_clean). 0 or -ENOMEM.
 */
int label_fit(const char *text, unsigned int size, long room, struct str *out);
