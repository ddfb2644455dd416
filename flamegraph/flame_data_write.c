/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "flamegraph/flame_census.h"
#include "flamegraph/flame_data.h"
#include "flamegraph/flame_kept.h"
#include "flamegraph/flame_numbers.h"
#include "flamegraph/flame_pack.h"
#include "user/base/err.h"
#include "user/base/json_parts.h"

/* More nodes take more than the budget even of trees that compress best. */
#define WHOLE_NODES 2200000

/*
 * What a node takes, in bytes of text, before it is known: it is less in trees with many equal
 * branches, more in small parts of large ones. A rest takes as much as three nodes, as it has
 * values that are all different.
 */
#define NODE_BYTES  1.3
#define REST_WEIGHT 3
#define NAME_BYTES  0.45 /* of each byte of the names */
#define FRAME_BYTES 10	 /* of each frame besides its name */

/* One attempt at a share. */
struct attempt {
	const struct flame_tree *tree;
	const struct flame_data_options *options;
	const struct flame_census *census; /* NULL: all is kept */
	size_t max_rest_frames;		   /* that are kept nowhere */
	size_t n_rest_frames, n_unlisted;  /* of those: that have a number, that have none */
	uint64_t largest_unlisted;	   /* weight of its stacks */
	struct flame_kept *kept;
	struct flame_numbers *numbers;
	struct flame_section sections[FLAME_N_SECTIONS];
};

static void attempt_release(struct attempt *a)
{
	size_t i;

	if (a->kept)
		flame_kept_free(a->kept);
	if (a->numbers)
		flame_numbers_free(a->numbers);
	for (i = 0; i < FLAME_N_SECTIONS; i++) {
		str_release(&a->sections[i].raw);
		str_release(&a->sections[i].text);
	}
}

/* --- frames in rests -----------------------------------------------------------------------------
 */

static bool is_in_rest(const struct attempt *a, uint32_t frame)
{
	return a->census && a->census->frames[frame].n_nodes > a->kept->frames[frame].n_nodes;
}

/* What a frame takes, now or before. */
static uint64_t weight_of(const struct flame_census *census, uint32_t frame)
{
	const struct flame_frame_sum *sum = &census->frames[frame];

	return sum->inside > sum->inside_before ? sum->inside : sum->inside_before;
}

static int by_weight(const void *a, const void *b, void *arg)
{
	const struct attempt *attempt = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	uint64_t v = weight_of(attempt->census, x), w = weight_of(attempt->census, y);

	return v != w ? (v < w) - (v > w) : flame_frame_compare(attempt->tree, x, y);
}

/*
 * Frames that are not kept anywhere have to get numbers, too. If there are so many of them that
 * their names leave no room, the smallest are not listed.
 */
static int number_rest_frames(struct attempt *a)
{
	_cleanup_(freep) uint32_t *frames = calloc(a->tree->n_frames + 1, sizeof(*frames));
	size_t n = 0;
	uint32_t i;

	if (!frames)
		return -ENOMEM;
	for (i = 0; i < a->tree->n_frames; i++) {
		if (a->numbers->of[i] == PROFILE_NONE && is_in_rest(a, i))
			frames[n++] = i;
	}
	if (n > a->max_rest_frames) {
		qsort_r(frames, n, sizeof(*frames), by_weight, a);
		a->n_unlisted = n - a->max_rest_frames;
		n = a->max_rest_frames;
		a->largest_unlisted = weight_of(a->census, frames[n]);
	}
	a->n_rest_frames = n;
	flame_numbers_add(a->numbers, frames, n);
	return 0;
}

/* Sums that were saturated do not add up; what cannot be is nothing. */
static uint64_t difference(uint64_t all, uint64_t kept)
{
	return all > kept && all <= INT64_MAX ? all - kept : 0;
}

static int add_rest_frame(struct attempt *a, uint32_t frame, uint32_t step)
{
	const struct flame_frame_sum *all = &a->census->frames[frame];
	const struct flame_frame_sum *kept = &a->kept->frames[frame];
	struct str *out = &a->sections[FLAME_REST_FRAMES].raw;
	int err = flame_add_varint(out, step);

	if (!err)
		err = flame_add_varint(out, difference(all->inside, kept->inside));
	if (!err)
		err = flame_add_varint(out, difference(all->self, kept->self));
	if (!err && a->tree->before)
		err = flame_add_varint(out, difference(all->inside_before, kept->inside_before));
	if (!err && a->tree->before)
		err = flame_add_varint(out, difference(all->self_before, kept->self_before));
	return err;
}

static int add_rest_frames(struct attempt *a)
{
	uint32_t last = 0, i;
	int err = 0;

	for (i = 0; i < a->numbers->n && !err; i++) {
		if (!is_in_rest(a, a->numbers->frames[i]))
			continue;
		err = add_rest_frame(a, a->numbers->frames[i], i - last);
		last = i;
	}
	return err;
}

/* --- time ----------------------------------------------------------------------------------------
 */

