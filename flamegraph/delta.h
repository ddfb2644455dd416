/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * delta: what the frames of two profiles were before and are now: colours and texts. Blue is less,
 * orange-red is more, told apart whatever colours somebody sees; the shade says how much.
 *
 * A frame's colour is the change of what it spent itself, as its children have colours, too. One
 * that changed only through what it calls would look like noise beside it: it has an outline in
 * the colour of its change with all below it. Of frames that were judged, one whose own change is
 * not significant is grey, and only what is significant below it gives it an outline.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flamegraph/flamegraph.h"
#include "user/base/str.h"

/* Lightest first: from 0.1, 1, 3 and 10 % of everything, or 1, 5, 20, 50 % of its own before. */
#define DELTA_SHADES 4
extern const uint32_t delta_less[DELTA_SHADES], delta_more[DELTA_SHADES];
#define DELTA_GREY	   0xd0d0d6U /* insignificant, or no function */
#define DELTA_SAME	   0xf6f1e4U /* of frames that are not judged: less than that */
#define DELTA_PRUNED	   0xececf0U
#define DELTA_LESS_OUTLINE 0x1d6fb8U /* from 1 % of everything on */
#define DELTA_MORE_OUTLINE 0xc2410cU
#define DELTA_NO_OUTLINE   UINT32_MAX

struct delta {
	const struct flame_tree *tree; /* of two profiles */
	bool is_percent;	       /* shades by a frame's own change in percent */
	bool is_negated;	       /* the colours change places */
	const char *unit, *value;      /* of amounts, as in amount.h */
	double *significant;	       /* of each node: the changes at and below it; owned */
};

/* 'tree' must outlive it. 0 or -ENOMEM with a sentence. */
int delta_init(struct delta *delta, const struct flame_tree *tree);
void delta_release(struct delta *delta);

/* 0xRRGGBB */
uint32_t delta_color(const struct delta *delta, uint32_t node);
uint32_t delta_outline(const struct delta *delta, uint32_t node);

/*
 * Appends lines, the last without its end: "12.0 ms before, 15.0 ms after, +3.00 ms (+25.00%)",
 * "itself ...", "significant, p = 0.0078". 0 or -ENOMEM.
 */
int delta_describe(const struct delta *delta, uint32_t node, struct str *out);

/* The same for a box that hides frames: what they were and are together. */
int delta_describe_hidden(const struct delta *delta, const struct flame_layout *layout,
			  const struct flame_box *box, struct str *out);

/* "12.0 ms before, 15.0 ms after" of all: what the picture shows. */
int delta_describe_side(const struct delta *delta, enum flame_side side, struct str *out);
