/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/palette.h"

#include <errno.h>
#include <string.h>

#include "flamegraph/color.h"
#include "flamegraph/frame_family.h"
#include "flamegraph/palette_classic.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/model/profile.h"

/* Degrees and percent. A range's second number is its extent. */
struct shades {
	const char *name;
	int hue, hues;
	int saturation;
	int lightness, lightnesses;
};

#define NAME_HUES 7 /* what a name adds to the hue of its module */

/* Chosen for distance in CIELAB as dichromats see them (Machado, Oliveira, Fernandes 2009). */
static const struct shades families[] = {
	[FAMILY_USER] = { "native user", 12, 14, 88, 69, 5 },
	[FAMILY_INLINED] = { "inlined", 24, 8, 90, 86, 3 },
	[FAMILY_LIBC] = { "libc", 266, 10, 42, 80, 3 },
	[FAMILY_RUNTIME] = { "language runtime", 152, 10, 50, 55, 4 },
	[FAMILY_JIT] = { "JIT, interpreted", 62, 4, 88, 68, 4 },
	[FAMILY_KERNEL] = { "kernel", 208, 8, 85, 74, 4 },
	[FAMILY_PROCESS] = { "process", 250, 10, 12, 87, 3 },
};

static const struct {
	const char *name;
	enum palette_scheme scheme;
} schemes[] = {
	{ "kind", PALETTE_KIND },     { "module", PALETTE_MODULE }, { "hash", PALETTE_HASH },
	{ "hot", PALETTE_HOT },	      { "mem", PALETTE_MEM },	    { "io", PALETTE_IO },
	{ "wakeup", PALETTE_WAKEUP }, { "chain", PALETTE_CHAIN },   { "java", PALETTE_JAVA },
	{ "js", PALETTE_JS },	      { "perl", PALETTE_PERL },	    { "red", PALETTE_RED },
	{ "green", PALETTE_GREEN },   { "blue", PALETTE_BLUE },	    { "aqua", PALETTE_AQUA },
	{ "yellow", PALETTE_YELLOW }, { "purple", PALETTE_PURPLE }, { "orange", PALETTE_ORANGE },
};

int palette_scheme_find(const char *name, enum palette_scheme *ret)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(schemes); i++) {
		if (!strcmp(name, schemes[i].name)) {
			*ret = schemes[i].scheme;
			return 0;
		}
	}
	return errf(-EINVAL,
		    "there are no colours '%s': use kind, module, hash, hot, mem, io, wakeup, "
		    "chain, java, js, perl, red, green, blue, aqua, yellow, purple or orange",
		    name);
}

static bool read_hex(const char *text, uint32_t *ret)
{
	uint32_t v = 0;
	int i;

	if (*text != '#' || strlen(text) != 7 || strspn(text + 1, "0123456789abcdefABCDEF") != 6)
		return false;
	for (i = 1; i < 7; i++) {
		char c = text[i] | 0x20; /* letters in lower case, digits as they are */

		v = v << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*ret = v;
	return true;
}

int palette_background_find(const char *text, uint32_t ret[2])
{
	static const struct {
		const char *name;
		uint32_t top, bottom;
	} gradients[] = {
		{ "yellow", 0xeeeeee, 0xeeeeb0 }, { "blue", 0xeeeeee, 0xe0e0ff },
		{ "green", 0xeef2ee, 0xe0ffe0 },  { "grey", 0xf8f8f8, 0xe8e8e8 },
		{ "gray", 0xf8f8f8, 0xe8e8e8 },
	};
	uint32_t color;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(gradients); i++) {
		if (!strcmp(text, gradients[i].name)) {
			ret[0] = 0xff000000 | gradients[i].top;
			ret[1] = 0xff000000 | gradients[i].bottom;
			return 0;
		}
	}
	if (!read_hex(text, &color))
		return errf(-EINVAL,
			    "there is no background '%s': use yellow, blue, green, grey or #rrggbb",
			    text);
	ret[0] = ret[1] = 0xff000000 | color;
	return 0;
}

static uint32_t of_family(const struct palette *palette, uint32_t kind, const char *name,
			  const char *module)
{
	const struct shades *f = &families[frame_family_of(kind, name, module)];
	uint32_t of_name = color_hash(name);
	uint32_t of_hue = *module && !palette->is_random ? color_hash(module) : of_name >> 3;

	return color_hsl(
		f->hue + (int)(of_hue % (f->hues + 1)) + (int)((of_name >> 16) % (NAME_HUES + 1)),
		f->saturation, f->lightness + (int)((of_name >> 8) % (f->lightnesses + 1)));
}

/* A frame without a module is as grey as one that has no code. */
static uint32_t of_module(const char *module, uint32_t of_name)
{
	int step = of_name % 7;

	if (!*module)
		return color_hsl(250, 8, 82 + step);
	return color_hsl(color_hash(module) % 360, 72, 78 + step);
}

static const char *module_name(uint32_t kind, const char *module)
{
	return kind == FRAME_KERNEL && !*module ? "[kernel]" : module;
}

uint32_t palette_color(const struct palette *palette, uint32_t kind, const char *name,
		       const char *module)
{
	switch (palette->scheme) {
	case PALETTE_KIND:
		return of_family(palette, kind, name, module);
	case PALETTE_MODULE:
		return of_module(module_name(kind, module), color_hash(name));
	default:
		return palette_classic_color(palette->scheme, palette->is_random, kind, name);
	}
}

int palette_color_mapped(const struct palette *palette, uint32_t kind, const char *name,
			 const char *module, uint32_t *ret)
{
	uint32_t color;
	int err = 0;

	if (!palette->map || !palette_map_find(palette->map, name, &color)) {
		color = palette_color(palette, kind, name, module);
		err = palette->map ? palette_map_add(palette->map, name, color) : 0;
	}
	if (!err)
		*ret = color;
	return err;
}

const char *palette_class(const struct palette *palette, uint32_t kind, const char *name,
			  const char *module, uint32_t *ret_color)
{
	const struct shades *f;

	switch (palette->scheme) {
	case PALETTE_KIND:
		f = &families[frame_family_of(kind, name, module)];
		*ret_color = color_hsl(f->hue + (f->hues + NAME_HUES) / 2, f->saturation,
				       f->lightness + f->lightnesses / 2);
		return f->name;
	case PALETTE_MODULE:
		module = module_name(kind, module);
		*ret_color = of_module(module, 3);
		return *module ? module : "no module";
	default:
		return palette_classic_class(palette->scheme, kind, name, ret_color);
	}
}
