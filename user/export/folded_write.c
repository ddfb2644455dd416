/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/export/folded.h"
#include "user/export/folded_tree.h"

/* What may follow a parent in a line: "text COUNT" at the line's end, or "text;" and more. */
struct item {
	const char *text;
	uint32_t branch;
	char tail[24]; /* ";" or " COUNT" */
};

struct folding {
	struct folded_tree tree;
	int64_t *weights; /* by branch: of the lines that end here */
	size_t weights_cap;
	uint8_t *has_children; /* by branch */
	struct item *items;    /* grouped by parent, each group in the order of the lines */
	size_t *starts;	       /* group of parent i - 1: items[starts[i] .. starts[i + 1]) */
	struct str text;
};

static int gather(struct folding *f)
{
	struct folded_tree *t = &f->tree;
	uint32_t i, at;
	int err = 0;

	for (i = 0; i < t->p->samples.n && !err; i++) {
		int64_t value = profile_values_at(t->p, i)[t->view->value];
		size_t n = t->branches.n;

		if (!value)
			continue;
		err = folded_tree_add(t, i, &at);
		if (!err && array_reserve(f->weights, f->weights_cap, t->branches.n))
			err = -ENOMEM;
		if (err)
			return err;
		memset(f->weights + n, 0, (t->branches.n - n) * sizeof(*f->weights));
		if (__builtin_add_overflow(f->weights[at], value, &f->weights[at]))
			f->weights[at] = value < 0 ? INT64_MIN : INT64_MAX;
	}
	return err;
}

/* Orders "text" + "tail" of both bytewise, without joining them. */
static int by_text(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	const unsigned char *s = (const unsigned char *)x->text, *s_tail = (const void *)x->tail;
	const unsigned char *t = (const unsigned char *)y->text, *t_tail = (const void *)y->tail;

	for (;; s++, t++) {
		if (!*s && s_tail) {
			s = s_tail;
			s_tail = NULL;
		}
		if (!*t && t_tail) {
			t = t_tail;
			t_tail = NULL;
		}
		if (*s != *t || !*s)
			return *s - *t;
	}
}

/* One item for the line that ends in branch i, one for those that go on below it. */
static void put_items(struct folding *f, uint32_t i, size_t *at)
{
	const struct folded_branch *b = folded_branch_at(&f->tree, i);
	struct item *item;

	if (f->weights[i]) {
		item = &f->items[(*at)++];
		*item = (struct item){ strtab_get(&f->tree.texts, b->text), i, "" };
		snprintf(item->tail, sizeof(item->tail), " %" PRId64, f->weights[i]);
	}
	if (f->has_children[i]) {
		item = &f->items[(*at)++];
		*item = (struct item){ strtab_get(&f->tree.texts, b->text), i, ";" };
	}
}

/* Groups items by parent (a counting sort), then orders each group. */
static int order_items(struct folding *f)
{
	size_t n = f->tree.branches.n, sum = 0, i;
	_cleanup_(freep) size_t *next = NULL;

	f->has_children = calloc(n + 1, 1);
	f->starts = calloc(n + 2, sizeof(*f->starts));
	next = calloc(n + 1, sizeof(*next));
	if (!f->has_children || !f->starts || !next)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		uint32_t parent = folded_branch_at(&f->tree, i)->parent;

		if (parent != FOLDED_NO_PARENT)
			f->has_children[parent] = 1;
	}
	for (i = 0; i < n; i++) {
		uint32_t parent = folded_branch_at(&f->tree, i)->parent;

		f->starts[parent + 1u] += !!f->weights[i] + f->has_children[i];
	}
	for (i = 0; i <= n; i++) {
		size_t count = f->starts[i];

		f->starts[i] = next[i] = sum;
		sum += count;
	}
	f->starts[n + 1] = sum;
	f->items = calloc(sum + 1, sizeof(*f->items));
	if (!f->items)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		uint32_t parent = folded_branch_at(&f->tree, i)->parent;

		put_items(f, i, &next[parent + 1u]);
	}
	for (i = 0; i <= n; i++)
		qsort(f->items + f->starts[i], f->starts[i + 1] - f->starts[i], sizeof(*f->items),
		      by_text);
	return 0;
}

struct level {
	size_t next, end; /* items */
	size_t len;	  /* of the line's text before them */
};

/* Walks the tree from item to item; a level is a frame's position in the line. */
static int write_lines(struct folding *f, FILE *out)
{
	_cleanup_(freep) struct level *levels = NULL;
	size_t depth = 0, cap = 0;
	int err;

	str_clear(&f->text);
	if (array_reserve(levels, cap, 1))
		return -ENOMEM;
	levels[0] = (struct level){ f->starts[0], f->starts[1], 0 };
	for (;;) {
		struct level *level;
		const struct item *item;

		if (array_reserve(levels, cap, depth + 2))
			return -ENOMEM;
		level = &levels[depth];
		if (level->next == level->end) {
			if (!depth--)
				return 0;
			continue;
		}
		item = &f->items[level->next++];
		f->text.len = level->len;
		err = str_add(&f->text, item->text);
		if (!err)
			err = str_add(&f->text, item->tail);
		if (err)
			return err;
		if (item->tail[0] == ';') {
			levels[++depth] =
				(struct level){ f->starts[item->branch + 1u],
						f->starts[item->branch + 2u], f->text.len };
			continue;
		}
		if (str_add(&f->text, "\n"))
			return -ENOMEM;
		if (fwrite(f->text.data, 1, f->text.len, out) != f->text.len)
			return errno ? -errno : -EIO;
	}
}

static void folding_release(struct folding *f)
{
	folded_tree_release(&f->tree);
	str_release(&f->text);
	free(f->weights);
	free(f->has_children);
	free(f->items);
	free(f->starts);
}

int folded_write(const struct profile *p, const struct view *view, FILE *out)
{
	_cleanup_(folding_release) struct folding f = { 0 };
	int err;

	if (view->value >= p->n_values)
		return errf(-EINVAL, "cannot write folded stacks: the profile has %u values",
			    p->n_values);
	err = folded_tree_init(&f.tree, p, view);
	if (!err)
		err = gather(&f);
	if (!err)
		err = order_items(&f);
	errno = 0;
	if (!err)
		err = write_lines(&f, out);
	if (!err && fflush(out))
		err = errno ? -errno : -EIO;
	return err ? errf(err, "cannot write folded stacks: %s", strerror(-err)) : 0;
}
