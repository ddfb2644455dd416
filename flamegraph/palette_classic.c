/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/palette_classic.h"

#include <string.h>

#include "flamegraph/color.h"
#include "user/base/array.h"
#include "user/model/profile.h"

/*
 * A channel is a base and an extent, and which of a name's three numbers says how much of it: so
 * channels of one number go together.
 */
struct channel_range {
	unsigned char base, extent, number;
};

struct color_range {
	struct channel_range red, green, blue;
};

static const struct color_range ranges[] = {
	[PALETTE_HASH] = { { 205, 50, 2 }, { 150, 80, 0 }, { 40, 55, 1 } }, /* readable */
	[PALETTE_HOT] = { { 205, 50, 2 }, { 0, 230, 0 }, { 0, 55, 1 } },
	[PALETTE_MEM] = { { 0, 0, 0 }, { 190, 50, 1 }, { 0, 210, 0 } },
	[PALETTE_IO] = { { 80, 60, 0 }, { 80, 60, 0 }, { 190, 55, 1 } },
	[PALETTE_RED] = { { 200, 55, 0 }, { 50, 80, 0 }, { 50, 80, 0 } },
	[PALETTE_GREEN] = { { 50, 60, 0 }, { 200, 55, 0 }, { 50, 60, 0 } },
	[PALETTE_BLUE] = { { 80, 60, 0 }, { 80, 60, 0 }, { 205, 50, 0 } },
	[PALETTE_AQUA] = { { 50, 60, 0 }, { 165, 55, 0 }, { 165, 55, 0 } },
	[PALETTE_YELLOW] = { { 175, 55, 0 }, { 175, 55, 0 }, { 50, 20, 0 } },
	[PALETTE_PURPLE] = { { 190, 65, 0 }, { 80, 60, 0 }, { 190, 65, 0 } },
	[PALETTE_ORANGE] = { { 190, 65, 0 }, { 90, 65, 0 }, { 0, 0, 0 } },
};

/* 0 (aaaa) to 999 (zzzz) by the first letters of a name: what sorts together is of like colour. */
static unsigned int order_of(const char *name)
{
	unsigned int v = 0, i;

	name += strspn(name, "_[.$<(*&~");
	for (i = 0; i < 3; i++) {
		unsigned int letter = 0;

		if (*name) {
			unsigned char c = *name++ | 0x20;

			letter = c < 'a' ? 0 : c > 'z' ? 25 : c - 'a';
		}
		v = v * 26 + letter;
	}
	return v * 999 / (26 * 26 * 26 - 1);
}

static unsigned int channel(const struct channel_range *r, const unsigned int numbers[3])
{
	return r->base + r->extent * numbers[r->number] / 1000;
}

static uint32_t color_in(enum palette_scheme range, const unsigned int numbers[3])
{
	const struct color_range *r = &ranges[range];

	return color_rgb(channel(&r->red, numbers), channel(&r->green, numbers),
			 channel(&r->blue, numbers));
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);

	return n >= k && !strcmp(name + n - k, end);
}

/* What flamegraph.pl reads in a suffix; here it may have become the frame's kind. */
static bool is_marked(uint32_t kind, const char *name, uint32_t as_kind, const char *suffix)
{
	return kind == as_kind || ends_with(name, suffix);
}

static bool is_java_package(const char *name)
{
	static const char *const roots[] = { "java/", "javax/", "jdk/", "net/",
					     "org/",  "com/",	"io/",	"sun/" };
	size_t i;

	name += *name == 'L';
	for (i = 0; i < ARRAY_SIZE(roots); i++) {
		if (!strncmp(name, roots[i], strlen(roots[i])))
			return true;
	}
	return false;
}

static bool is_script(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash && strstr(slash, ".js");
}

