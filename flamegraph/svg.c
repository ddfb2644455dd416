/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/svg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "flame.js.h"
#include "flamegraph/amount.h"
#include "flamegraph/hidden.h"
#include "flamegraph/label.h"
#include "flamegraph/palette.h"
#include "flamegraph/svg_delta.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/xml.h"

/* Pixels. The script reads what it needs of them from the drawing. */
#define ROW_HEIGHT  17
#define BOX_HEIGHT  16
#define BASELINE    12 /* of a label in its box */
#define TEXT_INDENT 3
#define FONT_SIZE   12
#define TITLE_SIZE  17
#define BAR_HEIGHT  52 /* details, legend and controls below the frames */
#define EMPTY_ROWS  4  /* room for "no samples" */

/* Of a frame that is not there any more. */
#define VANISHED_STYLE " stroke=\"#3f3f46\" stroke-dasharray=\"3 2\" fill-opacity=\".55\""

static const char style[] =
	".row text,.bar text{pointer-events:none;white-space:pre}\n"
	".row g:hover rect{stroke:#000;stroke-width:.7}\n"
	".row g:focus{outline:none}\n"
	".row g:focus-visible rect,.row .current rect{stroke:#000;stroke-width:2}\n"
	".row g{cursor:pointer}\n"
	".row .above rect{fill-opacity:.45}\n"
	".row .hit rect{fill:#e57bf0}\n"
	".searched .row>g:not(.hit) rect{fill-opacity:.5}\n"
	".tools{display:flex;gap:6px;justify-content:flex-end;align-items:center;"
	"font:11px Verdana,DejaVu Sans,sans-serif;color:#111113;white-space:nowrap}\n"
	".tools button,.tools input{font:inherit;color:inherit;background:#fff;"
	"border:1px solid #b4b4bd;border-radius:4px;padding:2px 7px;height:22px;"
	"box-sizing:border-box}\n"
	".tools button{cursor:pointer}\n"
	".tools button:hover{background:#eee}\n"
	".tools button:disabled{opacity:.45;cursor:default;background:#fff}\n"
	".tools input{min-width:60px;width:210px;flex:0 1 210px}\n"
	".tools input:invalid{border-color:#c00;background:#fee}\n"
	".tools output{overflow:hidden;text-overflow:ellipsis}\n";

struct drawing {
	const struct flame_layout *layout;
	const struct svg_options *options;
	struct str out;
	struct str name, where; /* of the frame that is drawn: reused */
	unsigned int width, inner;
	unsigned int top; /* where the rows begin */
	unsigned int rows;
	int err; /* the first that happened; all after it is skipped */
};

static void put(struct drawing *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct drawing *d, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!d->err)
		d->err = n < 0 || (size_t)n >= sizeof(text) ? -EOVERFLOW
							    : str_add_bytes(&d->out, text, n);
}

static void put_raw(struct drawing *d, const char *text)
{
	if (!d->err)
		d->err = str_add(&d->out, text);
}

static void put_xml(struct drawing *d, const char *text)
{
	if (!d->err)
		d->err = xml_add(&d->out, text);
}

/* Hundredths of a pixel; not %f, whose point may be a comma. */
static void put_number(struct drawing *d, const char *attribute, long v)
{
	if (v % 100)
		put(d, " %s=\"%ld.%02ld\"", attribute, v / 100, v % 100);
	else
		put(d, " %s=\"%ld\"", attribute, v / 100);
}

static unsigned int row_y(const struct drawing *d, uint32_t depth)
{
	return d->top + (d->options->icicle ? depth : d->rows - 1 - depth) * ROW_HEIGHT;
}

/* From the left end of the frames, in hundredths of a pixel, rounded. */
static long position(const struct drawing *d, int64_t x)
{
	__int128 total = d->layout->total;

	return ((__int128)x * d->inner * 100 * 2 + total) / (total * 2);
}

/* What a pruned box is called. */
static int add_hidden_name(struct str *out, uint32_t hidden)
{
	int err = view_amount(hidden, "count", out);

	return err ? err : str_add(out, hidden == 1 ? " frame" : " frames");
}

static int name_box(struct drawing *d, const struct flame_box *box)
{
	const struct calltree *tree = d->layout->tree;
	const char *name;
	int err;

	str_clear(&d->name);
	str_clear(&d->where);
	if (box->hidden) {
		err = add_hidden_name(&d->name, box->hidden);
		return err ? err : str_add(&d->where, "too narrow to be drawn one by one");
	}
	name = calltree_name(tree, box->node);
	err = str_add_clean(&d->name, name, strlen(name), 0);
	if (err || !box->node)
		return err;
	return frame_where(calltree_module(tree, box->node), tree->nodes[box->node].kind,
			   &d->where);
}

