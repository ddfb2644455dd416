/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/yaml_fields.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"

#define TEXT_MAX_BYTES 65536
#define ITEMS_MAX      1000

static const char *const kind_names[] = { "text", "a list", "a map" };

static int no_memory(const struct yaml_tree *t)
{
	return errf(-ENOMEM, "no memory to read '%s'", t->name);
}

int yaml_expect(const struct yaml_tree *t, const struct yaml_item *value, const char *what,
		enum yaml_kind kind)
{
	if (value->kind == YAML_TEXT && !value->is_quoted &&
	    (!value->len || !strcmp(value->text, "~") || !strcmp(value->text, "null")))
		return yaml_error(t, value, "%s has no value", what);
	if (value->kind != kind)
		return yaml_error(t, value, "%s is %s, not %s", what, kind_names[kind],
				  kind_names[value->kind]);
	if (kind != YAML_TEXT && !value->n)
		return yaml_error(t, value, "%s is empty", what);
	return 0;
}

static int unknown_key(const struct yaml_tree *t, const struct yaml_item *key, const char *what,
		       const struct yaml_field *fields)
{
	_cleanup_(str_release) struct str known = { 0 };

	for (; fields->key; fields++) {
		if (str_addf(&known, "%s%s", known.len ? ", " : "", fields->key))
			return no_memory(t);
	}
	return yaml_error(t, key, "unknown key '%.64s': %s has %s", key->text, what,
			  str_text(&known));
}

int yaml_read_keys(const struct yaml_tree *t, const struct yaml_item *map, const char *what,
		   const struct yaml_field *fields, void *target)
{
	const struct yaml_field *f;
	const struct yaml_item *i;
	int err = yaml_expect(t, map, what, YAML_MAP);

	for (i = err ? NULL : map->first; i && !err; i = i->next) {
		for (f = fields; f->key && strcmp(f->key, i->key->text); f++)
			;
		if (!f->key)
			return unknown_key(t, i->key, what, fields);
		err = f->read(t, i, f, (char *)target + f->offset);
	}
	return err;
}

int yaml_read_map(const struct yaml_tree *t, const struct yaml_item *map, const char *what,
		  const struct yaml_field *fields, void *target)
{
	const struct yaml_field *f;
	int err = yaml_read_keys(t, map, what, fields, target);

	for (f = fields; f->key && !err; f++) {
		if (f->is_required && !yaml_find(map, f->key))
			err = yaml_error(t, map, "'%s' is missing: %s needs it", f->key, what);
	}
	return err;
}

int yaml_read_each(const struct yaml_tree *t, const struct yaml_item *value, const char *what,
		   enum yaml_kind kind, size_t size, yaml_item_reader *read, void *ret,
		   size_t *ret_n)
{
	int err = yaml_expect(t, value, what, kind);
	const struct yaml_item *i;
	char *at;

	if (err)
		return err;
	if (value->n > ITEMS_MAX)
		return yaml_error(t, value, "more than %d items are too many", ITEMS_MAX);
	at = calloc(value->n, size);
	if (!at)
		return no_memory(t);
	*(void **)ret = at;
	*ret_n = value->n;
	for (i = value->first; i && !err; i = i->next, at += size)
		err = read(t, i, at);
	return err;
}

/* --- text ---------------------------------------------------------------------------------- */

/* Two keys may have one target; that only one of them is there is checked later. */
static int copy_text(const struct yaml_tree *t, const struct yaml_item *value, char **target)
{
	if (value->len > TEXT_MAX_BYTES)
		return yaml_error(t, value, "this is longer than %d bytes", TEXT_MAX_BYTES);
	free(*target);
	*target = strdup(value->text);
	return *target ? 0 : no_memory(t);
}

int yaml_read_word(const struct yaml_tree *t, const struct yaml_item *value,
		   const struct yaml_field *f, void *target)
{
	int err = yaml_expect(t, value, f->key, YAML_TEXT);

	return err ? err : copy_text(t, value, target);
}

