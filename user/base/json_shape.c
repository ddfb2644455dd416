/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/json_shape.h"

#include "user/base/str.h"

#define NUMBER_MAX	1e18
#define TEXT_MAX_BYTES	4096
#define STACK_MAX_BYTES (1u << 20)

static json_t *copy_count(const json_t *value, json_t *otherwise)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return otherwise;
	json_decref(otherwise);
	return json_integer(json_integer_value(value));
}

static json_t *copy_number(const json_t *value)
{
	double v = json_number_value(value);

	return json_is_number(value) && v >= 0 && v <= NUMBER_MAX ? json_real(v) : json_null();
}

static json_t *copy_text(const json_t *value, size_t max)
{
	_cleanup_(str_release) struct str clean = { 0 };
	size_t len = json_string_length(value);

	if (!json_is_string(value))
		return json_null();
	if (len > max)
		len = max;
	if (str_add_clean(&clean, json_string_value(value), len, 0))
		return NULL;
	return json_string(str_text(&clean));
}

static json_t *copy_list(const json_t *value, const struct json_shape *shape)
{
	_cleanup_(json_decrefp) json_t *list = json_array();
	size_t i;

	for (i = 0; i < json_array_size(value) && i < shape->max; i++) {
		if (json_array_append_new(list,
					  json_shape_copy(json_array_get(value, i), shape->of)))
			return NULL;
	}
	return take(list);
}

static json_t *copy_object(const json_t *value, const struct json_shape *members)
{
	_cleanup_(json_decrefp) json_t *o = json_object();

	for (; members->key; members++) {
		const json_t *member = json_object_get(value, members->key);

		if (json_object_set_new(o, members->key, json_shape_copy(member, members)))
			return NULL;
	}
	return take(o);
}

json_t *json_shape_copy(const json_t *value, const struct json_shape *shape)
{
	switch (shape->kind) {
	case SHAPE_COUNT:
		return copy_count(value, json_integer(0));
	case SHAPE_MAYBE_COUNT:
		return copy_count(value, json_null());
	case SHAPE_NUMBER:
		return copy_number(value);
	case SHAPE_TRUTH:
		return json_boolean(json_is_true(value));
	case SHAPE_TEXT:
		return copy_text(value, TEXT_MAX_BYTES);
	case SHAPE_STACK:
		return copy_text(value, STACK_MAX_BYTES);
	case SHAPE_LIST:
		return copy_list(value, shape);
	case SHAPE_MAYBE_OBJECT:
		if (!json_is_object(value))
			return json_null();
		break;
	case SHAPE_OBJECT:
		break;
	}
	return copy_object(value, shape->of);
}
