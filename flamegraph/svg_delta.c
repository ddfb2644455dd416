/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/svg_delta.h"

#include <math.h>

#include "flamegraph/amount.h"

const uint32_t svg_delta_less[SVG_DELTA_SHADES] = { 0xdeebf7, 0xb9d8f0, 0x8fc1ea, 0x66a9e2 };
const uint32_t svg_delta_more[SVG_DELTA_SHADES] = { 0xfde3d3, 0xfcc3a1, 0xfaa274, 0xf5844f };

static const double from_share[SVG_DELTA_SHADES] = { 0.001, 0.01, 0.03, 0.1 };

uint32_t svg_delta_color(const struct svg_delta *delta, uint32_t node)
{
	const struct svg_change *change = &delta->changes[node], *all = &delta->changes[0];
	double difference = change->self_after - change->self_before;
	double share = fabs(difference) / fmax(all->before, all->after);
	int shade = SVG_DELTA_SHADES;

	if (!change->is_function || (delta->is_judged && !change->is_significant))
		return SVG_DELTA_GREY;
	while (shade && !(share >= from_share[shade - 1]))
		shade--;
	/* What is significant is never without a colour: a function may change in many places. */
	if (!shade && delta->is_judged && difference != 0)
		shade = 1;
	if (!shade)
		return SVG_DELTA_SAME;
	return difference < 0 ? svg_delta_less[shade - 1] : svg_delta_more[shade - 1];
}

struct writer {
	const char *unit, *value;
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
		w->err = amount_add_real(w->out, w->unit, w->value, v);
}

static void put_difference(struct writer *w, double before, double after)
{
	double percent = before > 0 ? 100 * (after - before) / before : NAN;

	put(w, after < before ? "-" : "+");
	put_amount(w, fabs(after - before));
	if (!w->err && percent < 1e6)
		w->err = str_addf(w->out, " (%+.2f%%)", percent);
}

static void put_sides(struct writer *w, double before, double after)
{
	put_amount(w, before);
	put(w, " before, ");
	put_amount(w, after);
	put(w, " after");
	if (before == after)
		return;
	put(w, ", ");
	put_difference(w, before, after);
}

static void put_verdict(struct writer *w, const struct svg_change *change)
{
	put(w, change->is_significant ? "; significant" : "; not significant");
	if (w->err || isnan(change->p))
		return;
	if (change->p < 0.0001)
		put(w, ", p < 0.0001");
	else
		w->err = str_addf(w->out, ", p = %.2g", change->p);
}

int svg_delta_describe(const struct svg_delta *delta, uint32_t node, const char *unit,
		       const char *value, struct str *out)
{
	struct writer w = { .unit = unit, .value = value, .out = out };
	const struct svg_change *change = &delta->changes[node];

	if (change->is_vanished)
		put(&w, "gone: ");
	put_sides(&w, change->before, change->after);
	if ((change->self_before > 0 || change->self_after > 0) &&
	    (change->self_before != change->before || change->self_after != change->after)) {
		put(&w, "; itself ");
		put_sides(&w, change->self_before, change->self_after);
	}
	if (change->is_function && delta->is_judged)
		put_verdict(&w, change);
	return w.err;
}

int svg_delta_describe_hidden(const struct svg_delta *delta, const struct flame_layout *layout,
			      const struct flame_box *box, const char *unit, const char *value,
			      struct str *out)
{
	struct writer w = { .unit = unit, .value = value, .out = out };
	const struct calltree_node *nodes = layout->tree->nodes;
	uint32_t child = nodes[layout->boxes[box->parent].node].first_child;
	double before = 0, after = 0;

	for (; child != PROFILE_NONE; child = nodes[child].next) {
		if (!flame_is_narrow(layout, child))
			continue;
		before += delta->changes[child].before;
		after += delta->changes[child].after;
	}
	put_sides(&w, before, after);
	return w.err;
}
