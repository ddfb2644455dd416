/* SPDX-License-Identifier: BSD-2-Clause */
/* color: colours in whole numbers, the same on every machine, and what makes one of a name. */
#pragma once

#include <stdint.h>

/* 0xRRGGBB of hue (degrees, any), saturation and lightness (percent). CSS Color 4, section 7.1. */
uint32_t color_hsl(int hue, int saturation, int lightness);

/* 0xRRGGBB of 0..255 each. */
uint32_t color_rgb(unsigned int red, unsigned int green, unsigned int blue);

/* Of a name's bytes; names that differ in one letter differ. For what is kept and compared. */
uint32_t color_hash(const char *text);

/* 0 (black) to 1 (white): relative luminance of WCAG 2. */
double color_luminance(uint32_t rgb);
