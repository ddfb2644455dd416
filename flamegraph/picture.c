/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/picture.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/amount.h"
#include "flamegraph/color.h"
#include "flamegraph/picture_scene.h"
#include "user/base/err.h"
#include "user/base/xml.h"

/* Pixels. */
#define FONT_SIZE  12
#define MIN_FONT   4
#define MAX_FONT   100
#define MAX_ROW	   200
#define EMPTY_ROWS 4 /* room for "no samples" */
#define PANE_GAP   12

#define DARK_PAPER   "#1b1b1f"
#define LIGHT_TEXT   0xe6e6eaU
#define LIGHT_FAINT  0xa9a9b4U
#define DARK_FAINT   0x5a5a64U
#define PAPER	     "flame-paper" /* IDs of gradients */
#define BAR_PAPER    "flame-bar-paper"
#define MIDDLE_LIGHT 0.18 /* luminance on which dark and light text have the same contrast */

/* What is nice to have: the picture is read without it. */
static const char style[] = ".flame text{white-space:pre}\n"
			    ".flame .row>g:hover rect{stroke:#000;stroke-width:.7}\n";

static const char dark_style[] =
	"@media (prefers-color-scheme:dark){\n"
	".flame .paper{fill:" DARK_PAPER "}\n"
	".flame .head text,.flame .bar text,.flame .pane-names text,.flame .empty{fill:#e6e6ea}\n"
	".flame text.faint{fill:#a9a9b4}\n"
	".flame .row>g:hover rect{stroke:#fff}\n"
	"}\n";

/* --- text ---------------------------------------------------------------------------------- */

void scene_put_text(struct scene *s, const char *text, double size, unsigned int room,
		    const char *attributes)
{
	_cleanup_(str_release) struct str clean = { 0 }, cut = { 0 };
	struct drawing *d = &s->d;

	if (!d->err)
		d->err = str_add_clean(&clean, text, strlen(text), 0);
	if (!d->err)
		d->err =
			label_fit_font(str_text(&clean), size, s->m.least_width, room * 100L, &cut);
	drawing_put(d, "<text");
	drawing_put_number(d, "font-size", (long)(size * 100));
	drawing_putf(d, "%s>", attributes);
	if (clean.len != cut.len) {
		drawing_put(d, "<title>");
		drawing_put_xml(d, str_text(&clean));
		drawing_put(d, "</title>");
	}
	drawing_put_xml(d, str_text(&cut));
	drawing_put(d, "</text>\n");
}

/*
 * A comment must not hold "--" (XML 1.0, section 2.5), nor end with "-", and in HTML it must not
 * begin with ">". Lines stay lines.
 */
static int comment_add(struct str *out, const char *text)
{
	char last = '\0';
	int err = str_add(out, "<!-- ");

	for (; *text && !err; last = *text++) {
		if (*text == '-' && last == '-')
			err = str_add(out, " ");
		if (!err)
			err = str_add_bytes(out, text, 1);
	}
	return err ? err : str_add(out, " -->\n");
}

static void put_notes(struct scene *s)
{
	_cleanup_(str_release) struct str text = { 0 };
	const char *notes = s->options->notes ? s->options->notes : "", *end;

	if (!*notes)
		return;
	for (; *notes && !s->d.err; notes = *end ? end + 1 : end) {
		_cleanup_(str_release) struct str line = { 0 };

		end = notes + strcspn(notes, "\n");
		s->d.err = str_add_bytes(&line, notes, end - notes);
		if (!s->d.err)
			s->d.err = xml_add(&text, str_text(&line));
		if (!s->d.err && *end)
			s->d.err = str_add(&text, "\n");
	}
	if (!s->d.err)
		s->d.err = comment_add(&s->d.text, str_text(&text));
}

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

