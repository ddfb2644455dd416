/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/flame_kept.h"

#include "flamegraph/flame_pack.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/saturate.h"

/* A node whose children are being visited. */
struct level {
	uint32_t next_child;
	uint32_t node, frame;
	uint32_t n_hidden; /* nodes of its rest */
	int64_t hidden, hidden_before;
	int64_t lead; /* of the child before */
};

struct walk {
	const struct flame_tree *tree;
	const struct flame_census *census;
	struct flame_share share;
	double min_share;
	struct flame_kept *kept;
	uint32_t *on_path;
	struct level *levels;
	size_t depth, levels_cap;
};

static inline bool is_kept(const struct walk *w, uint32_t node)
{
	return w->min_share <= 0 || flame_share_at(&w->share, w->tree, node) >= w->min_share;
}

/* What its children are: how many are kept, and what all of them come to. */
struct children {
	uint64_t n_kept;
	int64_t value, before;
};

static struct children look_at_children(const struct walk *w, struct level *level)
{
	const struct flame_tree *tree = w->tree;
	struct children c = { 0 };
	uint32_t child;

	for (child = level->next_child; child != PROFILE_NONE; child = tree->nodes[child].next) {
		int64_t value = tree->nodes[child].value;
		int64_t before = tree->before ? tree->before[child] : 0;

		add_saturating(&c.value, value);
		add_saturating(&c.before, before);
		if (is_kept(w, child)) {
			c.n_kept++;
			continue;
		}
		level->n_hidden += w->census->sizes[child];
		add_saturating(&level->hidden, value);
		add_saturating(&level->hidden_before, before);
	}
	return c;
}

/* What a node spent itself: sums that were saturated may be more than what is left of them. */
static uint64_t left_of(int64_t whole, int64_t part)
{
	return whole > part ? whole - part : 0;
}

static int put_values(struct walk *w, uint64_t self, uint64_t before)
{
	int err = 0;

	if (self || before)
		err = flame_add_varint(&w->kept->self, self);
	if (!err && (self || before) && w->tree->before)
		err = flame_add_varint(&w->kept->before, before);
	return err;
}

static void count_frame(struct walk *w, uint32_t node, uint64_t self, uint64_t self_before)
{
	const struct flame_tree *tree = w->tree;
	uint32_t frame = tree->nodes[node].frame;
	struct flame_frame_sum *sum = &w->kept->frames[frame];

	sum->n_nodes++;
	sum->self += self;
	sum->self_before += self_before;
	if (w->on_path[frame]++)
		return;
	sum->inside += tree->nodes[node].value;
	if (tree->before)
		sum->inside_before += tree->before[node];
}

static int enter(struct walk *w, uint32_t node)
{
	const struct flame_tree *tree = w->tree;
	struct level *level;
	struct children c;
	uint64_t self, before = 0;
	int err;

	if (array_reserve(w->levels, w->levels_cap, w->depth + 1))
		return -ENOMEM;
	level = &w->levels[w->depth++];
	*level = (struct level){
		.next_child = tree->nodes[node].first_child,
		.node = node,
		.frame = tree->nodes[node].frame,
	};
	c = look_at_children(w, level);
	self = left_of(tree->nodes[node].value, c.value);
	if (tree->before)
		before = left_of(tree->before[node], c.before);
	if (w->on_path)
		count_frame(w, node, self, before);
	if (w->kept->places)
		w->kept->places[node] = w->kept->n;
	w->kept->n++;
	err = flame_add_varint(&w->kept->shape,
			       2 * (c.n_kept + !!level->n_hidden) + (self || before));
	return err ? err : put_values(w, self, before);
}

static int add_edge(struct walk *w, uint32_t parent_frame, uint32_t frame)
{
	struct flame_kept *kept = w->kept;

	if (array_reserve(kept->edges, kept->cap, kept->n + 1))
		return -ENOMEM;
	kept->edges[kept->n - 1] = (struct flame_edge){ parent_frame, frame };
	return 0;
}

