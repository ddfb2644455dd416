/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/differential.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "user/base/err.h"

void differential_free(struct differential *d)
{
	if (!d)
		return;
	calltree_free(d->tree);
	free(d->changes);
	free(d);
}

static double self_of(const struct differential_side *side, uint32_t node)
{
	int64_t self = side->tree->nodes[node].self;

	return self > 0 ? self * side->scale : 0;
}

static void add_up(struct differential *d)
{
	size_t i;

	for (i = d->tree->n_nodes; i--;) {
		struct svg_change *change = &d->changes[i];

		change->before += change->self_before;
		change->after += change->self_after;
		if (i) {
			d->changes[d->tree->nodes[i].parent].before += change->before;
			d->changes[d->tree->nodes[i].parent].after += change->after;
		}
	}
}

/* The last thing: totals of widths are sums of whole numbers, as the layout needs them. */
static void measure(struct differential *d)
{
	double most = fmax(d->changes[0].before, d->changes[0].after);
	double factor = most > 0 ? DIFFERENTIAL_FULL_WIDTH / most : 0;
	size_t i;

	for (i = d->tree->n_nodes; i--;) {
		struct calltree_node *node = &d->tree->nodes[i];
		struct svg_change *change = &d->changes[i];

		change->is_vanished = change->after == 0 && change->before > 0;
		node->self = llround(
			factor * (change->is_vanished ? change->self_before : change->self_after));
		node->total += node->self;
		if (i)
			d->tree->nodes[node->parent].total += node->total;
	}
	/* Nothing after at all is no frame that vanished below another. */
	d->changes[0].is_vanished = false;
}

static void judge_all(struct differential *d, differential_judge judge, void *arg)
{
	size_t i;

	for (i = 0; i < d->tree->n_nodes; i++) {
		const struct calltree_node *node = &d->tree->nodes[i];
		struct svg_change *change = &d->changes[i];

		/* Node 0, and process or thread names right above it. */
		change->is_function =
			node->depth > 1 || (node->depth == 1 && node->kind != FRAME_SYNTHETIC);
		change->p = NAN;
		if (judge && change->is_function)
			change->is_significant = judge(arg, calltree_name(d->tree, i),
						       calltree_module(d->tree, i), &change->p);
	}
	d->is_judged = judge;
}

int differential_new(const struct differential_side *before, const struct differential_side *after,
		     differential_judge judge, void *arg, struct differential **ret)
{
	_cleanup_(differential_freep) struct differential *d = calloc(1, sizeof(*d));
	_cleanup_(freep) uint32_t *of_before = NULL, *of_after = NULL;
	size_t i;
	int err;

	if (!(before->scale > 0) || !(after->scale > 0) || isinf(before->scale) ||
	    isinf(after->scale))
		return errf(-EINVAL, "profiles are compared by scales above 0, not %g and %g",
			    before->scale, after->scale);
	if (!d)
		return errf(-ENOMEM, "no memory to compare two call trees");
	err = calltree_join(after->tree, before->tree, &d->tree, &of_after, &of_before);
	if (err)
		return err;
	d->changes = calloc(d->tree->n_nodes, sizeof(*d->changes));
	if (!d->changes)
		return errf(-ENOMEM, "no memory to compare %zu frames", d->tree->n_nodes);
	for (i = 0; i < before->tree->n_nodes; i++)
		d->changes[of_before[i]].self_before += self_of(before, i);
	for (i = 0; i < after->tree->n_nodes; i++)
		d->changes[of_after[i]].self_after += self_of(after, i);
	add_up(d);
	if (!isfinite(d->changes[0].before) || !isfinite(d->changes[0].after))
		return errf(-EOVERFLOW, "scales of %g and %g are too large", before->scale,
			    after->scale);
	measure(d);
	judge_all(d, judge, arg);
	*ret = take(d);
	return 0;
}

int differential_write(const struct differential *d, double min_share,
		       const struct svg_options *options, FILE *out)
{
	_cleanup_(flame_layout_freep) struct flame_layout *layout = NULL;
	const struct svg_delta delta = { .changes = d->changes, .is_judged = d->is_judged };
	struct svg_options with_delta = *options;
	int err = flame_layout_new_bounded(d->tree, min_share, &layout);

	if (err)
		return err;
	with_delta.delta = &delta;
	if (!with_delta.title)
		with_delta.title = "Differential Flame Graph";
	return svg_write(layout, &with_delta, out);
}