int yaml_read_text(const struct yaml_tree *t, const struct yaml_item *value,
		   const struct yaml_field *f, void *target)
{
	int err = yaml_expect(t, value, f->key, YAML_TEXT);

	if (err)
		return err;
	if (!value->len || !text_is_clean(value->text, value->len, 0))
		return yaml_error(t, value, "%s is text on one line", f->key);
	return copy_text(t, value, target);
}

int yaml_read_paragraph(const struct yaml_tree *t, const struct yaml_item *value,
			const struct yaml_field *f, void *target)
{
	int err = yaml_read_word(t, value, f, target);
	char *to, *text = *(char **)target;
	const char *from;

	if (err)
		return err;
	for (from = to = text; *from; from++) {
		char c = *from;

		if (c == '\n' || c == '\t')
			c = ' ';
		if (c != ' ' || (to > text && to[-1] != ' '))
			*to++ = c;
	}
	if (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
	return *text ? 0 : yaml_error(t, value, "%s is empty", f->key);
}

#define LETTERS	       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	       "0123456789"
#define NAME_MAX_BYTES 64

static int check_name(const struct yaml_tree *t, const struct yaml_item *value, const char *what)
{
	int err = yaml_expect(t, value, what, YAML_TEXT);

	if (err)
		return err;
	if (!value->len || value->len > NAME_MAX_BYTES || !strspn(value->text, LETTERS DIGITS) ||
	    value->text[strspn(value->text, LETTERS DIGITS "._-")])
		return yaml_error(t, value,
				  "'%.64s' is no name: %s is 1 to 64 of A-Z, a-z, 0-9, '.', '_' "
				  "and '-', the first of them a letter or a digit",
				  value->text, what);
	return 0;
}

int yaml_read_name_of(const struct yaml_tree *t, const struct yaml_item *item, const char *what,
		      char **ret)
{
	int err = check_name(t, item, what);

	return err ? err : copy_text(t, item, ret);
}

int yaml_read_name(const struct yaml_tree *t, const struct yaml_item *value,
		   const struct yaml_field *f, void *target)
{
	return yaml_read_name_of(t, value, f->key, target);
}

int yaml_read_identifier(const struct yaml_tree *t, const struct yaml_item *item, const char *what,
			 char **ret)
{
	int err = yaml_expect(t, item, what, YAML_TEXT);

	if (err)
		return err;
	if (!item->len || item->len > NAME_MAX_BYTES || !strspn(item->text, LETTERS "_") ||
	    item->text[strspn(item->text, LETTERS DIGITS "_")])
		return yaml_error(t, item,
				  "'%.64s' is no name: %s is 1 to 64 of A-Z, a-z, 0-9 and '_', the "
				  "first of them no digit",
				  item->text, what);
	return copy_text(t, item, ret);
}

static int read_list(const struct yaml_tree *t, const struct yaml_item *value, const char *what,
		     char ***ret)
{
	const struct yaml_item *i;
	size_t n = 0;
	char **list;
	int err = yaml_expect(t, value, what, YAML_LIST);

	if (err)
		return err;
	if (value->n > ITEMS_MAX)
		return yaml_error(t, value, "more than %d words are too many", ITEMS_MAX);
	list = *ret = calloc(value->n + 1, sizeof(*list));
	if (!list)
		return no_memory(t);
	for (i = value->first; i; i = i->next) {
		err = yaml_expect(t, i, "an item of the list", YAML_TEXT);
		if (!err)
			err = copy_text(t, i, &list[n++]);
		if (err)
			return err;
	}
	return 0;
}

int yaml_read_words(const struct yaml_tree *t, const struct yaml_item *value,
		    const struct yaml_field *f, void *target)
{
	int err = read_list(t, value, f->key, target);

	if (!err && !value->first->len)
		return yaml_error(t, value->first, "the first word of %s is empty", f->key);
	return err;
}

int yaml_read_names(const struct yaml_tree *t, const struct yaml_item *value,
		    const struct yaml_field *f, void *target)
{
	int err = read_list(t, value, f->key, target);
	const struct yaml_item *i, *k;

	for (i = value->first; !err && i; i = i->next) {
		err = check_name(t, i, "an item of the list");
		for (k = value->first; !err && k != i; k = k->next) {
			if (!strcmp(k->text, i->text))
				err = yaml_error(t, i, "'%s' is here for the second time", i->text);
		}
	}
	return err;
}

/* --- numbers ------------------------------------------------------------------------------- */

/* A decimal number at the start of 'text', and what comes behind it; false if there is none. */
static bool parse_number(const char *text, double *ret, const char **ret_rest)
{
	const char *p = text + (*text == '-' || *text == '+');
	char *end;

	/* Neither "inf" nor "0x10", which strtod takes, too. */
	if (*p < '0' || *p > '9' || (p[0] == '0' && (p[1] | 0x20) == 'x'))
		return false;
	*ret = strtod(text, &end);
	*ret_rest = end;
	return isfinite(*ret);
}

static int check_bounds(const struct yaml_tree *t, const struct yaml_item *value,
			const struct yaml_field *f, double v, double unit, const char *unit_name)
{
	if (v >= f->min && v <= f->max)
		return 0;
	return yaml_error(t, value, "%s is out of range: it is from %.10g%s to %.10g%s", f->key,
			  f->min / unit, unit_name, f->max / unit, unit_name);
}

static int read_plain(const struct yaml_tree *t, const struct yaml_item *value,
		      const struct yaml_field *f, const char *what, double *ret)
{
	const char *rest = "";
	int err = yaml_expect(t, value, f->key, YAML_TEXT);

	if (err)
		return err;
	if (value->is_quoted || !parse_number(value->text, ret, &rest) || *rest)
		return yaml_error(t, value, "%s is %s, not '%.64s'", f->key, what, value->text);
	return check_bounds(t, value, f, *ret, 1, "");
}

int yaml_read_number(const struct yaml_tree *t, const struct yaml_item *value,
		     const struct yaml_field *f, void *target)
{
	return read_plain(t, value, f, "a number", target);
}

static int read_whole(const struct yaml_tree *t, const struct yaml_item *value,
		      const struct yaml_field *f, double *ret)
{
	int err = read_plain(t, value, f, "a whole number", ret);

	if (!err && (*ret != floor(*ret) || fabs(*ret) > 9007199254740992.0))
		return yaml_error(t, value, "%s is a whole number, not '%.64s'", f->key,
				  value->text);
	return err;
}

int yaml_read_int(const struct yaml_tree *t, const struct yaml_item *value,
		  const struct yaml_field *f, void *target)
{
	double v = 0;
	int err = read_whole(t, value, f, &v);

	if (!err)
		*(int *)target = (int)v;
	return err;
}

int yaml_read_uint64(const struct yaml_tree *t, const struct yaml_item *value,
		     const struct yaml_field *f, void *target)
{
	double v = 0;
	int err = read_whole(t, value, f, &v);

	if (!err)
		*(uint64_t *)target = (uint64_t)v;
	return err;
}

int yaml_read_bool(const struct yaml_tree *t, const struct yaml_item *value,
		   const struct yaml_field *f, void *target)
{
	int err = yaml_expect(t, value, f->key, YAML_TEXT);

	if (err)
		return err;
	if (value->is_quoted || (strcmp(value->text, "true") && strcmp(value->text, "false")))
		return yaml_error(t, value, "%s is true or false, not '%.64s'", f->key,
				  value->text);
	*(bool *)target = value->text[0] == 't';
	return 0;
}

int yaml_read_share(const struct yaml_tree *t, const struct yaml_item *value,
		    const struct yaml_field *f, void *target)
{
	const char *rest = "";
	double v = 0;
	int err = yaml_expect(t, value, f->key, YAML_TEXT);

	if (err)
		return err;
	if (!parse_number(value->text, &v, &rest) || (*rest && strcmp(rest, "%")))
		return yaml_error(t, value, "%s is a share as 0.03 or 3%%, not '%.64s'", f->key,
				  value->text);
	/* Who writes "alert: 10" means 10 %. */
	if (!*rest && v > 1)
		return yaml_error(t, value,
				  "%s is a share as 0.03 or 3%%: '%.64s' is more than all", f->key,
				  value->text);
	if (*rest)
		v /= 100;
	err = check_bounds(t, value, f, v, 0.01, "%");
	if (!err)
		*(double *)target = v;
	return err;
}

struct unit {
	const char *name;
	double factor;
};

static int read_units(const struct yaml_tree *t, const struct yaml_item *value,
		      const struct yaml_field *f, const struct unit *units, size_t n,
		      const char *what, double *ret)
{
	const char *rest = "";
	size_t i;
	int err = yaml_expect(t, value, f->key, YAML_TEXT);

	if (err)
		return err;
	if (parse_number(value->text, ret, &rest)) {
		rest += strspn(rest, " ");
		for (i = 0; i < n; i++) {
			if (!strcmp(units[i].name, rest)) {
				*ret *= units[i].factor;
				return 0;
			}
		}
	}
	return yaml_error(t, value, "%s is %s, not '%.64s'", f->key, what, value->text);
}

static int read_time(const struct yaml_tree *t, const struct yaml_item *value,
		     const struct yaml_field *f, double *ret)
{
	static const struct unit units[] = { { "us", 1e3 }, { "ms", 1e6 },   { "s", 1e9 },
					     { "m", 60e9 }, { "min", 60e9 }, { "h", 3600e9 } };

	return read_units(t, value, f, units, ARRAY_SIZE(units),
			  "a time with its unit, as 500ms, 30s or 2m", ret);
}

int yaml_read_duration(const struct yaml_tree *t, const struct yaml_item *value,
		       const struct yaml_field *f, void *target)
{
	double ns = 0;
	int err = read_time(t, value, f, &ns);

	if (!err)
		err = check_bounds(t, value, f, ns, 1e9, "s");
	if (!err)
		*(uint64_t *)target = (uint64_t)(ns + 0.5);
	return err;
}

int yaml_read_seconds(const struct yaml_tree *t, const struct yaml_item *value,
		      const struct yaml_field *f, void *target)
{
	double ns = 0;
	int err = read_time(t, value, f, &ns);

	if (!err)
		err = check_bounds(t, value, f, ns / 1e9, 1, "s");
	if (!err)
		*(double *)target = ns / 1e9;
	return err;
}

int yaml_read_bytes(const struct yaml_tree *t, const struct yaml_item *value,
		    const struct yaml_field *f, void *target)
{
	static const struct unit units[] = {
		{ "", 1 },	 { "B", 1 },	    { "K", 0x1p10 }, { "KiB", 0x1p10 },
		{ "M", 0x1p20 }, { "MiB", 0x1p20 }, { "G", 0x1p30 }, { "GiB", 0x1p30 },
		{ "T", 0x1p40 }, { "TiB", 0x1p40 }, { "kB", 1e3 },   { "MB", 1e6 },
		{ "GB", 1e9 },	 { "TB", 1e12 },
	};
	double bytes = 0;
	int err = read_units(t, value, f, units, ARRAY_SIZE(units),
			     "a size, as 512MiB, 2G or a number of bytes", &bytes);

	if (!err)
		err = check_bounds(t, value, f, bytes, 1, " bytes");
	if (!err)
		*(uint64_t *)target = (uint64_t)bytes;
	return err;
}

int yaml_read_choice(const struct yaml_tree *t, const struct yaml_item *value,
		     const struct yaml_field *f, void *target)
{
	_cleanup_(str_release) struct str names = { 0 };
	unsigned int i;
	int err = yaml_expect(t, value, f->key, YAML_TEXT);

	if (err)
		return err;
	for (i = 0; f->choices[i]; i++) {
		if (!strcmp(value->text, f->choices[i])) {
			*(unsigned int *)target = i;
			return 0;
		}
		if (str_addf(&names, "%s%s", i ? ", " : "", f->choices[i]))
			return no_memory(t);
	}
	return yaml_error(t, value, "%s is one of %s, not '%.64s'", f->key, str_text(&names),
			  value->text);
}
