/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/color.h"

#include <math.h>

/* FNV-1a, 32 bits, with the finalizer of MurmurHash3. */
uint32_t color_hash(const char *text)
{
	uint32_t h = 2166136261U;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619U;
	h = (h ^ h >> 16) * 0x85ebca6bU;
	h = (h ^ h >> 13) * 0xc2b2ae35U;
	return h ^ h >> 16;
}

static uint32_t channel(int n, int hue, int s, int l)
{
	int k = (n * 300 + hue * 10) % 3600; /* in tenths of a degree: twelve steps of 30 */
	int a = s * (l < 100 - l ? l : 100 - l);
	int m = k - 900 < 2700 - k ? k - 900 : 2700 - k;

	m = m < -300 ? -300 : m > 300 ? 300 : m;
	return ((l * 30000 - a * m) * 255 + 1500000) / 3000000;
}

uint32_t color_hsl(int hue, int saturation, int lightness)
{
	int h = (hue % 360 + 360) % 360;

	return color_rgb(channel(0, h, saturation, lightness), channel(8, h, saturation, lightness),
			 channel(4, h, saturation, lightness));
}

uint32_t color_rgb(unsigned int red, unsigned int green, unsigned int blue)
{
	return (red & 255) << 16 | (green & 255) << 8 | (blue & 255);
}

static double linear(uint32_t channel_of)
{
	double v = (channel_of & 255) / 255.0;

	return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

double color_luminance(uint32_t rgb)
{
	return 0.2126 * linear(rgb >> 16) + 0.7152 * linear(rgb >> 8) + 0.0722 * linear(rgb);
}
