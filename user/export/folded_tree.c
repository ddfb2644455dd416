/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/folded_tree.h"

#include <errno.h>
#include <stdlib.h>

#include "user/base/array.h"

int folded_tree_init(struct folded_tree *t, const struct profile *p, const struct view *view)
{
	*t = (struct folded_tree){ .p = p, .view = view };
	keyset_init(&t->branches, sizeof(struct folded_branch));
	t->text_of = calloc(p->frames.n + 1, sizeof(*t->text_of));
	t->places = calloc(p->nodes.n + 1, sizeof(*t->places));
	return t->text_of && t->places ? strtab_init(&t->texts) : -ENOMEM;
}

void folded_tree_release(struct folded_tree *t)
{
	strtab_release(&t->texts);
	keyset_release(&t->branches);
	str_release(&t->text);
	free(t->text_of);
	free(t->places);
}

static int frame_text(struct folded_tree *t, uint32_t frame, uint32_t *ret)
{
	const struct profile_frame *fr = profile_frame_at(t->p, frame);
	int err = 0;

	if (!t->text_of[frame]) {
		str_clear(&t->text);
		err = view_frame_name(t->p, fr, &t->text);
		if (!err)
			err = str_add(&t->text, view_suffix(fr->kind));
		if (!err)
			err = strtab_add(&t->texts, str_text(&t->text), &t->text_of[frame]);
	}
	*ret = t->text_of[frame];
	return err;
}

/* A process may call itself "# x": its lines must not be taken for comments. */
static int hide_comment(struct folded_tree *t, uint32_t *text)
{
	const char *name = strtab_get(&t->texts, *text);
	int err;

	if (name[0] != '#' || (name[1] && name[1] != ' '))
		return 0;
	str_clear(&t->text);
	err = str_addf(&t->text, "?%s", name + 1);
	return err ? err : strtab_add(&t->texts, str_text(&t->text), text);
}

static int add_branch(struct folded_tree *t, uint32_t parent, uint32_t text, uint32_t *ret)
{
	struct folded_branch key = { .parent = parent, .text = text };
	int added = parent == FOLDED_NO_PARENT ? hide_comment(t, &key.text) : 0;

	if (added)
		return added;
	added = keyset_add(&t->branches, &key, ret);
	return added < 0 ? added : 0;
}

/* The branch of a process or thread; FOLDED_NO_PARENT if the sample has none. */
static int add_root(struct folded_tree *t, uint32_t labels, uint32_t *ret)
{
	uint32_t text;
	int err;

	str_clear(&t->text);
	err = view_root(t->p, labels, t->view, &t->text);
	*ret = FOLDED_NO_PARENT;
	if (err || !t->text.len)
		return err;
	err = strtab_add(&t->texts, str_text(&t->text), &text);
	return err ? err : add_branch(t, FOLDED_NO_PARENT, text, ret);
}

/* Stacks share their outer nodes: walk only to the first that is known below the same root. */
static int add_stack(struct folded_tree *t, uint32_t root, uint32_t node, uint32_t *ret)
{
	uint32_t path[PROFILE_MAX_DEPTH], n = 0, text, at = root;
	int err = 0;

	for (; node != PROFILE_NONE && n < PROFILE_MAX_DEPTH;
	     node = profile_node_at(t->p, node)->parent) {
		if (t->places[node].known && t->places[node].root == root) {
			at = t->places[node].branch;
			break;
		}
		path[n++] = node;
	}
	while (!err && n--) {
		err = frame_text(t, profile_node_at(t->p, path[n])->frame, &text);
		if (!err)
			err = add_branch(t, at, text, &at);
		if (!err)
			t->places[path[n]] = (struct folded_place){ root, at, 1 };
	}
	*ret = at;
	return err;
}

int folded_tree_add(struct folded_tree *t, uint32_t i, uint32_t *ret)
{
	const struct profile_sample *s = profile_sample_at(t->p, i);
	uint32_t at, text;
	int err = add_root(t, s->labels, &at);

	if (!err && s->node != PROFILE_NONE) {
		err = add_stack(t, at, s->node, &at);
	} else if (!err && at == FOLDED_NO_PARENT) {
		err = strtab_add(&t->texts, "[no stack]", &text);
		if (!err)
			err = add_branch(t, FOLDED_NO_PARENT, text, &at);
	}
	if (!err)
		*ret = at;
	return err;
}

int folded_tree_text(const struct folded_tree *t, uint32_t branch, struct str *out)
{
	uint32_t path[PROFILE_MAX_DEPTH + 1], n = 0;
	int err = 0;

	for (; branch != FOLDED_NO_PARENT && n < PROFILE_MAX_DEPTH + 1;
	     branch = folded_branch_at(t, branch)->parent)
		path[n++] = folded_branch_at(t, branch)->text;
	while (n-- && !err) {
		err = str_add(out, strtab_get(&t->texts, path[n]));
		if (!err && n)
			err = str_add(out, ";");
	}
	return err;
}
