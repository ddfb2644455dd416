/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/json_parts.h"
#include "user/base/str.h"
#include "user/bench/calibrate.h"

static json_t *number_json(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *pairs_json(unsigned int pairs)
{
	return pairs ? json_integer(pairs) : json_null();
}

static json_t *metric_json(const struct calibration_metric *m)
{
	return json_pack("{s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "metric", json_part_text(m->name), "gated", m->is_gated, "points",
			 m->is_points, "pairs", json_part_count(m->n), "noise",
			 number_json(m->noise), "autocorrelation", number_json(m->autocorrelation),
			 "change", number_json(m->change), "low", number_json(m->low), "high",
			 number_json(m->high), "false_alarms", number_json(m->false_alarms),
			 "min_effect", number_json(m->min_effect), "limit", number_json(m->limit),
			 "pairs_for_5_percent", pairs_json(m->pairs_for_small),
			 "pairs_for_8_percent", pairs_json(m->pairs_for_large));
}

json_t *calibration_json(const struct calibration *c)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < c->n_metrics; i++) {
		if (json_array_append_new(list, metric_json(&c->metrics[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", CALIBRATION_SCHEMA,
			 "scenario", json_part_text(c->scenario), "environment",
			 json_part_text(c->environment), "policy", json_part_text(c->policy),
			 "alpha", number_json(c->alpha), "repeat", json_part_count(c->repeat),
			 "metrics", list);
}

/* --- and back ------------------------------------------------------------------------------ */

/* null is NAN; what is far from any share or value is refused. */
static int read_number(const json_t *o, const char *key, double least, double *ret)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_null(v)) {
		*ret = NAN;
		return 0;
	}
	if (!json_is_number(v) || !(json_number_value(v) >= least && json_number_value(v) <= 1e18))
		return errf(-EINVAL, "a calibration's '%s' is no number that it can be", key);
	*ret = json_number_value(v);
	return 0;
}

/* null is 0. */
static int read_count(const json_t *o, const char *key, unsigned int *ret)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_null(v) && !(json_is_integer(v) && json_integer_value(v) >= 0 &&
				  json_integer_value(v) <= UINT32_MAX))
		return errf(-EINVAL, "a calibration's '%s' is no count", key);
	*ret = (unsigned int)json_integer_value(v);
	return 0;
}

static int read_text(const json_t *o, const char *key, bool is_needed, char **ret)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_null(v) && !is_needed)
		return 0;
	/* It will be shown. */
	if (!json_is_string(v) || !text_is_clean(json_string_value(v), json_string_length(v), 0))
		return errf(-EINVAL, "a calibration's '%s' is no clean text", key);
	*ret = strdup(json_string_value(v));
	return *ret ? 0 : errf(-ENOMEM, "cannot read the calibration");
}

static int read_metric(const json_t *o, struct calibration_metric *m)
{
	const struct {
		const char *key;
		double least;
		double *ret;
	} numbers[] = {
		{ "noise", 0, &m->noise },	     { "autocorrelation", -1, &m->autocorrelation },
		{ "change", -1e18, &m->change },     { "low", -1e18, &m->low },
		{ "high", -1e18, &m->high },	     { "false_alarms", 0, &m->false_alarms },
		{ "min_effect", 0, &m->min_effect }, { "limit", 0, &m->limit },
	};
	unsigned int n = 0;
	size_t i;
	int err = read_text(o, "metric", true, &m->name);

	if (!err)
		err = read_count(o, "pairs", &n);
	if (!err)
		err = read_count(o, "pairs_for_5_percent", &m->pairs_for_small);
	if (!err)
		err = read_count(o, "pairs_for_8_percent", &m->pairs_for_large);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !err; i++)
		err = read_number(o, numbers[i].key, numbers[i].least, numbers[i].ret);
	m->n = n;
	m->is_gated = json_is_true(json_object_get(o, "gated"));
	m->is_points = json_is_true(json_object_get(o, "points"));
	return err;
}

static int read_all(const json_t *o, struct calibration *c)
{
	const json_t *list = json_object_get(o, "metrics"), *schema = json_object_get(o, "schema");
	int err;

	if (!json_is_string(schema) || strcmp(json_string_value(schema), CALIBRATION_SCHEMA))
		return errf(-EINVAL, "this is no calibration (%s)", CALIBRATION_SCHEMA);
	if (!json_is_array(list) || json_array_size(list) > CALIBRATION_MAX_METRICS)
		return errf(-EINVAL, "a calibration's 'metrics' is no list of at most %d",
			    CALIBRATION_MAX_METRICS);
	err = read_text(o, "scenario", false, &c->scenario);
	if (!err)
		err = read_text(o, "environment", false, &c->environment);
	if (!err)
		err = read_text(o, "policy", true, &c->policy);
	if (!err)
		err = read_number(o, "alpha", 0, &c->alpha);
	if (!err)
		err = read_count(o, "repeat", &c->repeat);
	if (err)
		return err;
	c->metrics = calloc(json_array_size(list) + 1, sizeof(*c->metrics));
	if (!c->metrics)
		return errf(-ENOMEM, "cannot read the calibration");
	while (c->n_metrics < json_array_size(list) && !err) {
		c->n_metrics++;
		err = read_metric(json_array_get(list, c->n_metrics - 1),
				  &c->metrics[c->n_metrics - 1]);
	}
	return err;
}

int calibration_read(const char *json, struct calibration **ret)
{
	_cleanup_(calibration_freep) struct calibration *c = calloc(1, sizeof(*c));
	json_error_t where;
	json_t *o;
	int err;

	if (!c)
		return errf(-ENOMEM, "cannot read the calibration");
	o = json_loads(json, JSON_REJECT_DUPLICATES, &where);
	if (!o)
		return errf(-EINVAL, "the calibration is no JSON: %s (line %d)", where.text,
			    where.line);
	err = read_all(o, c);
	json_decref(o);
	if (err)
		return err;
	*ret = take(c);
	return 0;
}
