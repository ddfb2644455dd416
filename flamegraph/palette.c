/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/palette.h"

#include "user/base/array.h"

/* Degrees and percent. A range's second number is its extent. */
struct family {
	const char *name;
	int hue, hues;
	int saturation;
	int lightness, lightnesses;
};

static const struct family families[] = {
	[FRAME_USER] = { "user", 4, 48, 88, 71, 8 },
	[FRAME_KERNEL] = { "kernel", 200, 12, 72, 72, 9 },
	[FRAME_INLINED] = { "inlined", 4, 48, 80, 84, 5 },
	[FRAME_INTERPRETED] = { "runtime", 92, 50, 50, 68, 9 },
	[FRAME_SYNTHETIC] = { "process", 250, 20, 14, 83, 6 },
};

static const struct family *family_of(uint32_t kind)
{
	return &families[kind < ARRAY_SIZE(families) ? kind : (uint32_t)FRAME_USER];
}

/* FNV-1a, 32 bits, with the finalizer of MurmurHash3: names that differ in one letter differ. */
static uint32_t hash_text(const char *text)
{
	uint32_t h = 2166136261U;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619U;
	h = (h ^ h >> 16) * 0x85ebca6bU;
	h = (h ^ h >> 13) * 0xc2b2ae35U;
	return h ^ h >> 16;
}

/* One channel of HSL to RGB in whole numbers (CSS Color 4, section 7.1), 0..255. */
static uint32_t channel(int n, int hue, int s, int l)
{
	int k = (n * 300 + hue * 10) % 3600; /* in tenths of a degree: twelve steps of 30 */
	int a = s * (l < 100 - l ? l : 100 - l);
	int m = k - 900 < 2700 - k ? k - 900 : 2700 - k;

	m = m < -300 ? -300 : m > 300 ? 300 : m;
	return ((l * 30000 - a * m) * 255 + 1500000) / 3000000;
}

static uint32_t hsl(int hue, int saturation, int lightness)
{
	int h = (hue + 360) % 360;

	return channel(0, h, saturation, lightness) << 16 |
	       channel(8, h, saturation, lightness) << 8 | channel(4, h, saturation, lightness);
}

uint32_t palette_color(uint32_t kind, const char *name, const char *module)
{
	const struct family *f = family_of(kind);
	uint32_t of_name = hash_text(name), of_hue = *module ? hash_text(module) : of_name;

	return hsl(f->hue + (int)(of_hue % (f->hues + 1)) + (int)(of_name >> 16 & 7), f->saturation,
		   f->lightness + (int)((of_name >> 8) % (f->lightnesses + 1)));
}

uint32_t palette_sample(uint32_t kind)
{
	const struct family *f = family_of(kind);

	return hsl(f->hue + f->hues / 2, f->saturation, f->lightness + f->lightnesses / 2);
}

const char *palette_kind_name(uint32_t kind)
{
	return family_of(kind)->name;
}
