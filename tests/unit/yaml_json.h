/* SPDX-License-Identifier: BSD-2-Clause */
/* yaml_json: a YAML file as JSON, for the schemas: plain scalars are what YAML 1.2 takes them for.
 */
#pragma once

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/file.h"
#include "user/bench/yaml_tree.h"

static inline json_t *yaml_scalar_json(const struct yaml_item *item)
{
	char *end;
	double v = strtod(item->text, &end);

	if (item->is_quoted || !item->len)
		return json_string(item->text);
	if (!strcmp(item->text, "true") || !strcmp(item->text, "false"))
		return json_boolean(item->text[0] == 't');
	if (*end || strspn(item->text, "0123456789.-+eE") != item->len)
		return json_string(item->text);
	return strspn(item->text, "-0123456789") == item->len ? json_integer((json_int_t)v)
							      : json_real(v);
}

static inline json_t *yaml_item_json(const struct yaml_item *item)
{
	json_t *value;
	const struct yaml_item *i;

	if (item->kind == YAML_TEXT)
		return yaml_scalar_json(item);
	value = item->kind == YAML_LIST ? json_array() : json_object();
	for (i = item->first; i; i = i->next) {
		if (item->kind == YAML_LIST)
			assert_int_equal(json_array_append_new(value, yaml_item_json(i)), 0);
		else
			assert_int_equal(
				json_object_set_new(value, i->key->text, yaml_item_json(i)), 0);
	}
	return value;
}

/* A new reference. */
static inline json_t *yaml_text_json(const char *text, size_t len)
{
	_cleanup_(yaml_tree_freep) struct yaml_tree *tree = NULL;

	if (yaml_tree_parse("text", text, len, &tree))
		fail_msg("%s", err_text());
	return yaml_item_json(tree->root);
}

static inline json_t *yaml_file_json(const char *path)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;

	assert_int_equal(file_read(path, YAML_MAX_BYTES, &text, &len), 0);
	return yaml_text_json(text, len);
}
