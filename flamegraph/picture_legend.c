/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "flamegraph/picture_scene.h"
#include "user/base/array.h"
#include "user/model/profile.h"

#define SWATCH	    11 /* pixels */
#define MAX_CLASSES 64 /* those that come later are not counted: there is no room for so many */

/* What has a colour of its own, and how much of the picture is drawn in it. */
struct class
{
	const char *name;
	uint32_t color;
	int64_t weight;
};

/* A row of swatches that is filled from the left on. */
struct legend {
	struct scene *s;
	unsigned int x, y;
};

/* What has no room is left out. */
static void put_swatch(struct legend *l, uint32_t color, const char *attributes, const char *text)
{
	_cleanup_(str_release) struct str clean = { 0 };
	const struct measures *m = &l->s->m;
	struct drawing *d = &l->s->d;
	unsigned int end;

	if (!d->err)
		d->err = str_add_clean(&clean, text, strlen(text), 0);
	end = l->x + 16 + 14 +
	      label_width_font(str_text(&clean), m->small_size, m->least_width) / 100;
	if (end > m->inner)
		return;
	drawing_putf(d, "<rect x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" fill=\"#%06x\"%s/>",
		     l->x + PICTURE_MARGIN, l->y, SWATCH, SWATCH, color, attributes);
	drawing_putf(d, "<text x=\"%u\" y=\"%u\"", l->x + PICTURE_MARGIN + 16, l->y + 10);
	drawing_put_number(d, "font-size", (long)(m->small_size * 100));
	drawing_put(d, ">");
	drawing_put_xml(d, str_text(&clean));
	drawing_put(d, "</text>\n");
	l->x = end;
}

/* --- of one profile: what the palette's scheme tells apart --------------------------------- */

static void add_class(struct class *classes, size_t *n, const char *name, uint32_t color,
		      int64_t weight)
{
	size_t i;

	for (i = 0; i < *n; i++) {
		if (!strcmp(classes[i].name, name))
			break;
	}
	if (i == MAX_CLASSES)
		return;
	if (i == *n)
		classes[(*n)++] = (struct class){ name, color, 0 };
	classes[i].weight += weight;
}

static int by_weight(const void *a, const void *b)
{
	const struct class *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* Each box's own width: what its children leave of it. */
static int64_t *own_widths(const struct flame_layout *layout)
{
	int64_t *own = calloc(layout->n, sizeof(*own));
	size_t i;

	for (i = 0; own && i < layout->n; i++) {
		own[i] += layout->boxes[i].width;
		if (i)
			own[layout->boxes[i].parent] -= layout->boxes[i].width;
	}
	return own;
}

static void put_classes(struct legend *l)
{
	const struct flame_tree *tree = l->s->tree;
	const struct flame_layout *layout = l->s->panes[0].layout;
	_cleanup_(freep) int64_t *own = own_widths(layout);
	struct class classes[MAX_CLASSES];
	size_t i, n = 0;

	if (!own) {
		l->s->d.err = l->s->d.err ? l->s->d.err : -ENOMEM;
		return;
	}
	for (i = 1; i < layout->n; i++) {
		uint32_t node = layout->boxes[i].node, color;
		const char *name;

		if (node == PROFILE_NONE)
			continue;
		name = palette_class(&l->s->options->palette, flame_frame_of(tree, node)->kind,
				     flame_name(tree, node), flame_module(tree, node), &color);
		if (name)
			add_class(classes, &n, name, color, own[i]);
	}
	qsort(classes, n, sizeof(*classes), by_weight);
	for (i = 0; i < n; i++)
		put_swatch(l, classes[i].color, "", classes[i].name);
}

/* --- of two: how much changed -------------------------------------------------------------- */

static void put_shades(struct legend *l)
{
	static const char *const of_all[] = { "itself -10% of all", "-1%", "+1%", "+10%" };
	static const char *const of_own[] = { "itself -50%", "-5%", "+5%", "+50%" };
	const struct delta *delta = l->s->delta;
	const char *const *texts = delta->is_percent ? of_own : of_all;
	const uint32_t *less = delta->is_negated ? delta_more : delta_less;
	const uint32_t *more = delta->is_negated ? delta_less : delta_more;
	bool is_judged = l->s->tree->verdicts;
	char stroke[32];

	put_swatch(l, less[3], "", texts[0]);
	put_swatch(l, less[1], "", texts[1]);
	put_swatch(l, more[1], "", texts[2]);
	put_swatch(l, more[3], "", texts[3]);
	put_swatch(l, is_judged ? DELTA_GREY : DELTA_SAME, "",
		   is_judged ? "not significant" : "same");
	snprintf(stroke, sizeof(stroke), " stroke=\"#%06x\"",
		 delta->is_negated ? DELTA_LESS_OUTLINE : DELTA_MORE_OUTLINE);
	put_swatch(l, is_judged ? DELTA_GREY : DELTA_SAME, stroke, "more through what it calls");
	if (l->s->n_panes == 1)
		put_swatch(l, DELTA_GREY, VANISHED_STYLE, "gone: width before");
}

static bool is_pruned(const struct scene *s)
{
	unsigned int i;
	size_t k;

	for (i = 0; i < s->n_panes; i++) {
		for (k = 1; k < s->panes[i].layout->n; k++) {
			if (s->panes[i].layout->boxes[k].hidden)
				return true;
		}
	}
	return false;
}

void scene_draw_legend(struct scene *s)
{
	struct legend l = { .s = s, .y = s->m.legend_y };

	drawing_put(&s->d, "<g class=\"legend\">\n");
	if (s->delta)
		put_shades(&l);
	else
		put_classes(&l);
	if (is_pruned(s))
		put_swatch(&l, s->delta ? DELTA_PRUNED : PALETTE_PRUNED, " class=\"few\"",
			   "too narrow to draw");
	drawing_put(&s->d, "</g>\n");
}
