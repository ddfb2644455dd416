/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/delta.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "flamegraph/amount.h"
#include "user/base/err.h"
#include "user/model/profile.h"

const uint32_t delta_less[DELTA_SHADES] = { 0xdeebf7, 0xb9d8f0, 0x8fc1ea, 0x66a9e2 };
const uint32_t delta_more[DELTA_SHADES] = { 0xfde3d3, 0xfcc3a1, 0xfaa274, 0xf5844f };

static const double from_share[DELTA_SHADES] = { 0.001, 0.01, 0.03, 0.1 };
static const double from_percent[DELTA_SHADES] = { 0.01, 0.05, 0.2, 0.5 };
#define OUTLINE_FROM 0.01 /* of everything */

/* One frame, both sides measured alike. */
struct change {
	double before, after;
};

static struct change change_of(const struct flame_tree *tree, uint32_t node)
{
	return (struct change){ tree->before[node] * tree->scale_before,
				tree->nodes[node].value * tree->scale_after };
}

static struct change own_change(const struct flame_tree *tree, uint32_t node)
{
	return (struct change){ flame_tree_self_before(tree, node) * tree->scale_before,
				flame_tree_self(tree, node) * tree->scale_after };
}

static double whole(const struct flame_tree *tree)
{
	struct change all = change_of(tree, 0);

	return fmax(all.before, all.after);
}

/* Not all of it, nor a process's or thread's name right above it. */
static bool is_function(const struct flame_tree *tree, uint32_t node)
{
	return node &&
	       (tree->nodes[node].parent || flame_frame_of(tree, node)->kind != FRAME_SYNTHETIC);
}

static const struct flame_verdict *verdict_of(const struct flame_tree *tree, uint32_t node)
{
	return &tree->verdicts[tree->nodes[node].frame];
}

static bool is_noise(const struct flame_tree *tree, uint32_t node)
{
	return tree->verdicts && !verdict_of(tree, node)->is_significant;
}

int delta_init(struct delta *delta, const struct flame_tree *tree)
{
	size_t i;

	*delta = (struct delta){ .tree = tree };
	if (!tree->verdicts)
		return 0;
	delta->significant = calloc(tree->n_nodes, sizeof(*delta->significant));
	if (!delta->significant)
		return errf(-ENOMEM, "no memory to compare %zu frames", tree->n_nodes);
	for (i = tree->n_nodes; --i;) {
		struct change own = own_change(tree, i);

		if (is_function(tree, i) && !is_noise(tree, i))
			delta->significant[i] += own.after - own.before;
		delta->significant[tree->nodes[i].parent] += delta->significant[i];
	}
	return 0;
}

void delta_release(struct delta *delta)
{
	free(delta->significant);
	delta->significant = NULL;
}

/* --- colours ------------------------------------------------------------------------------- */

/* 0: none, or 1 + the shade's number. */
static int shade_of(const struct delta *delta, struct change change)
{
	double difference = fabs(change.after - change.before);
	double of = delta->is_percent ? change.before : whole(delta->tree);
	const double *from = delta->is_percent ? from_percent : from_share;
	int shade = DELTA_SHADES;

	if (difference == 0)
		return 0;
	while (shade && difference < from[shade - 1] * of)
		shade--;
	return shade;
}

static bool is_less(const struct delta *delta, double difference)
{
	return (difference < 0) != delta->is_negated;
}

uint32_t delta_color(const struct delta *delta, uint32_t node)
{
	const struct flame_tree *tree = delta->tree;
	struct change own = own_change(tree, node);
	int shade = shade_of(delta, own);

	if (!is_function(tree, node) || is_noise(tree, node))
		return DELTA_GREY;
	/* What is significant is never without a colour: a function may change in many places. */
	if (!shade && tree->verdicts && own.after != own.before)
		shade = 1;
	if (!shade)
		return DELTA_SAME;
	return is_less(delta, own.after - own.before) ? delta_less[shade - 1]
						      : delta_more[shade - 1];
}

