/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "user/base/json_parts.h"
#include "user/export/difference_report.h"

#define DIFFERENCE_SCHEMA "fathom.diff/1"

static json_t *side_json(const struct difference_report *r, enum difference_side side)
{
	const struct difference *d = r->d;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "source",
			 json_part_text(r->sources[side]), "origin",
			 json_part_text(*r->origins[side] ? r->origins[side] : NULL), "factor",
			 json_part_number(d->scale[side]), "all", json_part_count(d->all[side]),
			 "stackless", json_part_count(d->stackless[side]), "samples",
			 json_part_known(d->all_samples[side]), "duration_ns",
			 json_part_known(d->duration_ns[side]), "negative_left_out",
			 json_part_count(d->negative[side]), "repairs",
			 json_part_count(r->repairs[side]));
}

/* On both sides, and what that is on the scale. */
static json_t *amounts_json(const struct difference *d, const int64_t values[DIFFERENCE_SIDES])
{
	return json_pack("{s:o, s:o, s:o, s:o}", "before",
			 json_part_count(values[DIFFERENCE_BEFORE]), "after",
			 json_part_count(values[DIFFERENCE_AFTER]), "delta",
			 json_part_number(difference_delta(d, values)), "growth",
			 json_part_number(difference_growth(d, values)));
}

static const char *class_of(const struct difference_row *row)
{
	if (!row->is_there[DIFFERENCE_BEFORE])
		return "new";
	return row->is_there[DIFFERENCE_AFTER] ? "both" : "gone";
}

static json_t *row_json(const struct difference_report *r, const struct difference_row *row)
{
	bool renamed = row->module_before && strcmp(row->module_before, row->module);
	json_t *json =
		json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:b}", "function",
			  json_part_text(row->function), "module", json_part_text(row->module),
			  "module_before", json_part_text(renamed ? row->module_before : NULL),
			  "class", class_of(row), "self", amounts_json(r->d, row->self), "total",
			  amounts_json(r->d, row->total), "weight",
			  json_part_number(difference_weight(r->d, row)), "p",
			  json_part_number(row->p), "exceeds", difference_exceeds(r, row));

	if (json && json_object_set_new(json, "is_significant",
					r->d->is_judged ? json_boolean(row->is_significant)
							: json_null())) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static json_t *rows_json(const struct difference_report *r, size_t n)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; list && i < n; i++) {
		if (json_array_append_new(list, row_json(r, r->d->order[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *difference_json(const struct difference_report *r)
{
	size_t shown = r->rows && r->rows < r->d->n ? r->rows : r->d->n;
	const char *verdict = difference_verdict(r);

	return json_pack(
		"{s:s, s:s?, s:o, s:b, s:o, s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}",
		"schema", DIFFERENCE_SCHEMA, "verdict", verdict, "max_growth",
		json_part_number(r->max_growth), "all_exceeds", difference_all_exceeds(r),
		"grown_noise", json_part_count(difference_grown_noise(r)), "value",
		json_part_text(r->value), "unit", json_part_text(r->unit), "scale",
		difference_scale_names[r->scale], "significance",
		difference_significance_names[r->significance], "sort",
		r->by_total ? "total" : "self", "before", side_json(r, DIFFERENCE_BEFORE), "after",
		side_json(r, DIFFERENCE_AFTER), "all", amounts_json(r->d, r->d->all), "functions",
		rows_json(r, shown), "functions_left_out", json_part_count(r->d->n - shown));
}
