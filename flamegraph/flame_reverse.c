/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/flame_reverse.h"

#include "user/base/array.h"
#include "user/base/err.h"

struct reversal {
	const struct flame_tree *from;
	struct flame_tree *to;
	uint32_t *frames; /* of 'to', by those of 'from' */
	uint32_t *stack;
	size_t stack_cap;
};

static int map_frames(struct reversal *r)
{
	const struct flame_tree *from = r->from;
	size_t i;
	int err = 0;

	for (i = 1; i < from->n_frames && !err; i++) {
		const struct flame_frame *f = &from->frames[i];

		err = flame_tree_add_frame(r->to, strtab_get(&from->names, f->name),
					   strtab_get(&from->names, f->module), f->kind,
					   &r->frames[i]);
	}
	return err;
}

static int add_stack(struct reversal *r, uint32_t node)
{
	int64_t self = flame_tree_self(r->from, node);
	int64_t before = flame_tree_self_before(r->from, node);
	uint32_t at;
	size_t n = 0;

	if (!self && !before)
		return 0;
	for (at = node; at; at = r->from->nodes[at].parent) {
		if (array_reserve(r->stack, r->stack_cap, n + 1))
			return errf(-ENOMEM, "no memory to reverse stacks");
		r->stack[n++] = r->frames[r->from->nodes[at].frame];
	}
	return flame_tree_add(r->to, r->stack, n, self, before);
}

static int reverse(struct reversal *r)
{
	size_t i;
	int err = map_frames(r);

	for (i = 0; i < r->from->n_nodes && !err; i++)
		err = add_stack(r, i);
	if (err)
		return err;
	r->to->scale_before = r->from->scale_before;
	r->to->scale_after = r->from->scale_after;
	return flame_tree_finish(r->to);
}

int flame_tree_reverse(const struct flame_tree *from, struct flame_tree **ret)
{
	_cleanup_(flame_tree_freep) struct flame_tree *to = NULL;
	struct reversal r = { .from = from };
	int err = flame_tree_new(false, &to);

	if (err)
		return err;
	r.to = to;
	r.frames = calloc(from->n_frames + 1, sizeof(*r.frames));
	err = r.frames ? reverse(&r) : errf(-ENOMEM, "no memory to reverse stacks");
	free(r.frames);
	free(r.stack);
	if (!err)
		*ret = take(to);
	return err;
}