static uint32_t box_color(const struct drawing *d, const struct flame_box *box)
{
	const struct calltree *tree = d->layout->tree;

	if (box->hidden)
		return d->options->delta ? SVG_DELTA_PRUNED : PALETTE_PRUNED;
	if (d->options->delta)
		return svg_delta_color(d->options->delta, box->node);
	return palette_color(tree->nodes[box->node].kind, calltree_name(tree, box->node),
			     calltree_module(tree, box->node));
}

/* The lines of a tooltip: name, where it comes from (perhaps nothing), amount and share. */
static int describe_box(const struct drawing *d, const struct flame_box *box, struct str *out)
{
	const struct svg_options *o = d->options;
	int err;

	if (o->delta && box->hidden)
		return svg_delta_describe_hidden(o->delta, d->layout, box, o->unit, o->value, out);
	if (o->delta)
		return svg_delta_describe(o->delta, box->node, o->unit, o->value, out);
	err = amount_add(out, o->unit, o->value, box->width);
	if (!err)
		err = str_add(out, ", ");
	return err ? err : amount_add_share(out, box->width, d->layout->total);
}

static void draw_tooltip(struct drawing *d, const struct flame_box *box)
{
	_cleanup_(str_release) struct str amount = { 0 };

	if (!d->err)
		d->err = describe_box(d, box, &amount);
	put_raw(d, "<title>");
	put_xml(d, str_text(&d->name));
	put_raw(d, "\n");
	if (d->where.len) {
		put_xml(d, str_text(&d->where));
		put_raw(d, "\n");
	}
	put_xml(d, str_text(&amount));
	put_raw(d, "</title>");
}

static void draw_label(struct drawing *d, long x, long width)
{
	_cleanup_(str_release) struct str label = { 0 };

	if (!d->err)
		d->err = label_fit(str_text(&d->name), FONT_SIZE, width - 2 * TEXT_INDENT * 100,
				   &label);
	if (!label.len)
		return;
	put_raw(d, "<text");
	put_number(d, "x", x + TEXT_INDENT * 100);
	put(d, " y=\"%d\">", BASELINE);
	put_xml(d, str_text(&label));
	put_raw(d, "</text>");
}

static bool is_vanished(const struct drawing *d, const struct flame_box *box)
{
	return d->options->delta && !box->hidden &&
	       d->options->delta->changes[box->node].is_vanished;
}

static void draw_box(struct drawing *d, const struct flame_box *box)
{
	long left = position(d, box->x) + SVG_MARGIN * 100;
	long width = position(d, box->x + box->width) + SVG_MARGIN * 100 - left;

	if (!d->err)
		d->err = name_box(d, box);
	put(d, "<g%s data-x=\"%" PRId64 "\" data-w=\"%" PRId64 "\">",
	    box->hidden ? " class=\"few\"" : "", box->x, box->width);
	draw_tooltip(d, box);
	put_raw(d, "<rect");
	put_number(d, "x", left);
	/* Neighbours of the same colour are told apart by a gap, where there is room for one. */
	put_number(d, "width", width >= 300 ? width - 50 : width);
	put(d, " height=\"%d\" fill=\"#%06x\"%s/>", BOX_HEIGHT, box_color(d, box),
	    is_vanished(d, box) ? VANISHED_STYLE : "");
	draw_label(d, left, width);
	put_raw(d, "</g>\n");
}

static void draw_rows(struct drawing *d)
{
	uint32_t depth = PROFILE_NONE;
	size_t i;

	if (!d->layout->total) {
		put(d,
		    "<text x=\"%u\" y=\"%u\" font-size=\"%d\" text-anchor=\"middle\">"
		    "no samples</text>\n",
		    d->width / 2, d->top + d->rows * ROW_HEIGHT / 2, TITLE_SIZE);
		return;
	}
	put(d, "<g class=\"rows\">\n");
	for (i = 0; !d->err && i < d->layout->n; i++) {
		const struct flame_box *box = &d->layout->boxes[i];

		if (box->depth != depth) {
			put(d, "%s<g class=\"row\" transform=\"translate(0 %u)\">\n",
			    i ? "</g>\n" : "", row_y(d, box->depth));
			depth = box->depth;
		}
		draw_box(d, box);
	}
	put_raw(d, "</g>\n</g>\n");
}

