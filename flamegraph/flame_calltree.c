/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/flame_calltree.h"

#include <errno.h>
#include <stdlib.h>

#include "user/base/err.h"
#include "user/base/saturate.h"

/* Of each node of a call tree what it spent itself; NULL: the tree's own. */
struct selves {
	const int64_t *value, *before;
};

/* Lines of one function are told apart there, but not here. */
static int copy_nodes(struct flame_tree *tree, const struct calltree *from,
		      const struct selves *selves, uint32_t *map)
{
	uint32_t i, frame;
	int err = 0;

	for (i = 0; !err && i < from->n_nodes; i++) {
		const struct calltree_node *node = &from->nodes[i];

		if (i) {
			err = flame_tree_add_frame(tree, calltree_name(from, i),
						   calltree_module(from, i), node->kind, &frame);
			if (!err)
				err = flame_tree_add_child(tree, map[node->parent], frame, &map[i]);
		}
		if (!err)
			err = flame_tree_add_value(tree, map[i],
						   selves->value ? selves->value[i] : node->self,
						   selves->before ? selves->before[i] : 0);
	}
	return err;
}

static int of_calltree(const struct calltree *from, const struct selves *selves,
		       struct flame_tree **ret, uint32_t **ret_nodes)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	_cleanup_(freep) uint32_t *map = calloc(from->n_nodes, sizeof(*map));
	int err = map ? flame_tree_new(false, &tree) : -ENOMEM;

	if (!map)
		return errf(err, "no memory for a tree of %zu frames", from->n_nodes);
	if (!err && selves->before)
		err = flame_tree_start_before(tree);
	if (!err)
		err = copy_nodes(tree, from, selves, map);
	if (!err)
		err = flame_tree_finish(tree);
	if (err)
		return err;
	if (ret_nodes)
		*ret_nodes = take(map);
	*ret = take(tree);
	return 0;
}

int flame_tree_of_calltree(const struct calltree *from, struct flame_tree **ret,
			   uint32_t **ret_nodes)
{
	return of_calltree(from, &(struct selves){ 0 }, ret, ret_nodes);
}

/* What the nodes of 'from' spent themselves, by the nodes that they have become. */
static int64_t *selves_of(const struct calltree *from, const uint32_t *map, size_t n)
{
	int64_t *selves = calloc(n, sizeof(*selves));
	size_t i;

	for (i = 0; selves && i < from->n_nodes; i++)
		add_saturating(&selves[map[i]], from->nodes[i].self > 0 ? from->nodes[i].self : 0);
	return selves;
}

int flame_tree_of_calltrees(const struct calltree *before, const struct calltree *after,
			    struct flame_tree **ret)
{
	_cleanup_(calltree_freep) struct calltree *both = NULL;
	_cleanup_(freep) uint32_t *of_before = NULL, *of_after = NULL;
	_cleanup_(freep) int64_t *self_before = NULL, *self_after = NULL;
	int err = calltree_join(after, before, &both, &of_after, &of_before);

	if (err)
		return err;
	self_before = selves_of(before, of_before, both->n_nodes);
	self_after = selves_of(after, of_after, both->n_nodes);
	if (!self_before || !self_after)
		return errf(-ENOMEM, "no memory to compare %zu frames", both->n_nodes);
	return of_calltree(both, &(struct selves){ .value = self_after, .before = self_before },
			   ret, NULL);
}
