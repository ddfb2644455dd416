/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/memory_read.h"

#include <errno.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/str.h"
#include "user/export/histogram_json.h"
#include "user/base/json_shape.h"
#include "user/export/stacks_json.h"

/* Ten thousand stacks of 127 frames with long names. */
#define STACKS_MAX_BYTES (256u << 20)

static const struct json_shape interval_members[] = {
	{ "lower", SHAPE_COUNT, 0, NULL },
	{ "upper", SHAPE_COUNT, 0, NULL },
	{ 0 },
};

static const struct json_shape sum_members[] = {
	{ "objects", SHAPE_COUNT, 0, NULL },
	{ "bytes", SHAPE_COUNT, 0, NULL },
	{ 0 },
};

static const struct json_shape estimate_members[] = {
	{ "objects", SHAPE_COUNT, 0, NULL },
	{ "bytes", SHAPE_COUNT, 0, NULL },
	{ "objects_interval", SHAPE_MAYBE_OBJECT, 0, interval_members },
	{ "bytes_interval", SHAPE_MAYBE_OBJECT, 0, interval_members },
	{ "blocks", SHAPE_COUNT, 0, NULL },
	{ 0 },
};

static const struct json_shape totals_members[] = {
	{ "alloc", SHAPE_OBJECT, 0, estimate_members },
	{ "inuse", SHAPE_MAYBE_OBJECT, 0, estimate_members },
	{ "peak", SHAPE_MAYBE_OBJECT, 0, sum_members },
	{ "temporary", SHAPE_MAYBE_OBJECT, 0, sum_members },
	{ "leaked", SHAPE_MAYBE_OBJECT, 0, sum_members },
	{ 0 },
};

static const struct json_shape size_octave_members[] = {
	{ "lower_bytes", SHAPE_COUNT, 0, NULL },
	{ "upper_bytes", SHAPE_COUNT, 0, NULL },
	{ "n", SHAPE_COUNT, 0, NULL },
	{ 0 },
};
static const struct json_shape a_size_octave = { .kind = SHAPE_OBJECT, .of = size_octave_members };

static const struct json_shape sizes_members[] = {
	{ "n", SHAPE_COUNT, 0, NULL },
	{ "mean_bytes", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "p50_bytes", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "p90_bytes", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "p95_bytes", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "p99_bytes", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "p99_9_bytes", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "max_bytes", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "distribution", SHAPE_LIST, HISTOGRAM_JSON_OCTAVES, &a_size_octave },
	{ 0 },
};

static const struct json_shape time_octave_members[] = {
	{ "lower_ns", SHAPE_COUNT, 0, NULL },
	{ "upper_ns", SHAPE_COUNT, 0, NULL },
	{ "n", SHAPE_COUNT, 0, NULL },
	{ 0 },
};
static const struct json_shape a_time_octave = { .kind = SHAPE_OBJECT, .of = time_octave_members };

static const struct json_shape lifetimes_members[] = {
	{ "n", SHAPE_COUNT, 0, NULL },
	{ "mean_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "p50_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "p90_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "p95_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "p99_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "p99_9_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "max_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "distribution", SHAPE_LIST, HISTOGRAM_JSON_OCTAVES, &a_time_octave },
	{ 0 },
};

static const struct json_shape memory_members[] = {
	{ "how", SHAPE_TEXT, 0, NULL },
	{ "interval_bytes", SHAPE_COUNT, 0, NULL },
	{ "has_frees", SHAPE_TRUTH, 0, NULL },
	{ "expected_slowdown", SHAPE_NUMBER, 0, NULL },
	{ "blocks_full", SHAPE_COUNT, 0, NULL },
	{ "totals", SHAPE_OBJECT, 0, totals_members },
	{ "peak_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "min_age_ns", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "sizes", SHAPE_OBJECT, 0, sizes_members },
	{ "lifetimes", SHAPE_MAYBE_OBJECT, 0, lifetimes_members },
	{ 0 },
};

json_t *memory_read(const json_t *value)
{
	const struct json_shape shape = { .kind = SHAPE_MAYBE_OBJECT, .of = memory_members };

	return json_shape_copy(value, &shape);
}

/* --- stacks ----------------------------------------------------------------------------------- */

static const struct json_shape values_members[] = {
	{ "samples", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "alloc_objects", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "alloc_space", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "inuse_objects", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "inuse_space", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "peak_objects", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "peak_space", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "temporary_objects", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "temporary_space", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "leaked_objects", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "leaked_space", SHAPE_MAYBE_COUNT, 0, NULL },
	{ 0 },
};

static const struct json_shape intervals_members[] = {
	{ "alloc_objects", SHAPE_MAYBE_OBJECT, 0, interval_members },
	{ "alloc_space", SHAPE_MAYBE_OBJECT, 0, interval_members },
	{ "inuse_objects", SHAPE_MAYBE_OBJECT, 0, interval_members },
	{ "inuse_space", SHAPE_MAYBE_OBJECT, 0, interval_members },
	{ 0 },
};

static const struct json_shape stack_members[] = {
	{ "stack", SHAPE_STACK, 0, NULL },
	{ "values", SHAPE_OBJECT, 0, values_members },
	{ "intervals", SHAPE_OBJECT, 0, intervals_members },
	{ 0 },
};
static const struct json_shape a_stack = { .kind = SHAPE_OBJECT, .of = stack_members };

static const struct json_shape other_members[] = {
	{ "stacks", SHAPE_COUNT, 0, NULL },
	{ "values", SHAPE_OBJECT, 0, values_members },
	{ 0 },
};

static const struct json_shape stacks_members[] = {
	{ "stacks", SHAPE_LIST, STACKS_JSON_MAX, &a_stack },
	{ "stacks_other", SHAPE_OBJECT, 0, other_members },
	{ 0 },
};

static int parse(const char *path, const char *data, size_t len, json_t **ret)
{
	const struct json_shape shape = { .kind = SHAPE_OBJECT, .of = stacks_members };
	json_error_t where;
	_cleanup_(json_decrefp) json_t *root = json_loadb(data, len, 0, &where);
	const char *schema = json_string_value(json_object_get(root, "schema"));
	json_t *stacks;

	if (!root)
		return errf(-EINVAL, "'%s' is damaged: %s in line %d", path, where.text,
			    where.line);
	if (!schema || strcmp(schema, STACKS_SCHEMA))
		return errf(-EINVAL, "'%s' is not of schema " STACKS_SCHEMA, path);
	stacks = json_shape_copy(root, &shape);
	if (!stacks)
		return errf(-ENOMEM, "cannot read '%s': no memory", path);
	*ret = stacks;
	return 0;
}

int memory_read_stacks(const char *folder, const char *collector, json_t **ret)
{
	_cleanup_(str_release) struct str path = { 0 };
	_cleanup_(freep) char *data = NULL;
	size_t len;
	int err;

	if (str_addf(&path, "%s/%s.stacks.json", folder, collector))
		return errf(-ENOMEM, "cannot read the stacks in '%s': no memory", folder);
	err = file_read(str_text(&path), STACKS_MAX_BYTES, &data, &len);
	return err ? err : parse(str_text(&path), data, len, ret);
}
