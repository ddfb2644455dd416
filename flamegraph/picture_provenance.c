/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "flamegraph/picture_scene.h"
#include "user/base/array.h"

#define MAX_LINES 3
#define SEPARATOR " \xc2\xb7 " /* middle dot */

/* "key: text", clean; without a key the text alone. */
static int add_piece(const char *const piece[2], struct str *out)
{
	const char *key = piece[0] ? piece[0] : "";
	int err = str_add_clean(out, key, strlen(key), 0);

	if (!err && *key)
		err = str_add(out, ": ");
	return err ? err : str_add_clean(out, piece[1], strlen(piece[1]), 0);
}

static long width_of(const struct scene *s, const char *text)
{
	return label_width_font(text, s->m.small_size, s->m.least_width);
}

/* Puts a piece into the last line, or into a new one if it has no room and there may be one. */
static int place_piece(struct scene *s, const struct str *piece)
{
	struct str *line = s->n_provenance ? &s->provenance[s->n_provenance - 1] : NULL;
	int err = 0;

	if (!line || (s->n_provenance < MAX_LINES &&
		      width_of(s, line->data) + width_of(s, SEPARATOR) + width_of(s, piece->data) >
			      s->m.inner * 100L))
		line = &s->provenance[s->n_provenance++];
	else
		err = str_add(line, SEPARATOR);
	return err ? err : str_add(line, piece->data);
}

int scene_wrap_provenance(struct scene *s)
{
	size_t i;
	int err = 0;

	s->provenance = calloc(MAX_LINES, sizeof(*s->provenance));
	if (!s->provenance)
		return -ENOMEM;
	for (i = 0; i < s->options->n_provenance && !err; i++) {
		_cleanup_(str_release) struct str piece = { 0 };

		err = add_piece(s->options->provenance[i], &piece);
		if (!err && piece.len)
			err = place_piece(s, &piece);
	}
	return err;
}

static void put_all(struct scene *s)
{
	size_t i;

	drawing_put(&s->d, "<title>");
	for (i = 0; i < s->options->n_provenance; i++) {
		_cleanup_(str_release) struct str piece = { 0 };

		if (!s->d.err)
			s->d.err = add_piece(s->options->provenance[i], &piece);
		drawing_put(&s->d, i ? "\n" : "");
		drawing_put_xml(&s->d, str_text(&piece));
	}
	drawing_put(&s->d, "</title>");
}

void scene_draw_provenance(struct scene *s)
{
	unsigned int i;

	if (!s->n_provenance)
		return;
	drawing_putf(&s->d, "<g class=\"provenance\" fill=\"#%06x\"", s->faint_color);
	drawing_put_number(&s->d, "font-size", (long)(s->m.small_size * 100));
	drawing_put(&s->d, ">\n");
	put_all(s);
	for (i = 0; i < s->n_provenance; i++) {
		_cleanup_(str_release) struct str cut = { 0 };

		if (!s->d.err)
			s->d.err = label_fit_font(str_text(&s->provenance[i]), s->m.small_size,
						  s->m.least_width, s->m.inner * 100L, &cut);
		drawing_putf(&s->d, "<text class=\"faint\" x=\"%d\" y=\"%u\">", PICTURE_MARGIN,
			     s->m.provenance_y + i * s->m.provenance_line);
		drawing_put_xml(&s->d, str_text(&cut));
		drawing_put(&s->d, "</text>\n");
	}
	drawing_put(&s->d, "</g>\n");
}
