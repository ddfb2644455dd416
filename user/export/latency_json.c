/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/latency_json.h"

#include <math.h>
#include <stdlib.h>

#include "user/base/array.h"
#include "user/base/json_parts.h"
#include "user/export/latency_time_json.h"
#include "user/model/latency_groups.h"

static json_t *text(const struct latency *l, uint32_t string)
{
	return json_part_text(latency_string(l, string));
}

static json_t *quantile(const struct histogram *h, unsigned int permille)
{
	return histogram_has_quantile(h, permille)
		       ? json_part_count(histogram_quantile_ns(h, permille))
		       : json_null();
}

/*
 * 0 is a maximum only if all observations are 0; else the collector does not know it. One that has
 * no histogram of a path may know it all the same.
 */
static json_t *maximum(const struct histogram *h)
{
	bool known = h->max_ns || (h->n && histogram_count(h, 0) == h->n);

	return known ? json_part_count(h->max_ns) : json_null();
}

static json_t *mean(const struct histogram *h)
{
	return h->n ? json_part_count(histogram_mean_ns(h)) : json_null();
}

static const struct histogram *total_of(const struct latency *l, const struct histogram *stages)
{
	return &stages[l->description.n_stages - 1];
}

/* Numbers that only some collectors have. */
static json_t *touched(const struct latency *l, const struct latency_counts *c)
{
	return l->description.with_touched ? json_part_count(c->touched) : json_null();
}

static json_t *inferred(const struct latency *l, const struct latency_counts *c)
{
	return l->description.with_inferred ? json_part_count(c->inferred_bytes) : json_null();
}

/* --- groups -------------------------------------------------------------------------------- */

static json_t *stage_json(const char *name, const struct histogram *h)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "stage",
			 json_part_text(name), "n", json_part_count(h->n), "mean_ns", mean(h),
			 "p50_ns", quantile(h, 500), "p90_ns", quantile(h, 900), "p95_ns",
			 quantile(h, 950), "p99_ns", quantile(h, 990), "p99_9_ns", quantile(h, 999),
			 "max_ns", maximum(h));
}

static json_t *stages_json(const struct latency *l, const struct histogram *stages)
{
	_cleanup_(json_decrefp) json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < l->description.n_stages; i++) {
		if (json_array_append_new(list, stage_json(l->description.stages[i], &stages[i])))
			return NULL;
	}
	return take(list);
}

/* Octaves, from the first to the last that has any: for people. What is below 32 ns is one. */
static json_t *distribution(const struct histogram *h)
{
	_cleanup_(json_decrefp) json_t *list = json_array();
	uint32_t octave, slot, steps = 1u << FT_HIST_STEP_BITS;
	uint32_t end = (h->first + h->width + steps - 1) / steps;

	for (octave = h->first / steps; h->width && octave < end; octave++) {
		uint64_t n = 0;

		for (slot = octave * steps; slot < (octave + 1) * steps; slot++)
			n += histogram_count(h, slot);
		if (json_array_append_new(
			    list,
			    json_pack("{s:o, s:o, s:o}", "lower_ns",
				      json_part_count(ft_hist_lower_ns(octave * steps)), "upper_ns",
				      json_part_count(ft_hist_lower_ns((octave + 1) * steps)), "n",
				      json_part_count(n))))
			return NULL;
	}
	return take(list);
}

/* The slots that have any: for programs, which can merge them with those of other runs. */
static json_t *slots(const struct histogram *h)
{
	_cleanup_(json_decrefp) json_t *lower = json_array(), *counts = json_array();
	uint32_t i;

	for (i = 0; i < h->width; i++) {
		if (!h->counts[i])
			continue;
		if (json_array_append_new(lower, json_part_count(ft_hist_lower_ns(h->first + i))) ||
		    json_array_append_new(counts, json_part_count(h->counts[i])))
			return NULL;
	}
	return json_pack("{s:O, s:O}", "lower_ns", lower, "n", counts);
}

static json_t *group_json(const struct latency *l, const struct latency_group *g, uint64_t span_ns)
{
	const struct histogram *total = total_of(l, g->stages);
	double seconds = span_ns / 1e9;

	return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "subject", text(l, g->subject), "operation", text(l, g->operation),
			 "apart", g->is_apart, "operations", json_part_count(g->counts.operations),
			 "bytes", json_part_count(g->counts.bytes), "errors",
			 json_part_count(g->counts.errors), "touched", touched(l, &g->counts),
			 "inferred_bytes", inferred(l, &g->counts), "iops",
			 latency_rate_json(g->counts.operations, seconds), "bytes_per_s",
			 latency_rate_json(g->counts.bytes, seconds), "queue_depth",
			 latency_rate_json(total->sum_ns / 1e9, seconds), "stages",
			 stages_json(l, g->stages), "distribution", distribution(total), "slots",
			 slots(total));
}

