/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/profile_provenance.h"

#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"

int profile_origin(const struct profile *p, struct str *out)
{
	const char *text = p->n_comments ? profile_string(p, p->comments[0]) : "";

	return str_add_clean(out, text, strlen(text), 0);
}

/* Comments of other programs say what they like. */
static int add_comment(const char *comment, struct provenance *out)
{
	static const char *const keys[] = { "host", "ledger", "command" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t len = strlen(keys[i]);

		if (!strncmp(comment, keys[i], len) && !strncmp(comment + len, ": ", 2))
			return provenance_add(out, keys[i], "%s", comment + len + 2);
	}
	return provenance_add(out, "comment", "%s", comment);
}

int profile_provenance(const struct profile *p, bool with_origin, struct provenance *out)
{
	size_t i;
	int err = 0;

	if (with_origin && p->n_comments)
		err = provenance_add(out, "recorded", "%s", profile_string(p, p->comments[0]));
	for (i = 1; i < p->n_comments && !err; i++)
		err = add_comment(profile_string(p, p->comments[i]), out);
	return err;
}

static bool has_pair(const struct provenance *p, const char *const pair[2])
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (!strcmp(p->pairs[i][0], pair[0]) && !strcmp(p->pairs[i][1], pair[1]))
			return true;
	}
	return false;
}

int provenance_add_side(struct provenance *out, const char *key, const char *text,
			const struct provenance *own, const struct provenance *other)
{
	_cleanup_(str_release) struct str all = { 0 };
	size_t i;
	int err = str_add(&all, text);

	for (i = 0; i < own->n && !err; i++) {
		if (!has_pair(other, own->pairs[i]))
			err = str_addf(&all, "; %s: %s", own->pairs[i][0], own->pairs[i][1]);
	}
	if (err)
		return errf(err, "no memory for what a picture is of");
	return provenance_add(out, key, "%s", str_text(&all));
}

int provenance_add_shared(struct provenance *out, const struct provenance *before,
			  const struct provenance *after)
{
	size_t i;
	int err = 0;

	for (i = 0; i < after->n && !err; i++) {
		if (has_pair(before, after->pairs[i]))
			err = provenance_add(out, after->pairs[i][0], "%s", after->pairs[i][1]);
	}
	return err;
}
