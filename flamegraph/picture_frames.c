/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "flamegraph/amount.h"
#include "flamegraph/frame_where.h"
#include "flamegraph/picture_scene.h"
#include "user/model/profile.h"
#include "user/model/view.h"

#define GAP_FROM 300 /* hundredths of a pixel: there is room for a gap between boxes */
#define GAP	 50

/* What is drawn now; texts are used again. */
struct frames {
	struct scene *s;
	const struct scene_pane *pane;
	struct str name, label, where, amount;
};

static int64_t whole(const struct frames *f)
{
	return f->pane->layout->total;
}

/* From the left end of the frames, in hundredths of a pixel, rounded. */
static long position(const struct frames *f, int64_t x)
{
	__int128 total = whole(f);

	return ((__int128)x * f->s->m.inner * 100 * 2 + total) / (total * 2);
}

/* --- texts --------------------------------------------------------------------------------- */

static int name_hidden(struct frames *f, const struct flame_box *box)
{
	int err = view_amount(box->hidden, "count", &f->name);

	if (!err)
		err = str_add(&f->name, box->hidden == 1 ? " frame" : " frames");
	if (!err)
		err = str_add(&f->label, str_text(&f->name));
	if (!err)
		err = str_add(&f->label, ", ");
	if (!err)
		err = amount_add_share(&f->label, box->width, whole(f));
	return err ? err : str_add(&f->where, "too narrow to be drawn one by one");
}

static int name_box(struct frames *f, const struct flame_box *box)
{
	const struct flame_tree *tree = f->s->tree;
	const char *name, *type = f->s->options->name_type;
	int err = 0;

	str_clear(&f->name);
	str_clear(&f->label);
	str_clear(&f->where);
	if (box->hidden)
		return name_hidden(f, box);
	name = flame_name(tree, box->node);
	err = str_add_clean(&f->label, name, strlen(name), 0);
	if (!err && type && *type && box->node) {
		err = str_add_clean(&f->name, type, strlen(type), 0);
		if (!err)
			err = str_add(&f->name, " ");
	}
	if (!err)
		err = str_add(&f->name, str_text(&f->label));
	if (err || !box->node)
		return err;
	return frame_where(flame_module(tree, box->node), flame_frame_of(tree, box->node)->kind,
			   &f->where);
}

/* "600 samples, 60.00% of all, 66.67% of its caller" */
static int add_total(struct frames *f, const struct flame_box *box, int64_t self)
{
	const struct scene *s = f->s;
	const struct flame_layout *layout = f->pane->layout;
	int err = amount_add(&f->amount, s->unit, s->value, box->width);

	if (!err && self == box->width && box->node)
		err = str_add(&f->amount, " itself");
	if (!err)
		err = str_add(&f->amount, ", ");
	if (!err)
		err = amount_add_share(&f->amount, box->width, layout->total);
	if (!err)
		err = str_add(&f->amount, " of all");
	if (err || box->parent == PROFILE_NONE || !box->parent)
		return err;
	err = str_add(&f->amount, ", ");
	if (!err)
		err = amount_add_share(&f->amount, box->width, layout->boxes[box->parent].width);
	return err ? err : str_add(&f->amount, " of its caller");
}

/* "itself 12 samples, 1.20% of all" */
static int add_self(struct frames *f, int64_t self)
{
	int err = str_add(&f->amount, "\nitself ");

	if (!err)
		err = amount_add(&f->amount, f->s->unit, f->s->value, self);
	if (!err)
		err = str_add(&f->amount, ", ");
	if (!err)
		err = amount_add_share(&f->amount, self, whole(f));
	return err ? err : str_add(&f->amount, " of all");
}

static int describe_box(struct frames *f, const struct flame_box *box)
{
	const struct scene *s = f->s;
	int64_t self;
	int err;

	str_clear(&f->amount);
	if (s->delta && box->hidden)
		return delta_describe_hidden(s->delta, f->pane->layout, box, &f->amount);
	if (s->delta)
		return delta_describe(s->delta, box->node, &f->amount);
	self = box->hidden ? 0 : flame_tree_self(s->tree, box->node);
	err = add_total(f, box, self);
	if (err || self <= 0 || self >= box->width)
		return err;
	return add_self(f, self);
}

/* Lines must stay lines; each of them is clean. */
static void put_lines(struct drawing *d, const char *text)
{
	const char *end;

	for (; (end = strchr(text, '\n')); text = end + 1) {
		_cleanup_(str_release) struct str line = { 0 };

		if (!d->err)
			d->err = str_add_bytes(&line, text, end - text);
		drawing_put_xml(d, str_text(&line));
		drawing_put(d, "\n");
	}
	drawing_put_xml(d, text);
}

static void put_tooltip(struct frames *f, const struct flame_box *box)
{
	struct drawing *d = &f->s->d;

	if (!d->err)
		d->err = describe_box(f, box);
	drawing_put(d, "<title>");
	drawing_put_xml(d, str_text(&f->name));
	drawing_put(d, "\n");
	if (f->where.len) {
		drawing_put_xml(d, str_text(&f->where));
		drawing_put(d, "\n");
	}
	put_lines(d, str_text(&f->amount));
	drawing_put(d, "</title>");
}