/* What a list leaves out. */
static json_t *other_json(uint64_t rows, const struct latency_counts *c)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "rows", json_part_count(rows), "operations",
			 json_part_count(c->operations), "bytes", json_part_count(c->bytes),
			 "errors", json_part_count(c->errors));
}

static int add_groups(const struct latency *l, uint64_t span_ns, json_t *o)
{
	_cleanup_(latency_groups_freep) struct latency_groups *groups = NULL;
	struct latency_counts other = l->by_subject.other.counts;
	json_t *list = json_array();
	size_t i;
	int bad = json_object_set_new(o, "groups", list);

	if (bad || latency_groups_new(l, LATENCY_BY_SUBJECT, &groups))
		return -1;
	for (i = 0; i < groups->n; i++) {
		const struct latency_group *g = &groups->groups[i];

		if (i < LATENCY_JSON_GROUPS)
			bad |= json_array_append_new(list, group_json(l, g, span_ns));
		else
			latency_counts_add(&other, &g->counts);
	}
	i = groups->n < LATENCY_JSON_GROUPS ? 0 : groups->n - LATENCY_JSON_GROUPS;
	return bad | json_object_set_new(o, "groups_other", other_json(i, &other));
}

/* --- rows ---------------------------------------------------------------------------------- */

static json_t *breakdown_row(const struct latency *l, const struct latency_row *r)
{
	const struct histogram *total = total_of(l, r->stages);

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "subject",
			 text(l, r->subject), "operation", text(l, r->operation), "flags",
			 text(l, r->flags), "size_class", text(l, r->size_class), "operations",
			 json_part_count(r->counts.operations), "bytes",
			 json_part_count(r->counts.bytes), "errors",
			 json_part_count(r->counts.errors), "p50_ns", quantile(total, 500),
			 "p99_ns", quantile(total, 990), "max_ns", maximum(total));
}

static json_t *path_row(const struct latency *l, const struct latency_row *r)
{
	const struct histogram *total = total_of(l, r->stages);

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "path",
			 text(l, r->subject), "operation", text(l, r->operation), "operations",
			 json_part_count(r->counts.operations), "bytes",
			 json_part_count(r->counts.bytes), "errors",
			 json_part_count(r->counts.errors), "touched", touched(l, &r->counts),
			 "sum_ns", json_part_count(total->sum_ns), "p50_ns", quantile(total, 500),
			 "p99_ns", quantile(total, 990), "max_ns", maximum(total));
}

/* A list of rows under 'key', and what it leaves out under 'other_key'. */
static int add_rows(const struct latency *l, enum latency_list which, const char *key,
		    const char *other_key, json_t *o)
{
	const struct latency_rows *rows = which == LATENCY_BY_PATH ? &l->by_path : &l->by_subject;
	_cleanup_(freep) uint32_t *order = NULL;
	struct latency_counts other = rows->other.counts;
	json_t *list = json_array();
	size_t i;
	int bad = json_object_set_new(o, key, list);

	if (bad || latency_rows_order(l, which, &order))
		return -1;
	for (i = 0; i < rows->n; i++) {
		const struct latency_row *r = &rows->rows[order[i]];

		if (i >= LATENCY_JSON_ROWS)
			latency_counts_add(&other, &r->counts);
		else if (which == LATENCY_BY_PATH)
			bad |= json_array_append_new(list, path_row(l, r));
		else
			bad |= json_array_append_new(list, breakdown_row(l, r));
	}
	i = rows->n < LATENCY_JSON_ROWS ? 0 : rows->n - LATENCY_JSON_ROWS;
	return bad | json_object_set_new(o, other_key, other_json(i, &other));
}

/* --- devices, routes, outliers -------------------------------------------------------------- */

static json_t *device_json(const struct latency_device *d)
{
	_cleanup_(json_decrefp) json_t *lower = json_array();
	size_t i;

	for (i = 0; i < d->n_lower && i < LATENCY_JSON_DEVICES; i++) {
		if (json_array_append_new(lower, json_part_text(d->lower[i])))
			return NULL;
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:O}", "name", json_part_text(d->name), "number",
			 json_part_text(d->number), "kind", json_part_text(d->kind), "text",
			 json_part_text(d->text), "lower", lower);
}