static int lay_out_pane(struct scene *s, enum flame_side side, const char *name)
{
	const struct picture_options *o = s->options;
	struct scene_pane *pane = &s->panes[s->n_panes];
	struct flame_layout_options options = { .side = side };

	if (o->total > 0)
		options.total = o->total >= 0x1p63 ? INT64_MAX : llround(o->total);
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

/* --- the frame around the frames ----------------------------------------------------------- */

static const char *default_title(const struct scene *s)
{
	if (s->tree->before)
		return "Differential Flame Graph";
	if (s->tree->is_chart)
		return "Flame Chart";
	return s->options->is_icicle ? "Icicle Graph" : "Flame Graph";
}

/* A whole paper, or a strip of it over which the script can lay what stays in sight. */
static void put_paper(struct scene *s, unsigned int height, const char *gradient)
{
	const uint32_t *paper = s->options->palette.background;

	drawing_put(&s->d, "<rect class=\"paper\" width=\"100%\"");
	drawing_putf(&s->d, " height=\"%u\" ", height);
	if (!paper[0])
		drawing_put(&s->d, "fill=\"#fff\"/>\n");
	else if (paper[0] == paper[1])
		drawing_putf(&s->d, "fill=\"#%06x\"/>\n", paper[0] & 0xffffff);
	else
		drawing_putf(&s->d, "fill=\"url(#%s)\"/>\n", gradient);
}

/* Of the whole picture, as what begins 'from' below its upper end sees it. */
static void put_gradient(struct scene *s, const char *id, unsigned int from)
{
	const uint32_t *paper = s->options->palette.background;

	if (paper[0] == paper[1])
		return;
	drawing_putf(&s->d,
		     "<linearGradient id=\"%s\" gradientUnits=\"userSpaceOnUse\" x1=\"0\" "
		     "y1=\"-%u\" x2=\"0\" y2=\"%u\"><stop offset=\"5%%\" stop-color=\"#%06x\"/>"
		     "<stop offset=\"95%%\" stop-color=\"#%06x\"/></linearGradient>\n",
		     id, from, s->m.bottom + s->m.bar - from, paper[0] & 0xffffff,
		     paper[1] & 0xffffff);
}

static void put_style(struct scene *s)
{
	drawing_put(&s->d, "<style>\n");
	drawing_put(&s->d, style);
	if (!s->options->palette.background[0])
		drawing_put(&s->d, dark_style);
	drawing_put(&s->d, "</style>\n");
}

static void put_measures(struct scene *s)
{
	const struct picture_options *o = s->options;
	const struct measures *m = &s->m;
	struct drawing *d = &s->d;

	drawing_putf(d, " data-margin=\"%d\" data-indent=\"%d\" data-row=\"%u\" data-box=\"%u\"",
		     PICTURE_MARGIN, PICTURE_TEXT_INDENT, m->row, m->box);
	drawing_putf(d, " data-top=\"%u\" data-bar=\"%u\" data-baseline=\"%u\"", m->top, m->bar,
		     m->baseline);
	if (!(o->min_share > 0) && o->min_width >= 0)
		drawing_put_number(d, "data-minwidth", (long)(within(o->min_width, 0, 1e6) * 100));
	drawing_put(d, o->is_icicle ? " data-icicle=\"1\"" : "");
	drawing_put(d, o->width ? "" : " data-fluid=\"1\"");
}

static void put_start(struct scene *s)
{
	const struct measures *m = &s->m;
	struct drawing *d = &s->d;

	drawing_put(d, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flame\"");
	drawing_putf(d, " width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\"", m->width,
		     m->bottom + m->bar, m->width, m->bottom + m->bar);
	drawing_put(d, " role=\"graphics-document document\" aria-roledescription=\"flame graph\""
		       " aria-label=\"");
	drawing_put_xml(d, s->title);
	drawing_put(d, "\" font-family=\"");
	drawing_put_xml(d, s->options->font && *s->options->font ? s->options->font : LABEL_FONT);
	drawing_put(d, "\"");
	drawing_put_number(d, "font-size", (long)(m->font_size * 100));
	drawing_putf(d, " fill=\"#%06x\"", s->text_color);
	put_measures(s);
	drawing_put(d, ">\n<title>");
	drawing_put_xml(d, s->title);
	drawing_put(d, "</title>\n");
	put_style(s);
	put_gradient(s, PAPER, 0);
	put_gradient(s, BAR_PAPER, m->bottom);
	put_paper(s, m->bottom + m->bar, PAPER);
}

/* After the rows: the script keeps it, as the bar, over them in a window that is less high. */
static void put_head(struct scene *s)
{
	const struct measures *m = &s->m;
	char attributes[128];

	drawing_put(&s->d, "<g class=\"head\">\n");
	put_paper(s, m->top, PAPER);
	snprintf(attributes, sizeof(attributes), " x=\"%u\" y=\"%u\" text-anchor=\"middle\"",
		 m->width / 2, m->title_y);
	scene_put_text(s, s->title, m->title_size, m->inner, attributes);
	snprintf(attributes, sizeof(attributes),
		 " class=\"faint\" x=\"%u\" y=\"%u\" text-anchor=\"middle\" fill=\"#%06x\"",
		 m->width / 2, m->subtitle_y, s->faint_color);
	if (*s->subtitle)
		scene_put_text(s, s->subtitle, m->font_size, m->inner, attributes);
	drawing_put(&s->d, "</g>\n");
}

/* Of memory there are several values in bytes, whose pictures look alike. */
static int add_value(struct str *out, const struct scene *s)
{
	int err;

	if (strcmp(s->unit, "bytes") || !strcmp(s->value, "bytes"))
		return 0;
	err = str_add(out, " of ");
	return err ? err : str_add_clean(out, s->value, strlen(s->value), 0);
}

static int describe_all(const struct scene *s, struct str *out)
{
	int err = str_add(out, "all: ");

	if (!err && s->delta)
		return delta_describe_side(s->delta, FLAME_JOINED, out);
	if (!err)
		err = amount_add(out, s->unit, s->value, s->tree->nodes[0].value);
	return err ? err : add_value(out, s);
}

/* Below the frames: a line for details, which at rest says what all of it is, the legend, and
 * where it comes from. */
static void put_bar(struct scene *s)
{
	_cleanup_(str_release) struct str amount = { 0 };
	struct drawing *d = &s->d;

	if (!d->err)
		d->err = describe_all(s, &amount);
	drawing_putf(d, "<g class=\"bar\" transform=\"translate(0 %u)\">\n", s->m.bottom);
	put_paper(s, s->m.bar, BAR_PAPER);
	drawing_putf(d, "<text class=\"details\" x=\"%d\" y=\"%u\">", PICTURE_MARGIN,
		     s->m.details_y);
	drawing_put_xml(d, str_text(&amount));
	drawing_put(d, "</text>\n");
	scene_draw_legend(s);
	scene_draw_provenance(s);
	drawing_put(d, "</g>\n");
}

/* --- the files ----------------------------------------------------------------------------- */

static void put_svg(struct scene *s)
{
	put_start(s);
	scene_draw_panes(s);
	put_head(s);
	put_bar(s);
	scene_draw_data(s);
	if (!s->options->is_html)
		scene_draw_script(s);
	drawing_put(&s->d, "</svg>\n");
}

/* Well-formed XML, too. */
static void put_html(struct scene *s)
{
	drawing_put(&s->d, "<!DOCTYPE html>\n");
	put_notes(s);
	drawing_put(&s->d, "<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\" "
			   "data-flame=\"1\">\n<head>\n<meta charset=\"UTF-8\"/>\n"
			   "<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>");
	drawing_put_xml(&s->d, s->title);
	drawing_put(&s->d, "</title>\n<style>\nbody{margin:0}\nsvg.flame{display:block}\n");
	if (!s->options->palette.background[0])
		drawing_put(&s->d,
			    "@media (prefers-color-scheme:dark){\nbody{background:" DARK_PAPER
			    "}\n}\n");
	drawing_put(&s->d, "</style>\n</head>\n<body>\n");
	put_svg(s);
	scene_draw_script(s);
	drawing_put(&s->d, "</body>\n</html>\n");
}

static void put_file(struct scene *s)
{
	if (s->options->is_html) {
		put_html(s);
		return;
	}
	drawing_put(&s->d, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	put_notes(s);
	put_svg(s);
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
		put_file(&s);
		err = drawing_end(&s.d);
	}
	scene_release(&s);
	return err;
}
