/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "flamegraph/amount.h"
#include "flamegraph/picture_scene.h"
#include "user/base/xml.h"

#define DARK_PAPER "#1b1b1f"
#define PAPER	   "flame-paper" /* IDs of gradients */
#define BAR_PAPER  "flame-bar-paper"

/* What is nice to have: the picture is read without it. */
static const char style[] = ".flame text{white-space:pre}\n"
			    ".flame .row>g:hover rect{stroke:#000;stroke-width:.7}\n";

static const char dark_style[] =
	"@media (prefers-color-scheme:dark){\n"
	".flame .paper{fill:" DARK_PAPER "}\n"
	".flame .head text,.flame .bar text,.flame .pane-names text,.flame .empty{fill:#e6e6ea}\n"
	".flame text.faint{fill:#a9a9b4}\n"
	".flame .row>g:hover rect{stroke:#fff}\n"
	".flame .few rect,.flame rect.few{fill:#4a4a54}\n"
	".flame .few text{fill:#e6e6ea}\n"
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

/* --- the frame around the frames ----------------------------------------------------------- */

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
		drawing_put_number(d, "data-minwidth", (long)(fmin(o->min_width, 1e6) * 100));
	drawing_put(d, o->is_icicle ? " data-icicle=\"1\"" : "");
	drawing_put(d, o->width ? "" : " data-fluid=\"1\"");
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

/* For those who hear it. */
static void put_description(struct scene *s)
{
	_cleanup_(str_release) struct str all = { 0 };
	struct drawing *d = &s->d;

	if (!d->err)
		d->err = describe_all(s, &all);
	drawing_put(d, "<desc>");
	drawing_put_xml(d, str_text(&all));
	drawing_putf(
		d,
		". Each box is a frame of a call stack, as wide as what was measured in it and "
		"in what it calls, which stands %s it.</desc>\n",
		s->options->is_icicle ? "below" : "above");
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
	put_description(s);
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
	uint32_t paper = s->options->palette.background[1];

	drawing_put(&s->d, "<!DOCTYPE html>\n");
	put_notes(s);
	drawing_put(&s->d, "<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\" "
			   "data-flame=\"1\">\n<head>\n<meta charset=\"UTF-8\"/>\n"
			   "<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>");
	drawing_put_xml(&s->d, s->title);
	drawing_put(&s->d, "</title>\n<style>\nbody{margin:0}\nsvg.flame{display:block}\n");
	if (paper)
		drawing_putf(&s->d, "body{background:#%06x}\n", paper & 0xffffff);
	else
		drawing_put(&s->d,
			    "@media (prefers-color-scheme:dark){\nbody{background:" DARK_PAPER
			    "}\n}\n");
	drawing_put(&s->d, "</style>\n</head>\n<body>\n");
	put_svg(s);
	scene_draw_script(s);
	drawing_put(&s->d, "</body>\n</html>\n");
}

void scene_draw_file(struct scene *s)
{
	if (s->options->is_html) {
		put_html(s);
		return;
	}
	drawing_put(&s->d, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	put_notes(s);
	put_svg(s);
}