/* A line of the heading, centred; what was cut from it is in its tooltip. */
static void draw_heading(struct drawing *d, const char *text, unsigned int y, unsigned int size,
			 const char *attributes)
{
	_cleanup_(str_release) struct str clean = { 0 }, label = { 0 };

	if (!d->err)
		d->err = str_add_clean(&clean, text, strlen(text), 0);
	if (!d->err)
		d->err = label_fit(str_text(&clean), size, d->inner * 100L, &label);
	put(d, "<text x=\"%u\" y=\"%u\" font-size=\"%u\" text-anchor=\"middle\"%s>", d->width / 2,
	    y, size, attributes);
	if (clean.len != label.len) {
		put_raw(d, "<title>");
		put_xml(d, str_text(&clean));
		put_raw(d, "</title>");
	}
	put_xml(d, str_text(&label));
	put_raw(d, "</text>\n");
}

static void draw_start(struct drawing *d, const char *title)
{
	put_raw(d, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<svg xmlns=\"http://www.w3.org/2000/svg\"");
	put(d, " width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\"", d->width,
	    d->top + d->rows * ROW_HEIGHT + BAR_HEIGHT, d->width,
	    d->top + d->rows * ROW_HEIGHT + BAR_HEIGHT);
	put(d, " font-family=\"%s\" font-size=\"%d\" fill=\"#%06x\"", LABEL_FONT, FONT_SIZE,
	    PALETTE_TEXT);
	put(d, " data-margin=\"%d\" data-indent=\"%d\" data-row=\"%d\" data-top=\"%u\"", SVG_MARGIN,
	    TEXT_INDENT, ROW_HEIGHT, d->top);
	put(d, " data-bar=\"%d\" data-baseline=\"%d\"%s%s>\n<title>", BAR_HEIGHT, BASELINE,
	    d->options->icicle ? " data-icicle=\"1\"" : "",
	    d->options->width ? "" : " data-fluid=\"1\"");
	put_xml(d, title);
	put_raw(d, "</title>\n<style><![CDATA[\n");
	put_raw(d, style);
	put_raw(d, "]]></style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\" "
		   "fill=\"#fff\"/>\n");
}

/* After the rows: the script keeps it, as the bar, over them in a window that is less high. */
static void draw_head(struct drawing *d, const char *title, const char *subtitle)
{
	put(d,
	    "<g class=\"head\">\n<rect class=\"paper\" width=\"100%%\" height=\"%u\" "
	    "fill=\"#fff\"/>\n",
	    d->top);
	draw_heading(d, title, 24, TITLE_SIZE, "");
	if (*subtitle)
		draw_heading(d, subtitle, 43, FONT_SIZE, " fill=\"#5a5a64\"");
	put_raw(d, "</g>\n");
}

static unsigned int draw_swatch(struct drawing *d, unsigned int x, uint32_t color,
				const char *style_more, const char *name)
{
	unsigned int end = x + 16 + label_width(name, 11) / 100 + 14;

	if (end > d->inner)
		return x;
	put(d, "<rect x=\"%u\" y=\"32\" width=\"11\" height=\"11\" fill=\"#%06x\"%s/>",
	    x + SVG_MARGIN, color, style_more);
	put(d, "<text x=\"%u\" y=\"41.5\" font-size=\"11\">%s</text>\n", x + SVG_MARGIN + 16, name);
	return end;
}

static unsigned int draw_kinds(struct drawing *d)
{
	static const uint32_t order[] = { FRAME_USER, FRAME_INLINED, FRAME_KERNEL,
					  FRAME_INTERPRETED, FRAME_SYNTHETIC };
	const struct calltree_node *nodes = d->layout->tree->nodes;
	bool seen[FRAME_SYNTHETIC + 1] = { false };
	unsigned int x = 0;
	size_t i;

	for (i = 1; i < d->layout->n; i++) {
		uint32_t node = d->layout->boxes[i].node;

		if (node != PROFILE_NONE && nodes[node].kind <= FRAME_SYNTHETIC)
			seen[nodes[node].kind] = true;
	}
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		if (seen[order[i]])
			x = draw_swatch(d, x, palette_sample(order[i]), "",
					palette_kind_name(order[i]));
	}
	return x;
}

static unsigned int draw_shades(struct drawing *d)
{
	bool is_judged = d->options->delta->is_judged;
	unsigned int x = 0;

	x = draw_swatch(d, x, svg_delta_less[3], "", "-10% of all");
	x = draw_swatch(d, x, svg_delta_less[1], "", "-1%");
	x = draw_swatch(d, x, svg_delta_more[1], "", "+1%");
	x = draw_swatch(d, x, svg_delta_more[3], "", "+10%");
	x = draw_swatch(d, x, is_judged ? SVG_DELTA_GREY : SVG_DELTA_SAME, "",
			is_judged ? "change not significant" : "same");
	return draw_swatch(d, x, SVG_DELTA_GREY, VANISHED_STYLE, "gone: width before");
}

