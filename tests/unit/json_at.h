/* SPDX-License-Identifier: BSD-2-Clause */
/* json_at: looks at a JSON value by the path to what is in it. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/base/json_parts.h"
#include "user/export/summary_json.h"

static inline void decrefp(json_t **value)
{
	json_decref(*value);
}

/* The value at "a.b.0.c". */
static inline const json_t *at(const json_t *value, const char *path)
{
	char copy[256], *rest = copy, *key;

	assert_true(strlen(path) < sizeof(copy));
	strcpy(copy, path);
	while ((key = strsep(&rest, ".")))
		value = json_is_array(value) ? json_array_get(value, atoi(key))
					     : json_object_get(value, key);
	if (!value)
		print_message("no '%s'\n", path);
	assert_non_null(value);
	return value;
}

static inline void assert_at(const json_t *value, const char *path, const char *expected)
{
	_cleanup_(freep) char *text = json_text(at(value, path));

	assert_non_null(text);
	text[strlen(text) - 1] = '\0';
	if (strcmp(text, expected))
		print_message("at %s:\n", path);
	assert_string_equal(text, expected);
}