static void place_hidden(struct walk *w, uint32_t parent)
{
	const struct flame_node *nodes = w->tree->nodes;
	uint32_t child = nodes[parent].first_child;

	for (; child != PROFILE_NONE; child = nodes[child].next) {
		if (!is_kept(w, child))
			w->kept->places[child] = w->kept->n;
	}
}

static int add_rest(struct walk *w, const struct level *level)
{
	int err = add_edge(w, level->frame, 0);

	if (!err)
		err = flame_add_varint(&w->kept->shape, level->hidden || level->hidden_before);
	if (!err)
		err = put_values(w, level->hidden, level->hidden_before);
	if (!err)
		err = flame_add_varint(&w->kept->rests, level->n_hidden);
	if (w->kept->places)
		place_hidden(w, level->node);
	w->kept->n++;
	w->kept->n_rests++;
	return err;
}

static int leave(struct walk *w)
{
	const struct level *level = &w->levels[--w->depth];

	if (w->on_path)
		w->on_path[level->frame]--;
	return level->n_hidden ? add_rest(w, level) : 0;
}

/* What the parent spent itself between this child and the one before that is kept. */
static int add_lead(struct walk *w, struct level *parent, uint32_t child)
{
	const int64_t *leads = w->tree->leads;
	int64_t before = parent->lead;

	if (!leads)
		return 0;
	parent->lead = leads[child] > before ? leads[child] : before;
	return flame_add_varint(&w->kept->leads, parent->lead - before);
}

static int walk(struct walk *w)
{
	const struct flame_node *nodes = w->tree->nodes;
	int err = enter(w, 0);

	while (!err && w->depth) {
		struct level *level = &w->levels[w->depth - 1];
		uint32_t child = level->next_child;

		while (child != PROFILE_NONE && !is_kept(w, child))
			child = nodes[child].next;
		if (child == PROFILE_NONE) {
			err = leave(w);
			continue;
		}
		level->next_child = nodes[child].next;
		err = add_edge(w, level->frame, nodes[child].frame);
		if (!err)
			err = add_lead(w, level, child);
		if (!err)
			err = enter(w, child);
	}
	return err;
}

/* Nodes further down in what is hidden are where the topmost of them is. */
static void place_below(const struct flame_tree *tree, uint32_t *places)
{
	size_t i;

	for (i = 1; i < tree->n_nodes; i++) {
		if (places[i] == PROFILE_NONE)
			places[i] = places[tree->nodes[i].parent];
	}
}

int flame_kept_new(const struct flame_tree *tree, double share, const struct flame_census *census,
		   bool wants_places, struct flame_kept **ret)
{
	_cleanup_(flame_kept_freep) struct flame_kept *kept = calloc(1, sizeof(*kept));
	struct walk w = {
		.tree = tree,
		.census = census,
		.share = flame_share_of(tree),
		.min_share = share,
		.kept = kept,
	};
	int err = kept ? 0 : -ENOMEM;

	if (!err && wants_places) {
		kept->places = array_of_none(tree->n_nodes);
		err = kept->places ? 0 : -ENOMEM;
	}
	if (!err && share > 0) {
		kept->frames = calloc(tree->n_frames + 1, sizeof(*kept->frames));
		w.on_path = calloc(tree->n_frames + 1, sizeof(*w.on_path));
		err = kept->frames && w.on_path ? 0 : -ENOMEM;
	}
	if (!err)
		err = walk(&w);
	free(w.on_path);
	free(w.levels);
	if (err)
		return errf(err, "no memory for the data of a flame graph");
	if (wants_places)
		place_below(tree, kept->places);
	*ret = take(kept);
	return 0;
}

void flame_kept_free(struct flame_kept *kept)
{
	str_release(&kept->shape);
	str_release(&kept->self);
	str_release(&kept->before);
	str_release(&kept->leads);
	str_release(&kept->rests);
	free(kept->edges);
	free(kept->frames);
	free(kept->places);
	free(kept);
}