static enum palette_scheme of_java(uint32_t kind, const char *name)
{
	if (is_marked(kind, name, FRAME_INTERPRETED, "_[j]"))
		return PALETTE_GREEN;
	if (is_marked(kind, name, FRAME_INLINED, "_[i]"))
		return PALETTE_AQUA;
	if (is_java_package(name) || strstr(name, ":::"))
		return PALETTE_GREEN;
	if (strstr(name, "::"))
		return PALETTE_YELLOW;
	return is_marked(kind, name, FRAME_KERNEL, "_[k]") ? PALETTE_ORANGE : PALETTE_RED;
}

static enum palette_scheme of_js(uint32_t kind, const char *name)
{
	if (is_marked(kind, name, FRAME_INTERPRETED, "_[j]"))
		return strchr(name, '/') ? PALETTE_GREEN : PALETTE_AQUA;
	if (strstr(name, "::"))
		return PALETTE_YELLOW;
	if (is_script(name))
		return PALETTE_GREEN;
	if (strchr(name, ':'))
		return PALETTE_AQUA;
	if (!strcmp(name, " "))
		return PALETTE_GREEN;
	return is_marked(kind, name, FRAME_KERNEL, "_[k]") ? PALETTE_ORANGE : PALETTE_RED;
}

static enum palette_scheme of_perl(uint32_t kind, const char *name)
{
	if (strstr(name, "::"))
		return PALETTE_YELLOW;
	if (strstr(name, "Perl") || strstr(name, ".pl"))
		return PALETTE_GREEN;
	return is_marked(kind, name, FRAME_KERNEL, "_[k]") ? PALETTE_ORANGE : PALETTE_RED;
}

/* The range of colours of a frame: for schemes that mix several, by the frame. */
static enum palette_scheme range_of(enum palette_scheme scheme, uint32_t kind, const char *name)
{
	switch (scheme) {
	case PALETTE_WAKEUP:
		return PALETTE_AQUA;
	case PALETTE_CHAIN:
		return ends_with(name, "_[w]") ? PALETTE_AQUA : PALETTE_BLUE;
	case PALETTE_JAVA:
		return of_java(kind, name);
	case PALETTE_JS:
		return of_js(kind, name);
	case PALETTE_PERL:
		return of_perl(kind, name);
	default:
		return scheme;
	}
}

uint32_t palette_classic_color(enum palette_scheme scheme, bool is_random, uint32_t kind,
			       const char *name)
{
	uint32_t h = color_hash(name);
	unsigned int numbers[3] = { 999 - order_of(name), (h & 0xffff) % 1000, (h >> 16) % 1000 };

	if (is_random)
		numbers[0] = (h >> 8 & 0xffff) % 1000;
	return color_in(range_of(scheme, kind, name), numbers);
}

static const char *meaning(enum palette_scheme scheme, enum palette_scheme range)
{
	switch (range) {
	case PALETTE_YELLOW:
		return "C++";
	case PALETTE_ORANGE:
		return "kernel";
	case PALETTE_RED:
		return "native";
	case PALETTE_AQUA:
		return scheme == PALETTE_JAVA	 ? "inlined"
		       : scheme == PALETTE_JS	 ? "built-in"
		       : scheme == PALETTE_CHAIN ? "waker"
						 : NULL;
	case PALETTE_GREEN:
		return scheme == PALETTE_JAVA ? "Java"
		       : scheme == PALETTE_JS ? "JavaScript"
					      : "Perl";
	case PALETTE_BLUE:
		return "blocked";
	default:
		return NULL;
	}
}

const char *palette_classic_class(enum palette_scheme scheme, uint32_t kind, const char *name,
				  uint32_t *ret_color)
{
	static const unsigned int middle[3] = { 500, 500, 500 };
	enum palette_scheme range;
	const char *text;

	switch (scheme) {
	case PALETTE_CHAIN:
	case PALETTE_JAVA:
	case PALETTE_JS:
	case PALETTE_PERL:
		break;
	default:
		return NULL;
	}
	range = range_of(scheme, kind, name);
	text = meaning(scheme, range);
	if (text)
		*ret_color = color_in(range, middle);
	return text;
}
