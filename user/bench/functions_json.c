/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/functions.h"

#include <math.h>

#include "user/base/array.h"
#include "user/base/json_parts.h"

/* To nine digits: sums of doubles differ in their last ones by the order of adding. */
static json_t *number(double v)
{
	double unit;

	if (!isfinite(v))
		return json_null();
	if (v == 0)
		return json_real(0);
	unit = pow(10, 8 - floor(log10(fabs(v))));
	return json_real(isfinite(unit) ? round(v * unit) / unit : v);
}

static json_t *share(double v)
{
	return isfinite(v) ? json_part_share(v, 1) : json_null();
}

struct member {
	const char *key;
	json_t *value;
};

/* Takes over the values; NULL if one of them is missing or there is no memory. */
static json_t *object(const struct member *members, size_t n)
{
	json_t *o = json_object();
	bool failed = !o;
	size_t i;

	for (i = 0; i < n; i++)
		failed |= json_object_set_new(o, members[i].key, members[i].value) != 0;
	if (!failed)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *change_json(const struct function_change *c)
{
	const struct member members[] = {
		{ "function", json_part_text(c->function) },
		{ "module", json_part_text(c->module) },
		{ "class", json_string(function_class_names[c->class]) },
		{ "before", number(c->before) },
		{ "after", number(c->after) },
		{ "delta", number(c->delta) },
		{ "low", number(c->low) },
		{ "high", number(c->high) },
		{ "p_adjusted", share(c->p_adjusted) },
		{ "contribution", share(c->contribution) },
		{ "total_before", number(c->total_before) },
		{ "total_after", number(c->total_after) },
		{ "share_before", share(c->share_before) },
		{ "share_after", share(c->share_after) },
		{ "caller", json_part_text(c->caller) },
		{ "counterpart", json_part_text(c->counterpart) },
	};

	return object(members, ARRAY_SIZE(members));
}

static json_t *changes_json(const struct functions_comparison *c)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < c->n_changes && i < FUNCTIONS_JSON_CHANGES; i++) {
		if (json_array_append_new(list, change_json(&c->changes[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *counts_json(const struct functions_comparison *c)
{
	struct member members[ARRAY_SIZE(function_class_names)];
	size_t counts[ARRAY_SIZE(function_class_names)] = { 0 }, i;

	for (i = 0; i < c->n_changes; i++)
		counts[c->changes[i].class]++;
	for (i = 0; i < ARRAY_SIZE(members); i++)
		members[i] = (struct member){ function_class_names[i], json_part_count(counts[i]) };
	return object(members, ARRAY_SIZE(members));
}

static json_t *component_json(const struct component_change *c)
{
	const struct member members[] = {
		{ "component", json_part_text(c->component) },
		{ "before", number(c->before) },
		{ "after", number(c->after) },
		{ "delta", number(c->delta) },
		{ "contribution", share(c->contribution) },
	};

	return object(members, ARRAY_SIZE(members));
}

static json_t *components_json(const struct functions_comparison *c)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < c->n_components; i++) {
		if (json_array_append_new(list, component_json(&c->components[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *functions_json(const struct functions_comparison *c)
{
	size_t left_out =
		c->n_changes > FUNCTIONS_JSON_CHANGES ? c->n_changes - FUNCTIONS_JSON_CHANGES : 0;
	const struct member members[] = {
		{ "value", json_part_text(c->value) },
		{ "unit", json_part_text(c->unit) },
		{ "pairs", json_part_count(c->n_pairs) },
		{ "candidates", json_part_count(c->n_candidates) },
		{ "before", number(c->before) },
		{ "after", number(c->after) },
		{ "delta", number(c->delta) },
		{ "p", share(c->p) },
		{ "explained", share(c->explained) },
		{ "unattributed", json_boolean(c->is_unattributed) },
		{ "counts", counts_json(c) },
		{ "changes", changes_json(c) },
		{ "changes_left_out", json_part_count(left_out) },
		{ "components", components_json(c) },
	};

	return object(members, ARRAY_SIZE(members));
}
