/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg_delta: what a flame graph's frames were before and are now: colours and texts. Blue is less,
 * orange-red is more, told apart whatever colours somebody sees; the shade says how much of
 * everything it is. Coloured is what a frame spent itself, as its children have colours, too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flamegraph/flamegraph.h"
#include "user/base/str.h"

/* One frame, in the unit of the values; both sides measured alike (per iteration). */
struct svg_change {
	double before, after; /* with all below */
	double self_before, self_after;
	double p;	     /* of its function's change; NAN: unknown */
	bool is_function;    /* false: the root, a process: no colour */
	bool is_significant; /* false: grey, if frames are judged */
	bool is_vanished;    /* not there after: as wide as it was before */
};

struct svg_delta {
	const struct svg_change *changes; /* of each node of the layout's call tree */
	bool is_judged;			  /* else each frame has the colour of its change */
};

/* Lightest first: from 0.1, 1, 3 and 10 % of everything on. */
#define SVG_DELTA_SHADES 4
extern const uint32_t svg_delta_less[SVG_DELTA_SHADES], svg_delta_more[SVG_DELTA_SHADES];
#define SVG_DELTA_GREY	 0xd0d0d6U /* insignificant, or no function */
#define SVG_DELTA_SAME	 0xf6f1e4U /* of frames that are not judged: less than that */
#define SVG_DELTA_PRUNED 0xececf0U

/* 0xRRGGBB */
uint32_t svg_delta_color(const struct svg_delta *delta, uint32_t node);

/*
 * Appends a line: "12.0 ms before, 15.0 ms after, +3.00 ms (+25.00%); itself ...; p = 0.0078".
 * Unit and value as in svg_options. 0 or -ENOMEM.
 */
int svg_delta_describe(const struct svg_delta *delta, uint32_t node, const char *unit,
		       const char *value, struct str *out);

/* The same for a box that hides frames: what they were and are together. */
int svg_delta_describe_hidden(const struct svg_delta *delta, const struct flame_layout *layout,
			      const struct flame_box *box, const char *unit, const char *value,
			      struct str *out);
