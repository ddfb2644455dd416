/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/flame_census.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

/*
 * Nodes from this share on are the trunk, of which one thread takes care; what grows on it is cut
 * into pieces of about half as much, which the threads take in turn.
 */
#define TRUNK_SHARE (1.0 / 32)

struct piece {
	uint32_t from;	   /* node of the trunk */
	uint32_t first, n; /* its children from 'first' on: so many that are not of the trunk */
};

struct counting {
	const struct flame_tree *tree;
	struct flame_share share;
	struct flame_census *census;
	uint32_t *trunk;
	struct piece *pieces;
	size_t n_trunk, trunk_cap, n_pieces, pieces_cap;
	atomic_size_t next_piece;
};

/* What a thread has counted; sums wrap, as what is taken from them may come first. */
struct counter {
	struct counting *all;
	struct flame_frame_sum *frames;
	uint32_t *on_path; /* of each frame: how often it is on the path to this node */
	uint64_t counts[FLAME_CENSUS_BUCKETS], rests[FLAME_CENSUS_BUCKETS];
	uint32_t seen;
};

/* --- shares --------------------------------------------------------------------------------------
 */

struct flame_share flame_share_of(const struct flame_tree *tree)
{
	double after = tree->nodes[0].value * tree->scale_after;
	double before = tree->before ? tree->before[0] * tree->scale_before : 0;
	double total = after > before ? after : before;

	if (!(total > 0))
		return (struct flame_share){ 0, 0 };
	return (struct flame_share){ tree->scale_after / total, tree->scale_before / total };
}

/* Exponents from 2^-63 to 2^0, each with the first six bits of the fraction (IEEE 754). */
#define BUCKET_SHIFT 46
#define BUCKET_FIRST ((uint64_t)(1023 - 63) << 6)

static unsigned int bucket_of(double share)
{
	uint64_t bits;

	if (share >= 1)
		return FLAME_CENSUS_BUCKETS - 1;
	memcpy(&bits, &share, sizeof(bits));
	bits >>= BUCKET_SHIFT;
	return share > 0 && bits > BUCKET_FIRST ? bits - BUCKET_FIRST : 0;
}

static double bucket_start(unsigned int bucket)
{
	uint64_t bits = (bucket + BUCKET_FIRST) << BUCKET_SHIFT;
	double share;

	memcpy(&share, &bits, sizeof(share));
	return bucket ? share : 0;
}

double flame_census_share(const struct flame_census *census, unsigned int rest_weight,
			  uint64_t limit, uint64_t *ret_weight)
{
	uint64_t nodes = 0, rests = 0, weight = 1;
	double share = 2;
	unsigned int i = FLAME_CENSUS_BUCKETS;

	while (i--) {
		nodes += census->counts[i];
		rests += census->rests[i];
		if (nodes + rests * rest_weight > limit)
			break;
		weight = nodes + rests * rest_weight;
		share = bucket_start(i);
	}
	*ret_weight = weight;
	return share;
}

/* --- counting ------------------------------------------------------------------------------------
 */

/* A node has a rest if it is kept and the least of its children is not. */
static inline void count_rest(struct counter *c, uint32_t node, unsigned int bucket)
{
	const struct flame_tree *tree = c->all->tree;
	uint32_t child = tree->nodes[node].first_child;
	double least = 2;

	if (child == PROFILE_NONE)
		return;
	for (; child != PROFILE_NONE; child = tree->nodes[child].next) {
		double share = flame_share_at(&c->all->share, tree, child);

		least = share < least ? share : least;
	}
	c->rests[bucket]++;
	c->rests[bucket_of(least)]--;
}

static inline void count_node(struct counter *c, uint32_t node, bool is_first)
{
	const struct flame_tree *tree = c->all->tree;
	const struct flame_node *n = &tree->nodes[node];
	struct flame_frame_sum *sum = &c->frames[n->frame], *above = NULL;
	unsigned int bucket = bucket_of(flame_share_at(&c->all->share, tree, node));

	if (n->parent != PROFILE_NONE)
		above = &c->frames[tree->nodes[n->parent].frame];
	c->counts[bucket]++;
	count_rest(c, node, bucket);
	sum->n_nodes++;
	sum->self += n->value;
	if (above)
		above->self -= n->value;
	if (is_first)
		sum->inside += n->value;
	if (!tree->before)
		return;
	sum->self_before += tree->before[node];
	if (above)
		above->self_before -= tree->before[node];
	if (is_first)
		sum->inside_before += tree->before[node];
}

static void count_below(struct counter *c, uint32_t top)
{
	const struct flame_node *nodes = c->all->tree->nodes;
	uint32_t *sizes = c->all->census->sizes, node = top;

	for (;;) {
		count_node(c, node, !c->on_path[nodes[node].frame]++);
		sizes[node] = c->seen++;
		if (nodes[node].first_child != PROFILE_NONE) {
			node = nodes[node].first_child;
			continue;
		}
		for (;; node = nodes[node].parent) {
			c->on_path[nodes[node].frame]--;
			sizes[node] = c->seen - sizes[node];
			if (node == top)
				return;
			if (nodes[node].next != PROFILE_NONE)
				break;
		}
		node = nodes[node].next;
	}
}

static bool is_trunk(const struct counting *all, uint32_t node)
{
	return !node || flame_share_at(&all->share, all->tree, node) >= TRUNK_SHARE;
}

