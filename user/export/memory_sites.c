/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/memory_sites.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"
#include "user/model/memory.h"

struct ranked {
	const json_t *site;
	int64_t value;
	size_t place;
};

static int64_t value_of(const json_t *values, const char *name)
{
	return json_integer_value(json_object_get(values, name));
}

int64_t memory_site_value(const struct memory_sites *s, const json_t *site)
{
	return value_of(json_object_get(site, "values"), s->value);
}

/* Equal ones as they stand in the file. */
static int by_value(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static void choose_value(const struct report *r, struct memory_sites *s)
{
	enum memory_value value = MEMORY_ALLOC_SPACE, other;
	unsigned int v;

	for (v = 0; v < MEMORY_VALUES; v++) {
		if (!strcmp(memory_value_name(v), report_type(r)))
			value = v;
	}
	s->value = memory_value_name(value);
	s->is_space = strstr(s->value, "_space");
	other = value == MEMORY_BLOCKS ? MEMORY_ALLOC_SPACE : s->is_space ? value - 1 : value + 1;
	s->other = memory_value_name(other);
	s->has_intervals = !strncmp(s->value, "alloc_", 6) || !strncmp(s->value, "inuse_", 6);
}

static int rank(const json_t *list, struct memory_sites *s)
{
	size_t n = json_array_size(list), i;
	_cleanup_(freep) struct ranked *ranked = calloc(n + 1, sizeof(*ranked));

	s->list = calloc(n + 1, sizeof(*s->list));
	if (!ranked || !s->list)
		return errf(-ENOMEM, "no memory for %zu stacks", n);
	for (i = 0; i < n; i++) {
		const json_t *site = json_array_get(list, i);

		ranked[i] = (struct ranked){ site, memory_site_value(s, site), i };
	}
	qsort(ranked, n, sizeof(*ranked), by_value);
	for (i = 0; i < n && ranked[i].value > 0; i++)
		s->list[s->n++] = ranked[i].site;
	return 0;
}

int memory_sites_new(const struct report *r, struct memory_sites **ret)
{
	const json_t *stacks = r->recording ? r->recording->stacks : NULL;
	const json_t *other = json_object_get(stacks, "stacks_other");
	_cleanup_(memory_sites_freep) struct memory_sites *s = NULL;
	int err;

	if (!stacks) {
		*ret = NULL;
		return 0;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return errf(-ENOMEM, "no memory for the stacks");
	choose_value(r, s);
	s->others = (uint64_t)value_of(other, "stacks");
	s->others_value = value_of(json_object_get(other, "values"), s->value);
	err = rank(json_object_get(stacks, "stacks"), s);
	if (!err)
		*ret = take(s);
	return err;
}

void memory_sites_free(struct memory_sites *s)
{
	if (!s)
		return;
	free(s->list);
	free(s);
}
