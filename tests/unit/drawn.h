/* SPDX-License-Identifier: BSD-2-Clause */
/* drawn: pictures for tests, in memory, and what they must and must not have. */
#pragma once

#include "tests/unit/stacks.h"

#include <stdio.h>

#include "flamegraph/differential.h"
#include "flamegraph/flame_calltree.h"
#include "flamegraph/flame_tree.h"
#include "flamegraph/picture.h"
#include "tests/unit/folder.h"
#include "user/model/calltree.h"

struct drawn {
	struct flame_tree *tree;
	char *text;
	size_t len;
};

static inline struct calltree *drawn_calltree(struct profile *p)
{
	const struct view view = { 0 };
	struct calltree *tree = NULL;

	assert_int_equal(calltree_new(p, &view, &tree), 0);
	profile_free(p);
	return tree;
}

/* Takes over the profile. */
static inline void drawn_init(struct drawn *d, struct profile *p)
{
	struct calltree *tree = drawn_calltree(p);

	*d = (struct drawn){ 0 };
	assert_int_equal(flame_tree_of_calltree(tree, &d->tree, NULL), 0);
	calltree_free(tree);
}

/* Takes over the profiles. */
static inline void drawn_init_two(struct drawn *d, struct profile *before, struct profile *after,
				  differential_judge judge, void *arg)
{
	struct calltree *a = drawn_calltree(before), *b = drawn_calltree(after);
	const struct differential_side side_a = { a, 1 }, side_b = { b, 1 };

	*d = (struct drawn){ 0 };
	assert_int_equal(differential_new(&side_a, &side_b, judge, arg, &d->tree), 0);
	calltree_free(a);
	calltree_free(b);
}

static inline void drawn_release(struct drawn *d)
{
	free(d->text);
	flame_tree_free(d->tree);
}

static inline void drawn_write(struct drawn *d, const struct picture_options *options)
{
	FILE *out;

	free(d->text);
	d->text = NULL;
	out = open_memstream(&d->text, &d->len);
	assert_non_null(out);
	assert_int_equal(picture_write(d->tree, options, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(strlen(d->text), d->len);
}

static inline void drawn_has(const struct drawn *d, const char *text)
{
	const char *rows = strstr(d->text, "\"rows\"");

	if (!strstr(d->text, text))
		fail_msg("the picture lacks %s in\n%.900s", text, rows ? rows : d->text);
}

static inline void drawn_lacks(const struct drawn *d, const char *text)
{
	if (strstr(d->text, text))
		fail_msg("the picture has %s", text);
}

static inline void drawn_is_valid(const struct drawn *d)
{
	char command[600];
	struct folder f;
	int status;

	if (system("command -v xmllint >/dev/null 2>&1")) {
		print_message("xmllint is missing (libxml2-utils): validity is not tested\n");
		skip();
	}
	folder_make(&f);
	snprintf(command, sizeof(command), "xmllint --noout '%s'",
		 folder_write(&f, "x.svg", d->text, d->len));
	status = system(command);
	folder_remove(&f);
	assert_int_equal(status, 0);
}

/* The node of that name; the first if there are several. */
static inline uint32_t drawn_find(const struct drawn *d, const char *name)
{
	uint32_t i;

	for (i = 0; i < d->tree->n_nodes; i++) {
		if (!strcmp(flame_name(d->tree, i), name))
			return i;
	}
	fail_msg("no frame is called '%s'", name);
	return 0;
}