uint32_t delta_outline(const struct delta *delta, uint32_t node)
{
	const struct flame_tree *tree = delta->tree;
	struct change with_below = change_of(tree, node);
	double difference = delta->significant ? delta->significant[node]
					       : with_below.after - with_below.before;
	uint32_t color = delta_color(delta, node);

	if (!is_function(tree, node) || (color != DELTA_GREY && color != DELTA_SAME) ||
	    !(fabs(difference) > 0 && fabs(difference) >= OUTLINE_FROM * whole(tree)))
		return DELTA_NO_OUTLINE;
	return is_less(delta, difference) ? DELTA_LESS_OUTLINE : DELTA_MORE_OUTLINE;
}

/* --- texts --------------------------------------------------------------------------------- */

struct writer {
	const struct delta *delta;
	struct str *out;
	int err;
};

static void put(struct writer *w, const char *text)
{
	if (!w->err)
		w->err = str_add(w->out, text);
}

static void put_amount(struct writer *w, double v)
{
	if (!w->err)
		w->err = amount_add_real(w->out, w->delta->unit, w->delta->value, v);
}

static void put_difference(struct writer *w, struct change change)
{
	double percent =
		change.before > 0 ? 100 * (change.after - change.before) / change.before : NAN;

	put(w, change.after < change.before ? "-" : "+");
	put_amount(w, fabs(change.after - change.before));
	if (!w->err && percent < 1e6)
		w->err = str_addf(w->out, " (%+.2f%%)", percent);
}

static void put_sides(struct writer *w, struct change change)
{
	put_amount(w, change.before);
	put(w, " before, ");
	put_amount(w, change.after);
	put(w, " after");
	/* What is scaled is seldom the same to the last bit. */
	if (fabs(change.after - change.before) <= 1e-9 * fmax(change.before, change.after))
		return;
	put(w, ", ");
	put_difference(w, change);
}

static void put_verdict(struct writer *w, const struct flame_verdict *verdict)
{
	put(w, verdict->is_significant ? "\nsignificant" : "\nnot significant");
	if (w->err || isnan(verdict->p))
		return;
	if (verdict->p < 0.0001)
		put(w, ", p < 0.0001");
	else
		w->err = str_addf(w->out, ", p = %.2g", verdict->p);
}

int delta_describe(const struct delta *delta, uint32_t node, struct str *out)
{
	struct writer w = { .delta = delta, .out = out };
	struct change all = change_of(delta->tree, node), own = own_change(delta->tree, node);

	if (flame_is_vanished(delta->tree, node))
		put(&w, "gone: ");
	put_sides(&w, all);
	if ((own.before > 0 || own.after > 0) &&
	    (own.before != all.before || own.after != all.after)) {
		put(&w, "\nitself ");
		put_sides(&w, own);
	}
	if (is_function(delta->tree, node) && delta->tree->verdicts)
		put_verdict(&w, verdict_of(delta->tree, node));
	return w.err;
}

int delta_describe_hidden(const struct delta *delta, const struct flame_layout *layout,
			  const struct flame_box *box, struct str *out)
{
	struct writer w = { .delta = delta, .out = out };
	const struct flame_tree *tree = delta->tree;
	uint32_t child = tree->nodes[layout->boxes[box->parent].node].first_child;
	struct change sum = { 0 };

	for (; child != PROFILE_NONE; child = tree->nodes[child].next) {
		struct change one = change_of(tree, child);

		if (!flame_is_narrow(layout, child))
			continue;
		sum.before += one.before;
		sum.after += one.after;
	}
	put_sides(&w, sum);
	return w.err;
}

int delta_describe_side(const struct delta *delta, enum flame_side side, struct str *out)
{
	struct writer w = { .delta = delta, .out = out };
	struct change all = change_of(delta->tree, 0);

	if (side == FLAME_JOINED)
		put_sides(&w, all);
	else
		put_amount(&w, side == FLAME_BEFORE ? all.before : all.after);
	return w.err;
}
