/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/profile_provenance.h"

#include <string.h>

#include "user/base/array.h"

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
