/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/scenario_names.h"

#include <errno.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

static int no_memory(void)
{
	return errf(-ENOMEM, "no memory for a scenario");
}

/* One name, whose "${" is at 'text'; where it ends goes to *ret_end. */
static int substitute_one(const char *text, name_lookup *lookup, void *ctx, struct str *ret,
			  const char **ret_end)
{
	const char *name = text + 2, *end = strchr(name, '}'), *value;

	if (!end)
		return errf(-EINVAL, "'%.64s' has no '}' (\"$$\" stands for a dollar sign)", text);
	value = lookup(ctx, name, end - name);
	if (!value)
		return errf(-EINVAL,
			    "there is no parameter '%.*s' (\"$${\" is for what the command itself "
			    "is to see as \"${\")",
			    end - name > 64 ? 64 : (int)(end - name), name);
	*ret_end = end + 1;
	return str_add(ret, value) ? no_memory() : 0;
}

int scenario_substitute(const char *text, name_lookup *lookup, void *ctx, struct str *ret)
{
	const char *dollar;
	int err;

	for (; (dollar = strchr(text, '$')); text = dollar) {
		if (str_add_bytes(ret, text, dollar - text))
			return no_memory();
		if (dollar[1] == '{') {
			err = substitute_one(dollar, lookup, ctx, ret, &dollar);
			if (err)
				return err;
		} else {
			if (str_add(ret, "$"))
				return no_memory();
			dollar += dollar[1] == '$' ? 2 : 1;
		}
	}
	return str_add(ret, text) ? no_memory() : 0;
}

bool scenario_name_is_reserved(const char *name)
{
	static const char *const reserved[] = { "variant", "scenario_dir", "scratch" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reserved); i++) {
		if (!strcmp(name, reserved[i]))
			return true;
	}
	return false;
}

const struct scenario_pair *scenario_pairs_find(const struct scenario_pairs *pairs,
						const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < pairs->n; i++) {
		if (!strncmp(pairs->list[i].key, name, len) && !pairs->list[i].key[len])
			return &pairs->list[i];
	}
	return NULL;
}
