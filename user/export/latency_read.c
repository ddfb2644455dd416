/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/latency_read.h"

#include "user/base/json_shape.h"
#include "user/export/latency_json.h"

static const struct json_shape a_text = { .kind = SHAPE_TEXT };
static const struct json_shape a_count = { .kind = SHAPE_COUNT };

static const struct json_shape stage_members[] = {
	{ "stage", SHAPE_TEXT, 0, NULL },	   { "n", SHAPE_COUNT, 0, NULL },
	{ "mean_ns", SHAPE_MAYBE_COUNT, 0, NULL }, { "p50_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "p90_ns", SHAPE_MAYBE_COUNT, 0, NULL },  { "p95_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "p99_ns", SHAPE_MAYBE_COUNT, 0, NULL },  { "p99_9_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "max_ns", SHAPE_MAYBE_COUNT, 0, NULL },  { 0 },
};
static const struct json_shape a_stage = { .kind = SHAPE_OBJECT, .of = stage_members };

static const struct json_shape octave_members[] = {
	{ "lower_ns", SHAPE_COUNT, 0, NULL },
	{ "upper_ns", SHAPE_COUNT, 0, NULL },
	{ "n", SHAPE_COUNT, 0, NULL },
	{ 0 },
};
static const struct json_shape an_octave = { .kind = SHAPE_OBJECT, .of = octave_members };

static const struct json_shape slots_members[] = {
	{ "lower_ns", SHAPE_LIST, FT_HIST_SLOTS, &a_count },
	{ "n", SHAPE_LIST, FT_HIST_SLOTS, &a_count },
	{ 0 },
};

static const struct json_shape group_members[] = {
	{ "subject", SHAPE_TEXT, 0, NULL },
	{ "operation", SHAPE_TEXT, 0, NULL },
	{ "apart", SHAPE_TRUTH, 0, NULL },
	{ "operations", SHAPE_COUNT, 0, NULL },
	{ "bytes", SHAPE_COUNT, 0, NULL },
	{ "errors", SHAPE_COUNT, 0, NULL },
	{ "touched", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "inferred_bytes", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "iops", SHAPE_NUMBER, 0, NULL },
	{ "bytes_per_s", SHAPE_NUMBER, 0, NULL },
	{ "queue_depth", SHAPE_NUMBER, 0, NULL },
	{ "stages", SHAPE_LIST, LATENCY_MAX_STAGES, &a_stage },
	{ "distribution", SHAPE_LIST, LATENCY_JSON_OCTAVES, &an_octave },
	{ "slots", SHAPE_OBJECT, 0, slots_members },
	{ 0 },
};
static const struct json_shape a_group = { .kind = SHAPE_OBJECT, .of = group_members };

static const struct json_shape other_members[] = {
	{ "rows", SHAPE_COUNT, 0, NULL },
	{ "operations", SHAPE_COUNT, 0, NULL },
	{ "bytes", SHAPE_COUNT, 0, NULL },
	{ "errors", SHAPE_COUNT, 0, NULL },
	{ 0 },
};

static const struct json_shape breakdown_members[] = {
	{ "subject", SHAPE_TEXT, 0, NULL },
	{ "operation", SHAPE_TEXT, 0, NULL },
	{ "flags", SHAPE_TEXT, 0, NULL },
	{ "size_class", SHAPE_TEXT, 0, NULL },
	{ "operations", SHAPE_COUNT, 0, NULL },
	{ "bytes", SHAPE_COUNT, 0, NULL },
	{ "errors", SHAPE_COUNT, 0, NULL },
	{ "p50_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "p99_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "max_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ 0 },
};
static const struct json_shape a_breakdown = { .kind = SHAPE_OBJECT, .of = breakdown_members };

static const struct json_shape path_members[] = {
	{ "path", SHAPE_TEXT, 0, NULL },
	{ "operation", SHAPE_TEXT, 0, NULL },
	{ "operations", SHAPE_COUNT, 0, NULL },
	{ "bytes", SHAPE_COUNT, 0, NULL },
	{ "errors", SHAPE_COUNT, 0, NULL },
	{ "touched", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "sum_ns", SHAPE_COUNT, 0, NULL },
	{ "p50_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "p99_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "max_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ 0 },
};
static const struct json_shape a_path = { .kind = SHAPE_OBJECT, .of = path_members };

static const struct json_shape device_members[] = {
	{ "name", SHAPE_TEXT, 0, NULL },
	{ "number", SHAPE_TEXT, 0, NULL },
	{ "kind", SHAPE_TEXT, 0, NULL },
	{ "text", SHAPE_TEXT, 0, NULL },
	{ "lower", SHAPE_LIST, LATENCY_JSON_DEVICES, &a_text },
	{ 0 },
};
static const struct json_shape a_device = { .kind = SHAPE_OBJECT, .of = device_members };

static const struct json_shape route_members[] = {
	{ "subject", SHAPE_TEXT, 0, NULL },
	{ "origin", SHAPE_TEXT, 0, NULL },
	{ "requests", SHAPE_COUNT, 0, NULL },
	{ "bytes", SHAPE_COUNT, 0, NULL },
	{ 0 },
};
static const struct json_shape a_route = { .kind = SHAPE_OBJECT, .of = route_members };

static const struct json_shape routes_other_members[] = {
	{ "requests", SHAPE_COUNT, 0, NULL },
	{ "bytes", SHAPE_COUNT, 0, NULL },
	{ 0 },
};

static const struct json_shape column_members[] = {
	{ "start_ns", SHAPE_COUNT, 0, NULL },
	{ "width_ns", SHAPE_COUNT, 0, NULL },
	{ "iops", SHAPE_NUMBER, 0, NULL },
	{ "read_bytes_per_s", SHAPE_NUMBER, 0, NULL },
	{ "write_bytes_per_s", SHAPE_NUMBER, 0, NULL },
	{ "queue_depth", SHAPE_NUMBER, 0, NULL },
	{ "mean_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "in_flight", SHAPE_COUNT, 0, NULL },
	{ 0 },
};
static const struct json_shape a_column = { .kind = SHAPE_OBJECT, .of = column_members };

static const struct json_shape series_members[] = {
	{ "subject", SHAPE_TEXT, 0, NULL },
	{ "columns", SHAPE_LIST, LATENCY_JSON_COLUMNS, &a_column },
	{ 0 },
};
static const struct json_shape a_series = { .kind = SHAPE_OBJECT, .of = series_members };

static const struct json_shape outliers_members[] = {
	{ "threshold_ns", SHAPE_COUNT, 0, NULL },
	{ "kept", SHAPE_COUNT, 0, NULL },
	{ "faster", SHAPE_COUNT, 0, NULL },
	{ "lost", SHAPE_COUNT, 0, NULL },
	{ 0 },
};

static const struct json_shape latency_members[] = {
	{ "subject", SHAPE_TEXT, 0, NULL },
	{ "stages", SHAPE_LIST, LATENCY_MAX_STAGES, &a_text },
	{ "in_flight_start", SHAPE_COUNT, 0, NULL },
	{ "in_flight_end", SHAPE_COUNT, 0, NULL },
	{ "groups", SHAPE_LIST, LATENCY_JSON_GROUPS, &a_group },
	{ "groups_other", SHAPE_OBJECT, 0, other_members },
	{ "breakdown", SHAPE_LIST, LATENCY_JSON_ROWS, &a_breakdown },
	{ "breakdown_other", SHAPE_OBJECT, 0, other_members },
	{ "paths", SHAPE_LIST, LATENCY_JSON_ROWS, &a_path },
	{ "paths_other", SHAPE_OBJECT, 0, other_members },
	{ "devices", SHAPE_LIST, LATENCY_JSON_DEVICES, &a_device },
	{ "devices_other", SHAPE_COUNT, 0, NULL },
	{ "routes", SHAPE_LIST, LATENCY_JSON_DEVICES, &a_route },
	{ "routes_other", SHAPE_OBJECT, 0, routes_other_members },
	{ "over_time", SHAPE_LIST, LATENCY_JSON_SUBJECTS, &a_series },
	{ "over_time_other", SHAPE_COUNT, 0, NULL },
	{ "outliers", SHAPE_MAYBE_OBJECT, 0, outliers_members },
	{ 0 },
};

json_t *latency_read(const json_t *value)
{
	const struct json_shape shape = { .kind = SHAPE_MAYBE_OBJECT, .of = latency_members };

	return json_shape_copy(value, &shape);
}
