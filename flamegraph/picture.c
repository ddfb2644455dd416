/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/picture.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "flamegraph/color.h"
#include "flamegraph/picture_scene.h"
#include "user/base/err.h"

#define FONT_SIZE  12 /* pixels */
#define MIN_FONT   4
#define MAX_FONT   100
#define MAX_ROW	   200
#define EMPTY_ROWS 4 /* room for "no samples" */
#define PANE_GAP   12

#define LIGHT_TEXT   0xe6e6eaU
#define LIGHT_FAINT  0xa9a9b4U
#define DARK_FAINT   0x5a5a64U
#define MIDDLE_LIGHT 0.18 /* luminance on which dark and light text have the same contrast */

/* --- measures ------------------------------------------------------------------------------ */

static double within(double v, double least, double most)
{
	return v < least ? least : v > most ? most : v;
}

static void measure(struct scene *s)
{
	const struct picture_options *o = s->options;
	struct measures *m = &s->m;

	m->font_size = o->font_size > 0 ? within(o->font_size, MIN_FONT, MAX_FONT) : FONT_SIZE;
	m->small_size = fmax(m->font_size - 1, MIN_FONT);
	m->title_size = m->font_size + 5;
	m->width = within(o->width ? o->width : PICTURE_DEFAULT_WIDTH, PICTURE_MIN_WIDTH,
			  PICTURE_MAX_WIDTH);
	m->inner = m->width - 2 * PICTURE_MARGIN;
	m->row = o->row_height ? within(o->row_height, 3, MAX_ROW)
			       : (unsigned int)ceil(m->font_size * 1.4);
	m->box = m->row - 1;
	/* Capitals, which are 0.73 em high, stand in the middle. */
	m->baseline = (unsigned int)lround(m->box / 2.0 + m->font_size * 0.35);
	m->title_y = (unsigned int)ceil(m->title_size) + 7;
	m->subtitle_y = m->title_y + (unsigned int)ceil(m->font_size) + 7;
	m->top = *s->subtitle ? m->subtitle_y + 13 : m->title_y + 14;
	m->name_height = (unsigned int)ceil(m->font_size) + 11;
	m->details_y = (unsigned int)ceil(m->font_size) + 8;
	m->legend_y = m->details_y + 12;
	m->provenance_y = m->legend_y + 18 + (unsigned int)ceil(m->small_size);
	m->provenance_line = (unsigned int)ceil(m->small_size) + 3;
	m->least_width = label_least_width(o->font);
}

/* Below the rows, whose number is known now. */
static void place_panes(struct scene *s)
{
	unsigned int i, y = s->m.top;

	for (i = 0; i < s->n_panes; i++) {
		struct scene_pane *pane = &s->panes[i];

		pane->rows = pane->layout->boxes[0].width ? pane->layout->rows : EMPTY_ROWS;
		y += i ? PANE_GAP : 0;
		pane->top = y;
		y += (pane->name ? s->m.name_height : 0) + pane->rows * s->m.row;
	}
	s->m.bottom = y;
	s->m.bar = s->m.legend_y + 20;
	if (s->n_provenance)
		s->m.bar += s->n_provenance * s->m.provenance_line + 4;
}

int64_t picture_total(const struct picture_options *options)
{
	if (!(options->total > 0))
		return 0;
	return options->total >= 0x1p63 ? INT64_MAX : llround(options->total);
}

static int lay_out_pane(struct scene *s, enum flame_side side, const char *name)
{
	const struct picture_options *o = s->options;
	struct scene_pane *pane = &s->panes[s->n_panes];
	struct flame_layout_options options = { .side = side, .total = picture_total(o) };

	if (o->min_share > 0)
		options.min_share = o->min_share;
	else
		options.min_share =
			(o->min_width < 0 ? PICTURE_DEFAULT_MIN_WIDTH : o->min_width) / s->m.inner;
	s->n_panes++;
	pane->side = side;
	pane->name = name;
	if (o->min_width < 0 && !(o->min_share > 0))
		return flame_layout_new_bounded(s->tree, &options, &pane->layout);
	return flame_layout_new(s->tree, &options, &pane->layout);
}

