/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/hidden.h"

#include <string.h>

struct name_key {
	uint32_t name, module, kind;
};

struct writer {
	const struct flame_layout *layout;
	struct keyset names; /* of struct name_key */
	struct str trees;
	size_t n_nodes; /* written so far */
};

int frame_where(const char *module, uint32_t kind, struct str *out)
{
	const char *mark = NULL;
	int err;

	switch (kind) {
	case FRAME_KERNEL:
		module = *module ? module : "[kernel]";
		break;
	case FRAME_INLINED:
		mark = "inlined";
		break;
	case FRAME_INTERPRETED:
		mark = "runtime";
		break;
	case FRAME_SYNTHETIC:
		mark = "process";
		break;
	}
	err = str_add_clean(out, module, strlen(module), 0);
	if (err || !mark)
		return err;
	return *module ? str_addf(out, " (%s)", mark) : str_add(out, mark);
}

/* Base 36, as JavaScript's parseInt(text, 36) reads it. */
static int add_number(struct str *out, uint64_t v)
{
	char digits[16];
	size_t i = sizeof(digits);

	do {
		digits[--i] = "0123456789abcdefghijklmnopqrstuvwxyz"[v % 36];
		v /= 36;
	} while (v);
	return str_add_bytes(out, digits + i, sizeof(digits) - i);
}

static int64_t self_width(const struct flame_layout *layout, uint32_t node)
{
	const struct calltree_node *nodes = layout->tree->nodes;
	int64_t self = layout->widths[node];
	uint32_t child;

	for (child = nodes[node].first_child; child != PROFILE_NONE; child = nodes[child].next)
		self -= layout->widths[child];
	return self;
}

static int add_node(struct writer *w, uint32_t node)
{
	const struct calltree_node *n = &w->layout->tree->nodes[node];
	struct name_key key = { .name = n->name, .module = n->module, .kind = n->kind };
	int64_t self = self_width(w->layout, node);
	uint32_t number;
	int err = keyset_add(&w->names, &key, &number);

	if (err >= 0)
		err = add_number(&w->trees, number);
	if (!err && self)
		err = str_add(&w->trees, ".");
	if (!err && self)
		err = add_number(&w->trees, self);
	return err;
}

/* The next node with a width, from 'node' on along its siblings. */
static uint32_t with_width(const struct flame_layout *layout, uint32_t node)
{
	while (node != PROFILE_NONE && layout->widths[node] <= 0)
		node = layout->tree->nodes[node].next;
	return node;
}

/* Without recursion: a stack may be thousands of frames deep. */
static int add_tree(struct writer *w, uint32_t root)
{
	const struct calltree_node *nodes = w->layout->tree->nodes;
	uint32_t node = root, next;
	int err;

	for (;;) {
		err = add_node(w, node);
		if (err)
			return err;
		next = with_width(w->layout, nodes[node].first_child);
		if (next != PROFILE_NONE) {
			err = str_add(&w->trees, "(");
			if (err)
				return err;
			node = next;
			continue;
		}
		for (;;) {
			if (node == root)
				return 0;
			next = with_width(w->layout, nodes[node].next);
			err = str_add(&w->trees, next == PROFILE_NONE ? ")" : " ");
			if (err)
				return err;
			if (next != PROFILE_NONE)
				break;
			node = nodes[node].parent;
		}
		node = next;
	}
}

static int add_box(struct writer *w, const struct flame_box *box)
{
	const struct calltree_node *nodes = w->layout->tree->nodes;
	uint32_t child = nodes[w->layout->boxes[box->parent].node].first_child;
	bool first = true;
	int err = 0;

	if (box->hidden > HIDDEN_MAX_NODES - w->n_nodes)
		return str_add(&w->trees, "?\n");
	w->n_nodes += box->hidden;
	for (; !err && child != PROFILE_NONE; child = nodes[child].next) {
		if (!flame_is_narrow(w->layout, child))
			continue;
		if (!first)
			err = str_add(&w->trees, " ");
		if (!err)
			err = add_tree(w, child);
		first = false;
	}
	return err ? err : str_add(&w->trees, "\n");
}

static int add_names(const struct writer *w, struct str *out)
{
	const struct calltree *tree = w->layout->tree;
	int err = str_addf(out, "%zu\n", w->names.n);
	size_t i;

	for (i = 0; !err && i < w->names.n; i++) {
		const struct name_key *key = keyset_key(&w->names, i);
		const char *name = strtab_get(&tree->names, key->name);

		err = str_add_clean(out, name, strlen(name), 0);
		if (!err)
			err = str_add(out, "\t");
		if (!err)
			err = frame_where(strtab_get(&tree->names, key->module), key->kind, out);
		if (!err)
			err = str_add(out, "\n");
	}
	return err;
}

int hidden_add(const struct flame_layout *layout, struct str *out)
{
	struct writer w = { .layout = layout };
	int err = 0;
	size_t i;

	keyset_init(&w.names, sizeof(struct name_key));
	for (i = 0; !err && i < layout->n; i++) {
		if (layout->boxes[i].hidden)
			err = add_box(&w, &layout->boxes[i]);
	}
	if (!err)
		err = add_names(&w, out);
	if (!err)
		err = str_add(out, str_text(&w.trees));
	keyset_release(&w.names);
	str_release(&w.trees);
	return err;
}
