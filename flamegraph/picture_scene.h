/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * picture_scene: what the parts of a picture's drawing share: measures, layouts and colours. The
 * functions append to the scene's drawing; errors stay there.
 *
 * The script (picture.js) reads measures from attributes of the drawing (data-row, ...), takes the
 * groups "rows" and "pane-names" away, and keeps "head" and "bar" with "details" and "legend".
 */
#pragma once

#include "flamegraph/delta.h"
#include "flamegraph/drawing.h"
#include "flamegraph/flamegraph.h"
#include "flamegraph/label.h"
#include "flamegraph/picture.h"

#define PICTURE_TEXT_INDENT 3

struct scene_pane {
	struct flame_layout *layout;
	enum flame_side side;
	const char *name;  /* over it; NULL: none */
	unsigned int top;  /* where its name or its rows begin */
	unsigned int rows; /* how many there is room for */
};

/* Attributes of a frame that is not there any more. */
#define VANISHED_STYLE " stroke=\"#3f3f46\" stroke-dasharray=\"3 2\" fill-opacity=\".55\""

/* Pixels. */
struct measures {
	unsigned int width, inner; /* of all, of the frames */
	unsigned int row, box;	   /* a row's height, with and without the gap */
	unsigned int baseline;	   /* of a label in its box */
	unsigned int top;	   /* where the rows begin */
	unsigned int name_height;  /* of a pane's name */
	unsigned int bottom;	   /* where they end, and the bar begins */
	unsigned int bar;
	double font_size, title_size, small_size;
	unsigned int title_y, subtitle_y;
	unsigned int details_y, legend_y, provenance_y, provenance_line; /* in the bar */
	short least_width; /* of a letter, as in label.h */
};

struct scene {
	struct drawing d;
	const struct flame_tree *tree;
	const struct picture_options *options;
	const char *title, *subtitle; /* "" if there is none */
	const char *unit, *value;     /* of amounts, as amount.h has them */
	struct measures m;
	struct scene_pane panes[2];
	unsigned int n_panes;
	struct delta *delta;	/* NULL: of one profile */
	uint32_t *colors;	/* of each frame of the tree */
	struct str *provenance; /* lines as they are drawn */
	unsigned int n_provenance;
	uint32_t text_color, faint_color; /* outside of boxes */
};

/* What is 100 %, in whole numbers; 0: all that is there. */
int64_t picture_total(const struct picture_options *options);

/* picture_frames.c: the names of panes, and the rows of frames. */
void scene_draw_panes(struct scene *s);

/* picture_legend.c: what colours mean. */
void scene_draw_legend(struct scene *s);

/* picture_provenance.c: makes the lines (0 or -ENOMEM), which are drawn when all has its place. */
int scene_wrap_provenance(struct scene *s);
void scene_draw_provenance(struct scene *s);

/* picture_data.c: the call tree inside, and the scripts. */
void scene_draw_data(struct scene *s);
void scene_draw_script(struct scene *s);

/* picture_page.c: the whole file: what stands around the frames, in SVG or in HTML. */
void scene_draw_file(struct scene *s);

/* Text that is cut to its room, with all of it in its tooltip. 'attributes': more of them. */
void scene_put_text(struct scene *s, const char *text, double size, unsigned int room,
		    const char *attributes);