static int add_time(struct attempt *a)
{
	const struct flame_time *time = a->options->time;
	struct str *out = &a->sections[FLAME_TIME].raw;
	uint64_t last = 0;
	size_t i;
	int err = 0;

	for (i = 0; time && i < time->n && !err; i++) {
		const struct flame_moment *m = &time->moments[i];

		if (m->slot < last || m->node >= a->tree->n_nodes)
			return errf(-EINVAL, "samples are not in the order of time");
		err = flame_add_varint(out, m->slot - last);
		if (!err)
			err = flame_add_varint(out, a->kept->places[m->node]);
		if (!err)
			err = flame_add_varint(out, m->value > 0 ? m->value : 0);
		last = m->slot;
	}
	return err;
}

static json_t *time_json(const struct flame_time *time)
{
	uint64_t slots = time->n ? time->moments[time->n - 1].slot + 1 : 0;

	return json_pack("{s:o, s:o, s:o}", "slot_ns", json_part_count(time->slot_ns), "slots",
			 json_part_count(slots), "start_ns", json_part_count(time->start_ns));
}

/* --- header --------------------------------------------------------------------------------------
 */

static json_t *provenance_json(const struct flame_data_options *o)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; list && i < o->n_provenance; i++) {
		json_t *pair = json_pack("[o, o]", json_part_text(o->provenance[i][0]),
					 json_part_text(o->provenance[i][1]));

		if (json_array_append_new(list, pair)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Of the frames of which something is known. */
static json_t *verdicts_json(const struct attempt *a)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; list && i < a->numbers->n; i++) {
		const struct flame_verdict *v = &a->tree->verdicts[a->numbers->frames[i]];
		json_t *one;

		if (isnan(v->p) && !v->is_significant)
			continue;
		one = json_pack("[o, o, i]", json_part_count(i), json_part_number(v->p),
				(int)v->is_significant);
		if (json_array_append_new(list, one)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *tree_json(const struct attempt *a)
{
	int64_t all = a->tree->nodes[0].value;
	int64_t total = a->options->total > all ? a->options->total : all;

	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:b, s:b}", "nodes",
			 json_part_count(a->kept->n), "frames", json_part_count(a->numbers->n),
			 "all_nodes", json_part_count(a->tree->n_nodes), "total",
			 json_part_count(total), "chart", (int)a->tree->is_chart, "icicle",
			 (int)a->options->is_icicle, "negate", (int)a->options->is_negated);
}

/* What there is only of some trees; 0 or -1. */
static int add_more(const struct attempt *a, json_t *header)
{
	const struct flame_data_options *o = a->options;
	int err = 0;

	if (a->tree->before) {
		err |= json_object_set_new(header, "scales",
					   json_pack("[o, o]",
						     json_part_number(a->tree->scale_before),
						     json_part_number(a->tree->scale_after)));
		err |= json_object_set_new(header, "delta_by",
					   json_part_text(o->delta_by ? o->delta_by : "value"));
	}
	if (a->n_unlisted)
		err |= json_object_set_new(header, "unlisted",
					   json_pack("{s:o, s:o}", "frames",
						     json_part_count(a->n_unlisted), "inside",
						     json_part_count(a->largest_unlisted)));
	if (a->tree->verdicts)
		err |= json_object_set_new(header, "verdicts", verdicts_json(a));
	if (o->time)
		err |= json_object_set_new(header, "time", time_json(o->time));
	return err;
}

static int add_header(struct attempt *a)
{
	const struct flame_data_options *o = a->options;
	json_t *header = json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", "fathom.flame/1", "title",
		json_part_text(o->title), "subtitle", json_part_text(o->subtitle), "value",
		json_part_text(o->value), "unit", json_part_text(o->unit), "count_name",
		json_part_text(o->count_name), "name_type", json_part_text(o->name_type));
	json_t *tree = tree_json(a);
	char *text = NULL;
	int err = -ENOMEM;

	if (header && tree && !json_object_update(header, tree) &&
	    !json_object_set_new(header, "provenance", provenance_json(o)) && !add_more(a, header))
		text = json_dumps(header, JSON_COMPACT);
	if (text)
		err = str_add(&a->sections[FLAME_HEADER].raw, text);
	free(text);
	json_decref(header);
	json_decref(tree);
	return err;
}

/* --- attempts ------------------------------------------------------------------------------------
 */

/* Both are ours to change: what was made section by section becomes a section's bytes. */
static void move(struct str *from, struct str *to)
{
	*to = *from;
	*from = (struct str){ 0 };
}