static void count_piece(struct counter *c, const struct piece *piece)
{
	const struct flame_node *nodes = c->all->tree->nodes;
	uint32_t node, left = piece->n;

	for (node = piece->from; node != PROFILE_NONE; node = nodes[node].parent)
		c->on_path[nodes[node].frame]++;
	for (node = piece->first; left; node = nodes[node].next) {
		if (is_trunk(c->all, node))
			continue;
		count_below(c, node);
		left--;
	}
	for (node = piece->from; node != PROFILE_NONE; node = nodes[node].parent)
		c->on_path[nodes[node].frame]--;
}

static void *count_pieces(void *arg)
{
	struct counter *c = arg;
	size_t i;

	while ((i = atomic_fetch_add(&c->all->next_piece, 1)) < c->all->n_pieces)
		count_piece(c, &c->all->pieces[i]);
	return NULL;
}

/* After its branches: the lowest nodes first. */
static void count_trunk(struct counter *c)
{
	const struct flame_node *nodes = c->all->tree->nodes;
	uint32_t *sizes = c->all->census->sizes;
	size_t i = c->all->n_trunk;

	while (i--) {
		uint32_t node = c->all->trunk[i], other;
		bool is_first = true;

		for (other = nodes[node].parent; other != PROFILE_NONE; other = nodes[other].parent)
			is_first = is_first && nodes[other].frame != nodes[node].frame;
		count_node(c, node, is_first);
		sizes[node] = 1;
		for (other = nodes[node].first_child; other != PROFILE_NONE;
		     other = nodes[other].next)
			sizes[node] += sizes[other];
	}
}

/* --- cutting into pieces -------------------------------------------------------------------------
 */

static int add_piece(struct counting *all, const struct piece *piece)
{
	if (!piece->n)
		return 0;
	if (array_reserve(all->pieces, all->pieces_cap, all->n_pieces + 1))
		return -ENOMEM;
	all->pieces[all->n_pieces++] = *piece;
	return 0;
}

static int add_to_trunk(struct counting *all, uint32_t node)
{
	if (array_reserve(all->trunk, all->trunk_cap, all->n_trunk + 1))
		return -ENOMEM;
	all->trunk[all->n_trunk++] = node;
	return 0;
}

static int cut_children(struct counting *all, uint32_t from)
{
	const struct flame_node *nodes = all->tree->nodes;
	uint32_t child = nodes[from].first_child;
	struct piece piece = { .from = from, .first = child };
	double share = 0;
	int err = 0;

	for (; child != PROFILE_NONE && !err; child = nodes[child].next) {
		if (is_trunk(all, child)) {
			err = add_to_trunk(all, child);
			continue;
		}
		piece.n++;
		share += flame_share_at(&all->share, all->tree, child);
		if (share < TRUNK_SHARE / 2)
			continue;
		err = add_piece(all, &piece);
		piece = (struct piece){ .from = from, .first = nodes[child].next };
		share = 0;
	}
	return err ? err : add_piece(all, &piece);
}

static int cut(struct counting *all)
{
	size_t i;
	int err = add_to_trunk(all, 0);

	for (i = 0; i < all->n_trunk && !err; i++)
		err = cut_children(all, all->trunk[i]);
	return err;
}

/* --- both threads --------------------------------------------------------------------------------
 */

static void counter_free(struct counter *c)
{
	free(c->frames);
	free(c->on_path);
	free(c);
}
DEFINE_FREEP(struct counter, counter_free)

static struct counter *counter_new(struct counting *all)
{
	_cleanup_(counter_freep) struct counter *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->all = all;
	c->frames = calloc(all->tree->n_frames + 1, sizeof(*c->frames));
	c->on_path = calloc(all->tree->n_frames + 1, sizeof(*c->on_path));
	return c->frames && c->on_path ? take(c) : NULL;
}

static void add_counted(const struct counter *c, struct flame_census *census)
{
	size_t i;

	for (i = 0; i < c->all->tree->n_frames; i++) {
		struct flame_frame_sum *to = &census->frames[i];
		const struct flame_frame_sum *from = &c->frames[i];

		to->inside += from->inside;
		to->self += from->self;
		to->inside_before += from->inside_before;
		to->self_before += from->self_before;
		to->n_nodes += from->n_nodes;
	}
	for (i = 0; i < FLAME_CENSUS_BUCKETS; i++) {
		census->counts[i] += c->counts[i];
		census->rests[i] += c->rests[i];
	}
}

static int count_all(struct counting *all)
{
	_cleanup_(counter_freep) struct counter *mine = counter_new(all),
						*others = counter_new(all);
	pthread_t helper;
	bool has_helper;

	if (!mine || !others || cut(all))
		return -ENOMEM;
	has_helper = !pthread_create(&helper, NULL, count_pieces, others);
	count_pieces(mine);
	if (has_helper)
		pthread_join(helper, NULL);
	count_trunk(mine);
	add_counted(mine, all->census);
	add_counted(others, all->census);
	return 0;
}

int flame_census_new(const struct flame_tree *tree, struct flame_census **ret)
{
	_cleanup_(flame_census_freep) struct flame_census *census = calloc(1, sizeof(*census));
	struct counting all = { .tree = tree, .share = flame_share_of(tree), .census = census };
	int err = -ENOMEM;

	if (census) {
		census->sizes = malloc(tree->n_nodes * sizeof(*census->sizes));
		census->frames = calloc(tree->n_frames + 1, sizeof(*census->frames));
		if (census->sizes && census->frames)
			err = count_all(&all);
	}
	free(all.trunk);
	free(all.pieces);
	if (err)
		return errf(err, "no memory for what the frames of a flame graph add up to");
	*ret = take(census);
	return 0;
}

void flame_census_free(struct flame_census *census)
{
	free(census->sizes);
	free(census->frames);
	free(census);
}
