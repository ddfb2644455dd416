/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_shape: makes a JSON value of which nothing is known into one of which everything is: the
 * members that a table names, each of its type, and nothing else.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

enum json_shape_kind {
	SHAPE_COUNT,	   /* a whole number >= 0, else 0 */
	SHAPE_MAYBE_COUNT, /* the same, else null */
	SHAPE_NUMBER,	   /* a finite number from 0 to 10^18, else null */
	SHAPE_TRUTH,	   /* true or false, else false */
	SHAPE_TEXT,	   /* clean text, cut at 4 KiB, else null */
	SHAPE_STACK,	   /* the same, cut at 1 MiB */
	SHAPE_LIST,	   /* at most 'max' items of the shape 'of', else empty */
	SHAPE_OBJECT,	   /* exactly the members 'of', whatever is there */
	SHAPE_MAYBE_OBJECT /* the same, null if it is no object */
};

/* A list of members ends with one without a key; the shape of a list's items needs none. */
struct json_shape {
	const char *key;
	enum json_shape_kind kind;
	size_t max;
	const struct json_shape *of;
};

/* A new reference to a value of that shape, with what of 'value' (may be NULL) fits it. NULL if
 * there is no memory. */
json_t *json_shape_copy(const json_t *value, const struct json_shape *shape);