static void draw_legend(struct drawing *d)
{
	bool is_pruned = false;
	unsigned int x;
	size_t i;

	for (i = 1; i < d->layout->n; i++)
		is_pruned |= d->layout->boxes[i].node == PROFILE_NONE;
	put_raw(d, "<g class=\"legend\">\n");
	x = d->options->delta ? draw_shades(d) : draw_kinds(d);
	if (is_pruned)
		draw_swatch(d, x, d->options->delta ? SVG_DELTA_PRUNED : PALETTE_PRUNED, "",
			    "too narrow to draw");
	put_raw(d, "</g>\n");
}

/* Of memory there are several values in bytes, whose pictures look alike. */
static int add_value(struct str *out, const struct svg_options *o)
{
	int err;

	if (!o->unit || strcmp(o->unit, "bytes") || !o->value || !strcmp(o->value, "bytes"))
		return 0;
	err = str_add(out, " of ");
	return err ? err : str_add_clean(out, o->value, strlen(o->value), 0);
}

static int describe_all(const struct drawing *d, struct str *out)
{
	const struct svg_options *o = d->options;
	int err;

	if (o->delta)
		return svg_delta_describe(o->delta, 0, o->unit, o->value, out);
	err = amount_add(out, o->unit, o->value, d->layout->total);
	return err ? err : add_value(out, o);
}

/* Below the frames: a line for details, which at rest says what all of it is, and the legend. */
static void draw_bar(struct drawing *d)
{
	_cleanup_(str_release) struct str amount = { 0 };

	if (!d->err)
		d->err = describe_all(d, &amount);
	put(d,
	    "<g class=\"bar\" transform=\"translate(0 %u)\">\n"
	    "<rect class=\"paper\" width=\"100%%\" height=\"%d\" fill=\"#fff\"/>\n",
	    d->top + d->rows * ROW_HEIGHT, BAR_HEIGHT);
	put(d, "<text class=\"details\" x=\"%d\" y=\"20\">all: ", SVG_MARGIN);
	put_xml(d, str_text(&amount));
	put_raw(d, "</text>\n");
	draw_legend(d);
	put_raw(d, "</g>\n");
}

static void draw_script(struct drawing *d)
{
	_cleanup_(str_release) struct str hidden = { 0 };

	if (!d->layout->total)
		return;
	if (!d->err)
		d->err = hidden_add(d->layout, &hidden);
	/* Attributes may be cut by editors of drawings, metadata is theirs to keep. */
	put_raw(d, "<metadata class=\"hidden\">");
	/* Not xml_add as a whole: the lines must stay lines. */
	if (!d->err)
		d->err = xml_add_lines(&d->out, str_text(&hidden));
	put_raw(d, "</metadata>\n<script><![CDATA[\n");
	put_raw(d, flame_js);
	put_raw(d, "]]></script>\n");
}

static void draw(struct drawing *d)
{
	const char *title = d->options->title ? d->options->title : "Flame Graph";
	const char *subtitle = d->options->subtitle ? d->options->subtitle : "";

	d->width = d->options->width ? d->options->width : SVG_DEFAULT_WIDTH;
	if (d->width < SVG_MIN_WIDTH)
		d->width = SVG_MIN_WIDTH;
	if (d->width > SVG_MAX_WIDTH)
		d->width = SVG_MAX_WIDTH;
	d->inner = d->width - 2 * SVG_MARGIN;
	d->top = *subtitle ? 56 : 38;
	d->rows = d->layout->total ? d->layout->rows : EMPTY_ROWS;
	draw_start(d, title);
	draw_rows(d);
	draw_head(d, title, subtitle);
	draw_bar(d);
	draw_script(d);
	put_raw(d, "</svg>\n");
}

int svg_write(const struct flame_layout *layout, const struct svg_options *options, FILE *out)
{
	struct drawing d = { .layout = layout, .options = options };
	int err;

	draw(&d);
	err = d.err;
	errno = 0;
	if (err)
		errf(err, "cannot draw the flame graph: %s", strerror(-err));
	else if (fwrite(d.out.data, 1, d.out.len, out) != d.out.len || fflush(out))
		err = errf(errno ? -errno : -EIO, "cannot write the flame graph: %m");
	str_release(&d.out);
	str_release(&d.name);
	str_release(&d.where);
	return err;
}
