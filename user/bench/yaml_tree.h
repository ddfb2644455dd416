/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yaml_tree: a YAML file as a tree in which every item knows its line and column. The file is
 * hostile: at most 1 MiB of UTF-8 without control characters, one document, no anchors, aliases
 * and tags (they can multiply or misname what is there), bounded in depth and number of items, no
 * key twice.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/base/cleanup.h"

#define YAML_MAX_BYTES (1u << 20)
#define YAML_MAX_DEPTH 12
#define YAML_MAX_ITEMS 50000
#define YAML_MAX_KEYS  1000 /* of one map */

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_item {
	enum yaml_kind kind;
	unsigned int line, column; /* from 1; columns are characters */
	char *text;		   /* YAML_TEXT: clean but for newlines and tabs */
	size_t len;
	bool is_quoted;			/* or a block: never a number or a truth value */
	struct yaml_item *key;		/* in a map: YAML_TEXT on one line */
	struct yaml_item *first, *next; /* what is in it, and its neighbour */
	size_t n;
};

struct yaml_tree {
	char *name; /* for sentences */
	struct yaml_item *root;
};

/* 'name' stands before errors: -EINVAL with "NAME:LINE:COLUMN: what is wrong", or -ENOMEM. */
int yaml_tree_parse(const char *name, const char *text, size_t len, struct yaml_tree **ret);
void yaml_tree_free(struct yaml_tree *t);
DEFINE_FREEP(struct yaml_tree, yaml_tree_free)

/* Records "NAME:LINE:COLUMN: SENTENCE" and returns -EINVAL. 'item' NULL: the file's start. */
int yaml_error(const struct yaml_tree *t, const struct yaml_item *item, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The value of a key in a map, or NULL. */
const struct yaml_item *yaml_find(const struct yaml_item *map, const char *key);
