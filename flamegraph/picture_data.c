/* SPDX-License-Identifier: BSD-2-Clause */
#include "flame_scripts.js.h"
#include "flamegraph/flame_data.h"
#include "flamegraph/picture_scene.h"

void scene_draw_data(struct scene *s)
{
	const struct picture_options *o = s->options;
	const struct flame_data_options options = {
		.title = s->title,
		.subtitle = s->subtitle,
		.value = s->value,
		.unit = s->unit,
		.count_name = o->count_name,
		.name_type = o->name_type,
		.provenance = o->provenance,
		.n_provenance = o->n_provenance,
		.colors = s->colors,
		.total = picture_total(o),
		.is_icicle = o->is_icicle,
		.is_negated = o->is_negated,
		.delta_by = o->delta_is_percent ? "percent" : "value",
		.time = o->time,
		.budget = o->has_all_data ? 0 : FLAME_DATA_BUDGET,
	};

	/* Attributes may be cut by editors of drawings, metadata is theirs to keep. */
	drawing_put(&s->d, "<metadata id=\"flame-data\">\n");
	if (!s->d.err)
		s->d.err = flame_data_add(s->tree, &options, &s->d.text);
	drawing_put(&s->d, "</metadata>\n");
}

/*
 * Of two panes, which the script would make one of, there is none. What hides the markup in the
 * script from readers of XML is a comment to those of HTML and of the script.
 */
void scene_draw_script(struct scene *s)
{
	if (!*flame_scripts_js || s->n_panes > 1 || !s->panes[0].layout->boxes[0].width)
		return;
	drawing_put(&s->d, "<script>//<![CDATA[\n(() => {\n\"use strict\";\n");
	drawing_put(&s->d, flame_scripts_js);
	drawing_put(&s->d, "})();\n//]]></script>\n");
}
