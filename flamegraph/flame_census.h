/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flame_census: what is to be known of a whole tree before a part of it can be kept: how many nodes
 * are how large, how many are below each, and what each frame took anywhere.
 */
#pragma once

#include "flamegraph/flame_tree.h"

/* What a frame took: 'inside' of all stacks that have it, each once; 'self' in itself. */
struct flame_frame_sum {
	uint64_t inside, self, inside_before, self_before;
	uint64_t n_nodes;
};

/* Shares of the total are told apart by 1 part in 64. */
#define FLAME_CENSUS_BUCKETS 4033

struct flame_census {
	uint32_t *sizes;		       /* of each node: nodes below it and itself */
	struct flame_frame_sum *frames;	       /* of each frame of the tree */
	uint64_t counts[FLAME_CENSUS_BUCKETS]; /* nodes of such a share */
	/* Nodes that have a rest from such a share on, less those that have none from there on. */
	uint64_t rests[FLAME_CENSUS_BUCKETS];
};

/* How large nodes are: as a share of the larger of both totals. */
struct flame_share {
	double after, before; /* what values are multiplied with */
};

struct flame_share flame_share_of(const struct flame_tree *tree);

/* Never larger than that of the parent. */
static inline double flame_share_at(const struct flame_share *share, const struct flame_tree *tree,
				    uint32_t node)
{
	double now = tree->nodes[node].value * share->after, before;

	if (!tree->before)
		return now;
	before = tree->before[node] * share->before;
	return before > now ? before : now;
}

/* On two CPUs. 0 or -ENOMEM with a sentence. */
int flame_census_new(const struct flame_tree *tree, struct flame_census **ret);
void flame_census_free(struct flame_census *census);
DEFINE_FREEP(struct flame_census, flame_census_free)

/*
 * The smallest share for which the nodes to be kept, with rests that weigh as much as 'rest_weight'
 * nodes, weigh at most 'limit'; 0: all may be kept. What they weigh is in *ret_weight. If not even
 * the root may, it is a share that no other node has.
 */
double flame_census_share(const struct flame_census *census, unsigned int rest_weight,
			  uint64_t limit, uint64_t *ret_weight);