static int add_devices(const struct latency *l, json_t *o)
{
	json_t *list = json_array();
	uint64_t other = l->devices_left_out;
	size_t i;
	int bad = json_object_set_new(o, "devices", list);

	for (i = 0; !bad && i < l->n_devices; i++) {
		if (i < LATENCY_JSON_DEVICES)
			bad = json_array_append_new(list, device_json(&l->devices[i]));
		else
			other++;
	}
	return bad | json_object_set_new(o, "devices_other", json_part_count(other));
}

static int add_routes(const struct latency *l, json_t *o)
{
	struct latency_counts other = l->routes_other;
	json_t *list = json_array();
	size_t i;
	int bad = json_object_set_new(o, "routes", list);

	for (i = 0; !bad && i < l->n_routes; i++) {
		const struct latency_route *r = &l->routes[i];

		if (i < LATENCY_JSON_DEVICES) {
			bad = json_array_append_new(
				list, json_pack("{s:o, s:o, s:o, s:o}", "subject",
						text(l, r->subject), "origin", text(l, r->origin),
						"requests", json_part_count(r->requests), "bytes",
						json_part_count(r->bytes)));
			continue;
		}
		other.operations += r->requests;
		other.bytes += r->bytes;
	}
	return bad | json_object_set_new(o, "routes_other",
					 json_pack("{s:o, s:o}", "requests",
						   json_part_count(other.operations), "bytes",
						   json_part_count(other.bytes)));
}

static json_t *outliers_json(const struct latency_outliers *o)
{
	if (!o->threshold_ns)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o}", "threshold_ns", json_part_count(o->threshold_ns),
			 "kept", json_part_count(o->n), "faster", json_part_count(o->n_faster),
			 "lost", json_part_count(o->n_lost));
}

static json_t *stage_names(const struct latency *l)
{
	_cleanup_(json_decrefp) json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < l->description.n_stages; i++) {
		if (json_array_append_new(list, json_part_text(l->description.stages[i])))
			return NULL;
	}
	return take(list);
}

json_t *latency_json(const struct latency *l, uint64_t span_ns)
{
	_cleanup_(json_decrefp) json_t *o = json_object();
	int bad = 0;

	bad |= json_object_set_new(o, "subject", json_part_text(l->description.subject));
	bad |= json_object_set_new(o, "stages", stage_names(l));
	bad |= json_object_set_new(o, "in_flight_start", json_part_count(l->in_flight_start));
	bad |= json_object_set_new(o, "in_flight_end", json_part_count(l->in_flight_end));
	if (bad || add_groups(l, span_ns, o) ||
	    add_rows(l, LATENCY_BY_SUBJECT, "breakdown", "breakdown_other", o) ||
	    add_rows(l, LATENCY_BY_PATH, "paths", "paths_other", o) || add_devices(l, o) ||
	    add_routes(l, o) || latency_time_json_add(l, o) ||
	    json_object_set_new(o, "outliers", outliers_json(&l->outliers)))
		return NULL;
	return take(o);
}

/* --- the slowest operations ----------------------------------------------------------------- */

static json_t *known_id(int64_t id)
{
	return id >= 0 ? json_integer(id) : json_null();
}

static json_t *stage_times(const struct latency *l, const struct latency_outlier *one)
{
	_cleanup_(json_decrefp) json_t *o = json_object();
	unsigned int i;

	for (i = 0; i < l->description.n_stages; i++) {
		if (json_object_set_new(o, l->description.stages[i],
					json_part_count(one->stage_ns[i])))
			return NULL;
	}
	return take(o);
}

static json_t *outlier_json(const struct latency *l, const struct latency_outlier *one)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "time", json_part_time(one->time_ns), "subject",
			 json_part_text(one->subject), "operation", json_part_text(one->operation),
			 "flags", json_part_text(one->flags), "bytes", json_part_count(one->bytes),
			 "error", one->error, "stage_ns", stage_times(l, one), "process",
			 json_part_text(one->comm), "pid", known_id(one->pid), "tid",
			 known_id(one->tid), "cgroup", json_part_text(one->cgroup), "path",
			 json_part_text(one->path), "stack", json_part_text(one->stack));
}

json_t *latency_slow_json(const struct latency *l, const char *collector)
{
	_cleanup_(json_decrefp) json_t *list = json_array();
	const struct latency_outliers *o = &l->outliers;
	size_t i;

	for (i = 0; i < o->n; i++) {
		if (json_array_append_new(list, outlier_json(l, &o->list[i])))
			return NULL;
	}
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:O}", "schema", SLOW_SCHEMA,
			 "collector", json_part_text(collector), "subject",
			 json_part_text(l->description.subject), "stages", stage_names(l),
			 "threshold_ns", json_part_count(o->threshold_ns), "kept",
			 json_part_count(o->n), "faster", json_part_count(o->n_faster), "lost",
			 json_part_count(o->n_lost), "slow", list);
}