static void put_label(struct frames *f, long x, long width)
{
	_cleanup_(str_release) struct str cut = { 0 };
	const struct measures *m = &f->s->m;
	struct drawing *d = &f->s->d;

	if (!d->err)
		d->err = label_fit_font(str_text(&f->label), m->font_size, m->least_width,
					width - 2 * PICTURE_TEXT_INDENT * 100, &cut);
	if (!cut.len)
		return;
	drawing_put(d, "<text");
	drawing_put_number(d, "x", x + PICTURE_TEXT_INDENT * 100);
	drawing_putf(d, " y=\"%u\">", m->baseline);
	drawing_put_xml(d, str_text(&cut));
	drawing_put(d, "</text>");
}

/* --- boxes --------------------------------------------------------------------------------- */

static uint32_t box_color(const struct scene *s, const struct flame_box *box)
{
	if (box->hidden)
		return s->delta ? DELTA_PRUNED : PALETTE_PRUNED;
	return s->delta ? delta_color(s->delta, box->node)
			: s->colors[s->tree->nodes[box->node].frame];
}

/* Dashed if it is gone, outlined if it changed through what it calls and there is room. */
static void put_outline(struct frames *f, const struct flame_box *box, long width)
{
	const struct scene *s = f->s;
	uint32_t outline;

	if (!s->delta || box->hidden)
		return;
	if (f->pane->side != FLAME_AFTER && flame_is_vanished(s->tree, box->node)) {
		drawing_put(&f->s->d, VANISHED_STYLE);
		return;
	}
	outline = delta_outline(s->delta, box->node);
	if (outline != DELTA_NO_OUTLINE && width >= GAP_FROM)
		drawing_putf(&f->s->d, " stroke=\"#%06x\"", outline);
}

static void draw_box(struct frames *f, const struct flame_box *box)
{
	long left = position(f, box->x) + PICTURE_MARGIN * 100;
	long width = position(f, box->x + box->width) + PICTURE_MARGIN * 100 - left;
	struct drawing *d = &f->s->d;

	if (!d->err)
		d->err = name_box(f, box);
	drawing_put(d, box->hidden ? "<g class=\"few\">" : "<g>");
	put_tooltip(f, box);
	drawing_put(d, "<rect");
	drawing_put_number(d, "x", left);
	/* Neighbours of the same colour are told apart by a gap, where there is room for one. */
	drawing_put_number(d, "width", width >= GAP_FROM ? width - GAP : width);
	drawing_putf(d, " height=\"%u\" fill=\"#%06x\"", f->s->m.box, box_color(f->s, box));
	put_outline(f, box, width);
	drawing_put(d, "/>");
	put_label(f, left, width);
	drawing_put(d, "</g>\n");
}

static unsigned int row_y(const struct frames *f, uint32_t depth)
{
	const struct scene_pane *pane = f->pane;
	unsigned int top = pane->top + (pane->name ? f->s->m.name_height : 0);

	return top + (f->s->options->is_icicle ? depth : pane->rows - 1 - depth) * f->s->m.row;
}

static void draw_rows(struct frames *f)
{
	const struct flame_layout *layout = f->pane->layout;
	struct drawing *d = &f->s->d;
	uint32_t depth = PROFILE_NONE;
	size_t i;

	/* Frames keep the colour of their text where the paper is dark. */
	drawing_putf(d, "<g class=\"rows\" fill=\"#%06x\">\n", PALETTE_TEXT);
	for (i = 0; !d->err && i < layout->n; i++) {
		const struct flame_box *box = &layout->boxes[i];

		if (box->depth != depth) {
			drawing_putf(d, "%s<g class=\"row\" transform=\"translate(0 %u)\">\n",
				     i ? "</g>\n" : "", row_y(f, box->depth));
			depth = box->depth;
		}
		draw_box(f, box);
	}
	drawing_put(d, "</g>\n</g>\n");
}

static void draw_nothing(struct frames *f)
{
	const struct measures *m = &f->s->m;

	drawing_putf(&f->s->d, "<text class=\"empty\" x=\"%u\" y=\"%u\" text-anchor=\"middle\"",
		     m->width / 2, f->pane->top + f->pane->rows * m->row / 2);
	drawing_put_number(&f->s->d, "font-size", (long)(m->title_size * 100));
	drawing_put(&f->s->d, ">no samples</text>\n");
}

static void draw_name(struct frames *f)
{
	_cleanup_(str_release) struct str text = { 0 };
	const struct measures *m = &f->s->m;
	struct drawing *d = &f->s->d;
	char attributes[64];

	if (!d->err)
		d->err = str_addf(&text, "%s: ", f->pane->name);
	if (!d->err)
		d->err = delta_describe_side(f->s->delta, f->pane->side, &text);
	snprintf(attributes, sizeof(attributes), " x=\"%d\" y=\"%u\"", PICTURE_MARGIN,
		 f->pane->top + m->name_height - 7);
	drawing_put(d, "<g class=\"pane-names\">");
	scene_put_text(f->s, str_text(&text), m->font_size, m->inner, attributes);
	drawing_put(d, "</g>\n");
}

void scene_draw_panes(struct scene *s)
{
	struct frames f = { .s = s };
	unsigned int i;

	for (i = 0; i < s->n_panes; i++) {
		f.pane = &s->panes[i];
		if (f.pane->name)
			draw_name(&f);
		if (f.pane->layout->boxes[0].width)
			draw_rows(&f);
		else
			draw_nothing(&f);
	}
	str_release(&f.name);
	str_release(&f.label);
	str_release(&f.where);
	str_release(&f.amount);
}
