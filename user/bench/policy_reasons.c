/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/policy_reasons.h"

#include <errno.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/str.h"
#include "user/bench/yaml_fields.h"

static void drop(struct policy_reasons *reasons, const char *key)
{
	size_t i, kept = 0, len = strlen(key);

	for (i = 0; i < reasons->n; i++) {
		struct policy_reason *r = &reasons->list[i];

		if (!strncmp(r->key, key, len) && (!r->key[len] || r->key[len] == '.')) {
			free(r->key);
			free(r->because);
		} else {
			reasons->list[kept++] = *r;
		}
	}
	reasons->n = kept;
}

static int add(const struct yaml_tree *t, const struct yaml_item *because, const char *key,
	       struct policy_reasons *reasons)
{
	static const struct yaml_field field = { .key = "because" };
	struct policy_reason *list;
	int err;

	list = realloc(reasons->list, (reasons->n + 1) * sizeof(*list));
	if (!list)
		return errf(-ENOMEM, "no memory to read '%s'", t->name);
	reasons->list = list;
	list[reasons->n] = (struct policy_reason){ .key = strdup(key) };
	if (!list[reasons->n].key)
		return errf(-ENOMEM, "no memory to read '%s'", t->name);
	err = yaml_read_paragraph(t, because, &field, &list[reasons->n].because);
	reasons->n++;
	return err;
}

static int collect(const struct yaml_tree *t, const struct yaml_item *map, const char *prefix,
		   struct policy_reasons *reasons)
{
	const struct yaml_item *i, *because;
	int err = 0;

	for (i = map->first; i && !err; i = i->next) {
		_cleanup_(str_release) struct str key = { 0 };

		if (i->kind != YAML_MAP)
			continue;
		if (str_addf(&key, "%s%s%s", prefix, *prefix ? "." : "", i->key->text))
			return errf(-ENOMEM, "no memory to read '%s'", t->name);
		because = yaml_find(i, "because");
		if (because) {
			drop(reasons, str_text(&key));
			err = add(t, because, str_text(&key), reasons);
		}
		if (!err)
			err = collect(t, i, str_text(&key), reasons);
	}
	return err;
}

int policy_reasons_add(const struct yaml_tree *t, const struct yaml_item *map,
		       struct policy_reasons *reasons)
{
	return collect(t, map, "", reasons);
}

void policy_reasons_release(struct policy_reasons *reasons)
{
	size_t i;

	for (i = 0; i < reasons->n; i++) {
		free(reasons->list[i].key);
		free(reasons->list[i].because);
	}
	free(reasons->list);
	*reasons = (struct policy_reasons){ 0 };
}