static int lay_out(struct scene *s)
{
	int err;

	if (!s->tree->before || !s->options->has_two_panes)
		return lay_out_pane(s, FLAME_JOINED, NULL);
	err = lay_out_pane(s, FLAME_BEFORE, "before");
	return err ? err : lay_out_pane(s, FLAME_AFTER, "after");
}

/* --- colours ------------------------------------------------------------------------------- */

/* Frame 0 is "all", and stands for rests. */
static int color_frames(struct scene *s)
{
	const struct flame_tree *tree = s->tree;
	size_t i;
	int err = 0;

	s->colors = calloc(tree->n_frames, sizeof(*s->colors));
	if (!s->colors)
		return errf(-ENOMEM, "no memory for the colours of %zu frames", tree->n_frames);
	s->colors[0] = PALETTE_PRUNED;
	for (i = 1; i < tree->n_frames && !err; i++) {
		const struct flame_frame *frame = &tree->frames[i];

		err = palette_color_mapped(&s->options->palette, frame->kind,
					   strtab_get(&tree->names, frame->name),
					   strtab_get(&tree->names, frame->module), &s->colors[i]);
	}
	return err;
}

/* On a paper that somebody chose, the text has the colour that is read there. */
static void choose_text_color(struct scene *s)
{
	const uint32_t *paper = s->options->palette.background;
	bool is_dark = paper[0] &&
		       (color_luminance(paper[0]) + color_luminance(paper[1])) / 2 < MIDDLE_LIGHT;

	s->text_color = is_dark ? LIGHT_TEXT : PALETTE_TEXT;
	s->faint_color = is_dark ? LIGHT_FAINT : DARK_FAINT;
}

static int compare(struct scene *s)
{
	if (!s->tree->before)
		return 0;
	s->delta = calloc(1, sizeof(*s->delta));
	if (!s->delta)
		return errf(-ENOMEM, "no memory to compare two profiles");
	if (delta_init(s->delta, s->tree))
		return -ENOMEM;
	s->delta->is_percent = s->options->delta_is_percent;
	s->delta->is_negated = s->options->is_negated;
	s->delta->unit = s->unit;
	s->delta->value = s->value;
	return 0;
}

/* --- all of it ------------------------------------------------------------------------------ */

static const char *default_title(const struct scene *s)
{
	if (s->tree->before)
		return "Differential Flame Graph";
	if (s->tree->is_chart)
		return "Flame Chart";
	return s->options->is_icicle ? "Icicle Graph" : "Flame Graph";
}

static void scene_release(struct scene *s)
{
	unsigned int i;

	for (i = 0; i < s->n_panes; i++)
		flame_layout_free(s->panes[i].layout);
	for (i = 0; i < s->n_provenance; i++)
		str_release(&s->provenance[i]);
	free(s->provenance);
	free(s->colors);
	if (s->delta)
		delta_release(s->delta);
	free(s->delta);
	str_release(&s->d.text);
}

static int prepare(struct scene *s)
{
	const struct picture_options *o = s->options;
	int err;

	s->title = o->title ? o->title : default_title(s);
	s->subtitle = o->subtitle ? o->subtitle : "";
	/* Whoever names what is counted says what the numbers are. */
	s->unit = o->count_name || !o->unit ? "count" : o->unit;
	s->value = o->count_name ? o->count_name : o->value ? o->value : "samples";
	measure(s);
	choose_text_color(s);
	err = lay_out(s);
	if (!err)
		err = color_frames(s);
	if (!err)
		err = compare(s);
	if (!err && scene_wrap_provenance(s))
		err = errf(-ENOMEM, "no memory for a flame graph");
	if (!err)
		place_panes(s);
	return err;
}

int picture_write(const struct flame_tree *tree, const struct picture_options *options, FILE *out)
{
	struct scene s = { .d.out = out, .tree = tree, .options = options };
	int err = prepare(&s);

	if (!err) {
		scene_draw_file(&s);
		err = drawing_end(&s.d, "the flame graph");
	}
	scene_release(&s);
	return err;
}
