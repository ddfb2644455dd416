/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/palette_map.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/strtab.h"

struct palette_map {
	struct strtab names;
	uint32_t *colors; /* of each string */
	size_t colors_cap;
};

#define NO_COLOR UINT32_MAX /* of the empty string, which every strtab has */

void palette_map_free(struct palette_map *map)
{
	if (!map)
		return;
	strtab_release(&map->names);
	free(map->colors);
	free(map);
}

static int map_new(struct palette_map **ret)
{
	_cleanup_(palette_map_freep) struct palette_map *map = calloc(1, sizeof(*map));

	if (!map || strtab_init(&map->names) || array_reserve(map->colors, map->colors_cap, 1))
		return errf(-ENOMEM, "no memory for a palette's names");
	map->colors[0] = NO_COLOR;
	*ret = take(map);
	return 0;
}

static int add(struct palette_map *map, const char *name, size_t len, uint32_t color)
{
	uint32_t i, was = map->names.n;

	if (array_reserve(map->colors, map->colors_cap, (size_t)was + 1) ||
	    strtab_add_bytes(&map->names, name, len, &i))
		return errf(-ENOMEM, "no memory for a palette's names");
	map->colors[i] = color;
	return 0;
}

int palette_map_add(struct palette_map *map, const char *name, uint32_t color)
{
	return add(map, name, strlen(name), color & 0xffffff);
}

bool palette_map_find(const struct palette_map *map, const char *name, uint32_t *ret)
{
	uint32_t i = strtab_find(&map->names, name);

	if (i >= map->names.n || map->colors[i] == NO_COLOR)
		return false;
	*ret = map->colors[i];
	return true;
}

/* One to three digits, at most 255, and 'after'; NULL if it is anything else. */
static const char *read_channel(const char *p, const char *end, char after, uint32_t *color)
{
	uint32_t v = 0;
	int digits = 0;

	for (; p < end && *p >= '0' && *p <= '9' && digits < 3; p++, digits++)
		v = v * 10 + (*p - '0');
	if (!digits || v > 255 || p == end || *p != after)
		return NULL;
	*color = *color << 8 | v;
	return p + 1;
}

/* The last "->rgb(" begins the colour: names may have one, too. */
static bool parse(const char *line, size_t len, size_t *ret_name_len, uint32_t *ret_color)
{
	static const char arrow[] = "->rgb(";
	const char *end = line + len, *at = NULL, *p = line;
	uint32_t color = 0;

	while ((p = memmem(p, end - p, arrow, sizeof(arrow) - 1)))
		at = p++;
	if (!at || at == line)
		return false;
	p = read_channel(at + sizeof(arrow) - 1, end, ',', &color);
	if (p)
		p = read_channel(p, end, ',', &color);
	if (p)
		p = read_channel(p, end, ')', &color);
	if (p != end)
		return false;
	*ret_name_len = at - line;
	*ret_color = color;
	return true;
}

int palette_map_read(const char *text, size_t len, struct palette_map **ret, size_t *ret_bad)
{
	_cleanup_(palette_map_freep) struct palette_map *map = NULL;
	size_t bad = 0, name_len;
	const char *end = text + len, *next;
	uint32_t color;
	int err;

	if (len > PALETTE_MAP_MAX)
		return errf(-EFBIG, "a palette of %zu MB is too large: at most %u MB", len >> 20,
			    PALETTE_MAP_MAX >> 20);
	err = map_new(&map);
	for (; !err && text < end; text = next) {
		const char *newline = memchr(text, '\n', end - text);
		size_t used = newline ? newline - text : end - text;

		next = newline ? newline + 1 : end;
		if (used && text[used - 1] == '\r')
			used--;
		if (!used)
			continue;
		if (!memchr(text, '\0', used) && parse(text, used, &name_len, &color))
			err = add(map, text, name_len, color);
		else
			bad++;
	}
	if (err)
		return err;
	*ret = take(map);
	*ret_bad = bad;
	return 0;
}

static int by_name(const void *a, const void *b, void *map)
{
	const struct strtab *names = &((const struct palette_map *)map)->names;

	return strcmp(strtab_get(names, *(const uint32_t *)a),
		      strtab_get(names, *(const uint32_t *)b));
}

int palette_map_write(const struct palette_map *map, struct str *out)
{
	_cleanup_(freep) uint32_t *order = calloc(map->names.n, sizeof(*order));
	uint32_t i, n = 0;
	int err = 0;

	if (!order)
		return -ENOMEM;
	for (i = 0; i < map->names.n; i++) {
		if (map->colors[i] != NO_COLOR)
			order[n++] = i;
	}
	qsort_r(order, n, sizeof(*order), by_name, (void *)map);
	for (i = 0; i < n && !err; i++) {
		const char *name = strtab_get(&map->names, order[i]);
		uint32_t color = map->colors[order[i]];

		err = str_add_clean(out, name, strlen(name), 0);
		if (!err)
			err = str_addf(out, "->rgb(%u,%u,%u)\n", color >> 16, color >> 8 & 255,
				       color & 255);
	}
	return err;
}
