/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/yaml_tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "user/base/err.h"
#include "user/base/str.h"

static void item_free(struct yaml_item *item)
{
	struct yaml_item *next;

	for (; item; item = next) {
		next = item->next;
		item_free(item->key);
		item_free(item->first);
		free(item->text);
		free(item);
	}
}

void yaml_tree_free(struct yaml_tree *t)
{
	if (!t)
		return;
	item_free(t->root);
	free(t->name);
	free(t);
}

static int error_at(const char *name, unsigned int line, unsigned int column, const char *why)
{
	return errf(-EINVAL, "%s:%u:%u: %s", name, line, column, why);
}

int yaml_error(const struct yaml_tree *t, const struct yaml_item *item, const char *fmt, ...)
{
	char why[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return error_at(t->name, item ? item->line : 1, item ? item->column : 1, why);
}

const struct yaml_item *yaml_find(const struct yaml_item *map, const char *key)
{
	const struct yaml_item *i;

	for (i = map->first; i; i = i->next) {
		if (i->key && !strcmp(i->key->text, key))
			return i;
	}
	return NULL;
}

/* Length of the longest clean start of 'text', in which newlines and tabs may be. */
static size_t clean_prefix(const char *text, size_t len)
{
	size_t at = 0, width;

	while (at < len) {
		width = 1;
		if (text[at] != '\n' && text[at] != '\t') {
			while (width <= 4 && at + width <= len &&
			       !text_is_clean(text + at, width, 0))
				width++;
			if (width > 4 || at + width > len)
				break;
		}
		at += width;
	}
	return at;
}

static int check_text(const char *name, const char *text, size_t len)
{
	size_t at, good = clean_prefix(text, len < YAML_MAX_BYTES ? len : YAML_MAX_BYTES);
	unsigned int line = 1, column = 1;

	if (len > YAML_MAX_BYTES)
		return error_at(name, 1, 1, "the file is larger than 1 MiB");
	if (good == len)
		return 0;
	for (at = 0; at < good; at++) {
		if (text[at] == '\n')
			line++, column = 1;
		else if ((text[at] & 0xc0) != 0x80)
			column++;
	}
	return error_at(name, line, column,
			"a control character, or what is not UTF-8, has no place in this file");
}

/* --- building ------------------------------------------------------------------------------ */

struct builder {
	const char *name;
	struct yaml_tree *tree;
	/* What is being filled: the innermost list or map, the last item in it, and in a map the
	 * key that waits for its value. */
	struct {
		struct yaml_item *item, *last, *key;
	} open[YAML_MAX_DEPTH];
	unsigned int depth, n_items, n_documents;
};

static int bad_event(const struct builder *b, const yaml_event_t *e, const char *why)
{
	return error_at(b->name, (unsigned int)e->start_mark.line + 1,
			(unsigned int)e->start_mark.column + 1, why);
}

static int new_item(struct builder *b, const yaml_event_t *e, enum yaml_kind kind,
		    struct yaml_item **ret)
{
	struct yaml_item *item;

	if (++b->n_items > YAML_MAX_ITEMS)
		return bad_event(b, e, "there is too much in this file");
	item = calloc(1, sizeof(*item));
	if (!item)
		return errf(-ENOMEM, "no memory to read '%s'", b->name);
	item->kind = kind;
	item->line = (unsigned int)e->start_mark.line + 1;
	item->column = (unsigned int)e->start_mark.column + 1;
	*ret = item;
	return 0;
}

static int take_key(struct builder *b, struct yaml_item *item, const yaml_event_t *e)
{
	const struct yaml_item *map = b->open[b->depth - 1].item;
	bool is_clean =
		item->kind == YAML_TEXT && item->len && text_is_clean(item->text, item->len, 0);
	char why[160];
	int err = 0;

	if (!is_clean) {
		err = bad_event(b, e, "a key is text on one line");
	} else if (yaml_find(map, item->text)) {
		snprintf(why, sizeof(why), "the key '%.100s' is here for the second time",
			 item->text);
		err = bad_event(b, e, why);
	} else if (map->n >= YAML_MAX_KEYS) {
		err = bad_event(b, e, "there are too many keys here");
	}
	if (err) {
		item_free(item);
		return err;
	}
	b->open[b->depth - 1].key = item;
	return 0;
}

/* Puts the item where it belongs; it is owned by the tree, or gone. */
static int place(struct builder *b, struct yaml_item *item, const yaml_event_t *e)
{
	__typeof__(b->open[0]) *in = b->depth ? &b->open[b->depth - 1] : NULL;

	if (!in) {
		b->tree->root = item;
		return 0;
	}
	if (in->item->kind == YAML_MAP && !in->key)
		return take_key(b, item, e);
	item->key = take(in->key);
	if (in->last)
		in->last->next = item;
	else
		in->item->first = item;
	in->last = item;
	in->item->n++;
	return 0;
}

static int on_scalar(struct builder *b, const yaml_event_t *e)
{
	const char *value = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;
	struct yaml_item *item;
	int err = new_item(b, e, YAML_TEXT, &item);

	if (err)
		return err;
	item->is_quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	item->len = len;
	item->text = malloc(len + 1);
	if (!item->text) {
		err = errf(-ENOMEM, "no memory to read '%s'", b->name);
	} else {
		memcpy(item->text, value, len);
		item->text[len] = '\0';
		/* Escapes ("\0") make what the file itself may not hold. */
		if (clean_prefix(value, len) != len)
			err = bad_event(b, e, "an escape stands for a control character");
	}
	if (err) {
		item_free(item);
		return err;
	}
	return place(b, item, e);
}

static int on_open(struct builder *b, const yaml_event_t *e, enum yaml_kind kind)
{
	struct yaml_item *item;
	int err;

	if (b->depth == YAML_MAX_DEPTH)
		return bad_event(b, e, "this is nested too deeply");
	if (b->depth && b->open[b->depth - 1].item->kind == YAML_MAP && !b->open[b->depth - 1].key)
		return bad_event(b, e, "a key is text on one line");
	err = new_item(b, e, kind, &item);
	if (err)
		return err;
	err = place(b, item, e);
	if (err)
		return err;
	memset(&b->open[b->depth], 0, sizeof(b->open[0]));
	b->open[b->depth++].item = item;
	return 0;
}

static int refuse_marks(const struct builder *b, const yaml_event_t *e, const yaml_char_t *anchor,
			const yaml_char_t *tag)
{
	if (anchor)
		return bad_event(b, e, "anchors and aliases are not taken: write it out");
	if (tag)
		return bad_event(b, e, "tags are not taken");
	return 0;
}

static int on_event(struct builder *b, const yaml_event_t *e)
{
	int err;

	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return b->n_documents++ ? bad_event(b, e, "a second document is not taken") : 0;
	case YAML_ALIAS_EVENT:
		return refuse_marks(b, e, e->data.alias.anchor, NULL);
	case YAML_SCALAR_EVENT:
		err = refuse_marks(b, e, e->data.scalar.anchor, e->data.scalar.tag);
		return err ? err : on_scalar(b, e);
	case YAML_SEQUENCE_START_EVENT:
		err = refuse_marks(b, e, e->data.sequence_start.anchor, e->data.sequence_start.tag);
		return err ? err : on_open(b, e, YAML_LIST);
	case YAML_MAPPING_START_EVENT:
		err = refuse_marks(b, e, e->data.mapping_start.anchor, e->data.mapping_start.tag);
		return err ? err : on_open(b, e, YAML_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth -= b->depth > 0;
		return 0;
	default:
		return 0;
	}
}

static int parser_error(const char *name, const yaml_parser_t *p)
{
	char why[512];

	if (p->error == YAML_MEMORY_ERROR)
		return errf(-ENOMEM, "no memory to read '%s'", name);
	snprintf(why, sizeof(why), "%s%s%s", p->problem ? p->problem : "this is no YAML",
		 p->context ? ", " : "", p->context ? p->context : "");
	return error_at(name, (unsigned int)p->problem_mark.line + 1,
			(unsigned int)p->problem_mark.column + 1, why);
}

static int build(struct builder *b, yaml_parser_t *p)
{
	yaml_event_t e;
	bool at_end;
	int err;

	do {
		if (!yaml_parser_parse(p, &e))
			return parser_error(b->name, p);
		at_end = e.type == YAML_STREAM_END_EVENT;
		err = on_event(b, &e);
		yaml_event_delete(&e);
	} while (!err && !at_end);
	return err;
}

int yaml_tree_parse(const char *name, const char *text, size_t len, struct yaml_tree **ret)
{
	_cleanup_(yaml_tree_freep) struct yaml_tree *tree = calloc(1, sizeof(*tree));
	struct builder b = { .name = name, .tree = tree };
	yaml_parser_t parser;
	unsigned int i;
	int err;

	if (!tree || !(tree->name = strdup(name)) || !yaml_parser_initialize(&parser))
		return errf(-ENOMEM, "no memory to read '%s'", name);
	err = check_text(name, text, len);
	if (!err) {
		yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
		err = build(&b, &parser);
	}
	yaml_parser_delete(&parser);
	/* Keys that were still waiting for their values belong to nobody else. */
	for (i = 0; i < b.depth; i++)
		item_free(b.open[i].key);
	if (err)
		return err;
	if (!tree->root)
		return error_at(name, 1, 1, "the file is empty");
	*ret = take(tree);
	return 0;
}