static int fill_sections(struct attempt *a, double share)
{
	struct flame_section *s = a->sections;
	int err = flame_kept_new(a->tree, share, a->census, a->options->time, &a->kept);

	if (err)
		return err;
	err = flame_numbers_new(a->tree, a->kept, &s[FLAME_EDGES].raw, &a->numbers);
	if (err)
		return err;
	move(&a->kept->shape, &s[FLAME_SHAPE].raw);
	move(&a->kept->self, &s[FLAME_SELF].raw);
	move(&a->kept->before, &s[FLAME_BEFORE].raw);
	move(&a->kept->leads, &s[FLAME_LEADS].raw);
	move(&a->kept->rests, &s[FLAME_RESTS].raw);
	if (a->census)
		err = number_rest_frames(a);
	if (!err && a->census)
		err = add_rest_frames(a);
	if (!err)
		err = flame_numbers_write(a->numbers, a->options->colors, &s[FLAME_NAMES].raw,
					  &s[FLAME_MODULES].raw, &s[FLAME_FRAMES].raw);
	if (!err)
		err = add_time(a);
	if (!err)
		err = add_header(a);
	return err == -ENOMEM ? errf(err, "no memory for the data of a flame graph") : err;
}

/* Bytes of text. What the number of nodes has no part in is 'fixed'. */
struct sizes {
	size_t all, fixed;
};

static struct sizes sizes_of(const struct attempt *a)
{
	struct sizes sizes = { 0 };
	size_t i;

	for (i = 0; i < FLAME_N_SECTIONS; i++) {
		if (i == FLAME_TIME)
			continue;
		sizes.all += a->sections[i].text.len;
		if (i <= FLAME_FRAMES || i == FLAME_REST_FRAMES)
			sizes.fixed += a->sections[i].text.len;
	}
	return sizes;
}

static int attempt(struct attempt *a, double share)
{
	size_t i;
	int err;

	for (i = 0; i < FLAME_N_SECTIONS; i++)
		a->sections[i].name = flame_section_names[i];
	err = fill_sections(a, share);
	return err ? err : flame_pack(a->sections, FLAME_N_SECTIONS);
}

static int append(const struct attempt *a, struct str *out)
{
	size_t i;

	for (i = 0; i < FLAME_N_SECTIONS; i++) {
		const struct str *text = &a->sections[i].text;

		if (text->len && str_add_bytes(out, text->data, text->len))
			return errf(-ENOMEM, "no memory for the data of a flame graph");
	}
	return 0;
}

/* Attempts with fewer and fewer nodes, until they fit or the root is alone. */
struct search {
	const struct flame_tree *tree;
	struct flame_census *census;
	double share;
	uint64_t weight; /* of what is to be kept */
	size_t max_rest_frames;
	double margin;
};

/* Names may have this part of the budget. */
#define FIXED_SHARE 0.5

static int next_share(struct search *s, double room, double node_bytes)
{
	uint64_t limit = room > 0 ? room / node_bytes : 0;
	int err = 0;

	if (limit >= s->weight)
		limit = s->weight - 1;
	if (!s->census)
		err = flame_census_new(s->tree, &s->census);
	if (!err)
		s->share = flame_census_share(s->census, REST_WEIGHT, limit, &s->weight);
	return err;
}

/* What is fixed after as many frames as there is room for are left in the list. */
static double bound_fixed(struct search *s, double budget, double fixed, size_t n_frames)
{
	double most = budget * FIXED_SHARE;

	if (fixed <= most)
		return fixed;
	s->max_rest_frames = n_frames * (most / fixed);
	return most;
}

static int guess_share(struct search *s, size_t budget)
{
	double fixed = s->tree->names.len * NAME_BYTES + s->tree->n_frames * FRAME_BYTES;

	return next_share(s, budget - bound_fixed(s, budget, fixed, s->tree->n_frames), NODE_BYTES);
}

static int lower_share(struct search *s, size_t budget, const struct attempt *a)
{
	struct sizes sizes = sizes_of(a);
	double node_bytes = (double)(sizes.all - sizes.fixed) / s->weight;
	/* If all is kept now, any frame may be in a rest then. */
	size_t n = a->census ? a->n_rest_frames : a->tree->n_frames;

	/* Fewer nodes take more bytes each. */
	s->margin *= 0.95;
	return next_share(s, budget * s->margin - bound_fixed(s, budget, sizes.fixed, n),
			  node_bytes);
}

static bool is_last(const struct search *s, const struct attempt *a)
{
	return s->weight <= 1 && !a->n_rest_frames;
}

static int search(struct search *s, const struct flame_data_options *options, struct str *out)
{
	for (;;) {
		_cleanup_(attempt_release) struct attempt a = {
			.tree = s->tree,
			.options = options,
			.census = s->share > 0 ? s->census : NULL,
			.max_rest_frames = s->max_rest_frames,
		};
		int err = attempt(&a, s->share);

		if (err)
			return err;
		if (!options->budget || sizes_of(&a).all <= options->budget || is_last(s, &a))
			return append(&a, out);
		err = lower_share(s, options->budget, &a);
		if (err)
			return err;
	}
}

int flame_data_add(const struct flame_tree *tree, const struct flame_data_options *options,
		   struct str *out)
{
	struct search s = {
		.tree = tree,
		.weight = tree->n_nodes,
		.max_rest_frames = SIZE_MAX,
		.margin = 1,
	};
	int err = 0;

	if (options->budget && tree->n_nodes > WHOLE_NODES)
		err = guess_share(&s, options->budget);
	if (!err)
		err = search(&s, options, out);
	if (s.census)
		flame_census_free(s.census);
	return err;
}
