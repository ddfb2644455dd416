/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks are gathered in a tree by the text of their frames, and lines are written while walking
 * it, so that memory grows with the number of distinct nodes and not with the length of the text.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/keyset.h"
#include "user/base/str.h"
#include "user/base/strtab.h"
#include "user/export/folded.h"

/* A frame below its parent; the parent of the first frame of a line is NO_PARENT. */
struct branch {
	uint32_t parent;
	uint32_t text; /* string in 'texts': the frame as it is written */
};
#define NO_PARENT UINT32_MAX

/* What may follow a parent in a line: "text COUNT" at the line's end, or "text;" and more. */
struct item {
	const char *text;
	uint32_t branch;
	char tail[24]; /* ";" or " COUNT" */
};

/* Where a node of the profile lies in the tree, for the root that was asked for last. */
struct place {
	uint32_t root; /* branch, or NO_PARENT */
	uint32_t branch;
	uint32_t known;
};

struct folding {
	const struct profile *p;
	const struct view *view;
	struct strtab texts;
	uint32_t *text_of;    /* frame of the profile -> string in texts; 0: not yet */
	struct place *places; /* by node of the profile */
	struct keyset branches;
	int64_t *weights; /* by branch: of the lines that end here */
	size_t weights_cap;
	uint8_t *has_children; /* by branch */
	struct item *items;    /* grouped by parent, each group in the order of the lines */
	size_t *starts;	       /* group of parent i - 1: items[starts[i] .. starts[i + 1]) */
	struct str text;
};

static int frame_text(struct folding *f, uint32_t frame, uint32_t *ret)
{
	const struct profile_frame *fr = profile_frame_at(f->p, frame);
	int err = 0;

	if (!f->text_of[frame]) {
		str_clear(&f->text);
		err = view_frame_name(f->p, fr, &f->text);
		if (!err)
			err = str_add(&f->text, view_suffix(fr->kind));
		if (!err)
			err = strtab_add(&f->texts, str_text(&f->text), &f->text_of[frame]);
	}
	*ret = f->text_of[frame];
	return err;
}

/* A process may call itself "# x": its lines must not be taken for comments. */
static int hide_comment(struct folding *f, uint32_t *text)
{
	const char *name = strtab_get(&f->texts, *text);
	int err;

	if (name[0] != '#' || (name[1] && name[1] != ' '))
		return 0;
	str_clear(&f->text);
	err = str_addf(&f->text, "?%s", name + 1);
	return err ? err : strtab_add(&f->texts, str_text(&f->text), text);
}

static int add_branch(struct folding *f, uint32_t parent, uint32_t text, uint32_t *ret)
{
	struct branch key = { .parent = parent, .text = text };
	int added = parent == NO_PARENT ? hide_comment(f, &key.text) : 0;

	if (added)
		return added;
	if (array_reserve(f->weights, f->weights_cap, f->branches.n + 1))
		return -ENOMEM;
	added = keyset_add(&f->branches, &key, ret);
	if (added < 0)
		return added;
	if (added)
		f->weights[*ret] = 0;
	return 0;
}

/* The branch of a process or thread; NO_PARENT if the sample has none. */
static int add_root(struct folding *f, uint32_t labels, uint32_t *ret)
{
	uint32_t text;
	int err;

	str_clear(&f->text);
	err = view_root(f->p, labels, f->view, &f->text);
	*ret = NO_PARENT;
	if (err || !f->text.len)
		return err;
	err = strtab_add(&f->texts, str_text(&f->text), &text);
	return err ? err : add_branch(f, NO_PARENT, text, ret);
}

/* Stacks share their outer nodes: walk only to the first that is known below the same root. */
static int add_stack(struct folding *f, uint32_t root, uint32_t node, uint32_t *ret)
{
	uint32_t path[PROFILE_MAX_DEPTH], n = 0, text, at = root;
	int err = 0;

	for (; node != PROFILE_NONE && n < PROFILE_MAX_DEPTH;
	     node = profile_node_at(f->p, node)->parent) {
		if (f->places[node].known && f->places[node].root == root) {
			at = f->places[node].branch;
			break;
		}
		path[n++] = node;
	}
	while (!err && n--) {
		err = frame_text(f, profile_node_at(f->p, path[n])->frame, &text);
		if (!err)
			err = add_branch(f, at, text, &at);
		if (!err)
			f->places[path[n]] = (struct place){ root, at, 1 };
	}
	*ret = at;
	return err;
}

static int add_sample(struct folding *f, uint32_t i)
{
	const struct profile_sample *s = profile_sample_at(f->p, i);
	int64_t value = profile_values_at(f->p, i)[f->view->value];
	uint32_t at, text;
	int err;

	if (!value)
		return 0;
	err = add_root(f, s->labels, &at);
	if (!err && s->node != PROFILE_NONE) {
		err = add_stack(f, at, s->node, &at);
	} else if (!err && at == NO_PARENT) {
		err = strtab_add(&f->texts, "[no stack]", &text);
		if (!err)
			err = add_branch(f, NO_PARENT, text, &at);
	}
	if (!err && __builtin_add_overflow(f->weights[at], value, &f->weights[at]))
		f->weights[at] = value < 0 ? INT64_MIN : INT64_MAX;
	return err;
}

static int gather(struct folding *f)
{
	uint32_t i;
	int err;

	f->text_of = calloc(f->p->frames.n + 1, sizeof(*f->text_of));
	f->places = calloc(f->p->nodes.n + 1, sizeof(*f->places));
	if (!f->text_of || !f->places || strtab_init(&f->texts))
		return -ENOMEM;
	for (i = 0; i < f->p->samples.n; i++) {
		err = add_sample(f, i);
		if (err)
			return err;
	}
	return 0;
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
	const struct branch *b = keyset_key(&f->branches, i);
	struct item *item;

	if (f->weights[i]) {
		item = &f->items[(*at)++];
		*item = (struct item){ strtab_get(&f->texts, b->text), i, "" };
		snprintf(item->tail, sizeof(item->tail), " %" PRId64, f->weights[i]);
	}
	if (f->has_children[i]) {
		item = &f->items[(*at)++];
		*item = (struct item){ strtab_get(&f->texts, b->text), i, ";" };
	}
}

/* Groups items by parent (a counting sort), then orders each group. */
static int order_items(struct folding *f)
{
	size_t n = f->branches.n, sum = 0, i;
	_cleanup_(freep) size_t *next = NULL;

	f->has_children = calloc(n + 1, 1);
	f->starts = calloc(n + 2, sizeof(*f->starts));
	next = calloc(n + 1, sizeof(*next));
	if (!f->has_children || !f->starts || !next)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		uint32_t parent = ((const struct branch *)keyset_key(&f->branches, i))->parent;

		if (parent != NO_PARENT)
			f->has_children[parent] = 1;
	}
	for (i = 0; i < n; i++) {
		uint32_t parent = ((const struct branch *)keyset_key(&f->branches, i))->parent;

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
		uint32_t parent = ((const struct branch *)keyset_key(&f->branches, i))->parent;

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
	strtab_release(&f->texts);
	keyset_release(&f->branches);
	str_release(&f->text);
	free(f->text_of);
	free(f->places);
	free(f->weights);
	free(f->has_children);
	free(f->items);
	free(f->starts);
}

int folded_write(const struct profile *p, const struct view *view, FILE *out)
{
	_cleanup_(folding_release) struct folding f = { .p = p, .view = view };
	int err;

	if (view->value >= p->n_values)
		return errf(-EINVAL, "cannot write folded stacks: the profile has %u values",
			    p->n_values);
	keyset_init(&f.branches, sizeof(struct branch));
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
