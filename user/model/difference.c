/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/difference.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/keyset.h"
#include "user/base/saturate.h"
#include "user/base/str.h"
#include "user/model/view.h"

/* Strings in 'names', which both sides share. */
struct function_key {
	uint32_t name, module;
};

struct amounts {
	int64_t self, total, samples;
	uint32_t kind;
};

/* One side while it is counted. */
struct side {
	const struct difference_input *in;
	struct keyset functions; /* of struct function_key */
	uint32_t *function_of;	 /* frame -> function */
	struct amounts *amounts; /* of each function */
	uint32_t *met;		 /* function -> sample, + 1, that was found to have it */
	uint32_t *row_of;	 /* function -> row, KEYSET_NONE so far */
};

void difference_free(struct difference *d)
{
	if (!d)
		return;
	strtab_release(&d->names);
	keyset_release(&d->functions);
	free(d->row_of);
	free(d->order);
	free(d->rows);
	free(d);
}

static void side_release(struct side *s)
{
	keyset_release(&s->functions);
	free(s->function_of);
	free(s->amounts);
	free(s->met);
	free(s->row_of);
}

/* --- one side -------------------------------------------------------------------------------- */

static int name_frames(struct side *s, struct strtab *names)
{
	const struct profile *p = s->in->profile;
	_cleanup_(str_release) struct str text = { 0 };
	uint32_t i;
	int err = 0;

	for (i = 0; err >= 0 && i < p->frames.n; i++) {
		const struct profile_frame *frame = profile_frame_at(p, i);
		const char *module = profile_frame_module(p, frame);
		struct function_key key;

		str_clear(&text);
		err = view_frame_name(p, frame, &text);
		if (!err)
			err = strtab_add(names, str_text(&text), &key.name);
		str_clear(&text);
		if (!err)
			err = str_add_clean(&text, module, strlen(module), 0);
		if (!err)
			err = strtab_add(names, str_text(&text), &key.module);
		if (!err)
			err = keyset_add(&s->functions, &key, &s->function_of[i]);
	}
	return err < 0 ? err : 0;
}

/* Names of processes stand at the root and are no functions. */
static bool is_function(const struct profile *p, const struct profile_node *node)
{
	return node->parent != PROFILE_NONE ||
	       profile_frame_at(p, node->frame)->kind != FRAME_SYNTHETIC;
}

static void count_sample(struct side *s, uint32_t sample, struct difference *d,
			 enum difference_side side)
{
	const struct profile *p = s->in->profile;
	const int64_t *values = profile_values_at(p, sample);
	int64_t v = values[s->in->value];
	bool is_counted = s->in->samples != DIFFERENCE_NO_VALUE;
	int64_t n = is_counted && values[s->in->samples] > 0 ? values[s->in->samples] : 0;
	uint32_t at = profile_sample_at(p, sample)->node;
	bool is_leaf = true;

	d->negative[side] += v < 0;
	if (v <= 0)
		return;
	add_saturating(&d->all[side], v);
	add_saturating(&d->all_samples[side], n);
	for (; at != PROFILE_NONE; at = profile_node_at(p, at)->parent) {
		const struct profile_node *node = profile_node_at(p, at);
		uint32_t function = s->function_of[node->frame];
		struct amounts *amounts = &s->amounts[function];

		if (!is_function(p, node))
			continue;
		if (is_leaf) {
			add_saturating(&amounts->self, v);
			add_saturating(&amounts->samples, n);
		}
		is_leaf = false;
		amounts->kind = profile_frame_at(p, node->frame)->kind;
		if (s->met[function] == sample + 1)
			continue;
		s->met[function] = sample + 1;
		add_saturating(&amounts->total, v);
	}
	if (is_leaf)
		add_saturating(&d->stackless[side], v);
}

static int count(struct side *s, struct difference *d, enum difference_side side)
{
	const struct profile *p = s->in->profile;
	uint32_t i;
	int err;

	keyset_init(&s->functions, sizeof(struct function_key));
	s->function_of = calloc(p->frames.n + 1, sizeof(*s->function_of));
	if (!s->function_of)
		return -ENOMEM;
	err = name_frames(s, &d->names);
	if (err)
		return err;
	s->amounts = calloc(s->functions.n + 1, sizeof(*s->amounts));
	s->met = calloc(s->functions.n + 1, sizeof(*s->met));
	s->row_of = array_of_none(s->functions.n);
	if (!s->amounts || !s->met || !s->row_of)
		return -ENOMEM;
	for (i = 0; i < p->samples.n; i++)
		count_sample(s, i, d, side);
	d->duration_ns[side] = p->duration_ns;
	return 0;
}

/* --- which are the same ---------------------------------------------------------------------- */

#define TWO_OF_THAT_NAME (KEYSET_NONE - 1)

/*
 * By the number of a name: the side's one function of that name in modules that 'other' does not
 * have, or TWO_OF_THAT_NAME. Frames that no stack has are no functions. NULL without memory.
 */
static uint32_t *find_lone(const struct side *s, const struct side *other, uint32_t n_names)
{
	_cleanup_(freep) bool *is_module = calloc(n_names + 1, sizeof(*is_module));
	uint32_t *lone = array_of_none(n_names);
	uint32_t i;

	if (!is_module || !lone) {
		free(lone);
		return NULL;
	}
	for (i = 0; i < other->functions.n; i++) {
		const struct function_key *key = keyset_key(&other->functions, i);

		is_module[key->module] |= other->met[i] != 0;
	}
	for (i = 0; i < s->functions.n; i++) {
		const struct function_key *key = keyset_key(&s->functions, i);

		if (!s->met[i] || is_module[key->module])
			continue;
		lone[key->name] = lone[key->name] == KEYSET_NONE ? i : TWO_OF_THAT_NAME;
	}
	return lone;
}

static void fill_row(struct difference *d, struct side *s, uint32_t function,
		     enum difference_side side, uint32_t number)
{
	const struct function_key *key = keyset_key(&s->functions, function);
	struct difference_row *row = &d->rows[number];

	row->function = strtab_get(&d->names, key->name);
	row->module = strtab_get(&d->names, key->module);
	if (side == DIFFERENCE_BEFORE)
		row->module_before = row->module;
	row->kind = s->amounts[function].kind;
	row->self[side] = s->amounts[function].self;
	row->total[side] = s->amounts[function].total;
	row->samples[side] = s->amounts[function].samples;
	row->is_there[side] = true;
	row->p = NAN;
	s->row_of[function] = number;
}

static uint32_t find_same(const struct side *from, const struct side *in, uint32_t function,
			  const uint32_t *lone_from, const uint32_t *lone_in)
{
	const struct function_key *key = keyset_key(&from->functions, function);
	uint32_t same = keyset_find(&in->functions, key);

	if (same != KEYSET_NONE && in->met[same])
		return same;
	same = lone_from[key->name] == function ? lone_in[key->name] : KEYSET_NONE;
	return same == TWO_OF_THAT_NAME ? KEYSET_NONE : same;
}

static int match(struct difference *d, struct side *before, struct side *after)
{
	_cleanup_(freep) uint32_t *lone_before = find_lone(before, after, d->names.n);
	_cleanup_(freep) uint32_t *lone_after = find_lone(after, before, d->names.n);
	uint32_t i;

	d->rows = calloc(before->functions.n + after->functions.n + 1, sizeof(*d->rows));
	if (!lone_before || !lone_after || !d->rows)
		return -ENOMEM;
	for (i = 0; i < before->functions.n; i++) {
		uint32_t same;

		if (!before->met[i])
			continue;
		fill_row(d, before, i, DIFFERENCE_BEFORE, d->n);
		same = find_same(before, after, i, lone_before, lone_after);
		if (same != KEYSET_NONE)
			fill_row(d, after, same, DIFFERENCE_AFTER, d->n);
		d->n++;
	}
	for (i = 0; i < after->functions.n; i++) {
		if (after->met[i] && after->row_of[i] == KEYSET_NONE)
			fill_row(d, after, i, DIFFERENCE_AFTER, d->n++);
	}
	return 0;
}

static int index_side(struct difference *d, const struct side *s)
{
	uint32_t i, number;

	for (i = 0; i < s->functions.n; i++) {
		if (s->row_of[i] == KEYSET_NONE)
			continue;
		if (keyset_add(&d->functions, keyset_key(&s->functions, i), &number) < 0)
			return -ENOMEM;
		d->row_of[number] = s->row_of[i];
	}
	return 0;
}

/* One function may be known by two modules, those before and after. */
static int make_index(struct difference *d, const struct side *before, const struct side *after)
{
	size_t i;
	int err;

	d->row_of = calloc(before->functions.n + after->functions.n + 1, sizeof(*d->row_of));
	d->order = calloc(d->n + 1, sizeof(*d->order));
	if (!d->row_of || !d->order)
		return -ENOMEM;
	for (i = 0; i < d->n; i++)
		d->order[i] = &d->rows[i];
	err = index_side(d, before);
	return err ? err : index_side(d, after);
}

static int build(struct difference *d, struct side *before, struct side *after)
{
	int err = strtab_init(&d->names);

	keyset_init(&d->functions, sizeof(struct function_key));
	if (!err)
		err = count(before, d, DIFFERENCE_BEFORE);
	if (!err)
		err = count(after, d, DIFFERENCE_AFTER);
	if (!err)
		err = match(d, before, after);
	return err ? err : make_index(d, before, after);
}

int difference_new(const struct difference_input *before, const struct difference_input *after,
		   struct difference **ret)
{
	_cleanup_(difference_freep) struct difference *d = calloc(1, sizeof(*d));
	struct side b = { .in = before }, a = { .in = after };
	int err = d ? build(d, &b, &a) : -ENOMEM;

	side_release(&b);
	side_release(&a);
	if (err)
		return errf(err, "cannot compare %zu stacks with %zu: %s",
			    before->profile->samples.n, after->profile->samples.n, strerror(-err));
	d->scale[DIFFERENCE_BEFORE] = d->scale[DIFFERENCE_AFTER] = 1;
	difference_sort(d, false);
	*ret = take(d);
	return 0;
}

/* --- scales and order ------------------------------------------------------------------------ */

int difference_set_scale(struct difference *d, enum difference_scale scale)
{
	int i;

	if (scale == DIFFERENCE_SECOND &&
	    (!d->duration_ns[DIFFERENCE_BEFORE] || !d->duration_ns[DIFFERENCE_AFTER]))
		return errf(-ENODATA, "how long it was recorded is not known %s",
			    !d->duration_ns[DIFFERENCE_BEFORE] ? "of what was before"
							       : "of what is after");
	for (i = 0; i < DIFFERENCE_SIDES; i++) {
		d->scale[i] = 1;
		if (scale == DIFFERENCE_SHARE && d->all[i])
			d->scale[i] = 1 / (double)d->all[i];
		if (scale == DIFFERENCE_SECOND)
			d->scale[i] = 1e9 / (double)d->duration_ns[i];
	}
	return 0;
}

/* Of either side: a few times what two roundings may add. */
#define ROUNDING 1e-14

double difference_delta(const struct difference *d, const int64_t values[DIFFERENCE_SIDES])
{
	double before = difference_amount(d, values, DIFFERENCE_BEFORE);
	double after = difference_amount(d, values, DIFFERENCE_AFTER);

	return fabs(after - before) <= ROUNDING * fmax(before, after) ? 0 : after - before;
}

double difference_growth(const struct difference *d, const int64_t values[DIFFERENCE_SIDES])
{
	if (!values[DIFFERENCE_BEFORE])
		return NAN;
	return difference_delta(d, values) / difference_amount(d, values, DIFFERENCE_BEFORE);
}

struct order {
	const struct difference *d;
	bool by_total;
};

static int larger_first(double x, double y)
{
	return (fabs(x) < fabs(y)) - (fabs(x) > fabs(y));
}

static int compare_rows(const void *x, const void *y, void *arg)
{
	const struct difference_row *a = *(const struct difference_row *const *)x;
	const struct difference_row *b = *(const struct difference_row *const *)y;
	const struct order *o = arg;
	int self = larger_first(difference_delta(o->d, a->self), difference_delta(o->d, b->self));
	int total =
		larger_first(difference_delta(o->d, a->total), difference_delta(o->d, b->total));
	int order = o->by_total ? total : self;

	if (!order)
		order = o->by_total ? self : total;
	if (!order)
		order = strcmp(a->function, b->function);
	return order ? order : strcmp(a->module, b->module);
}

void difference_sort(struct difference *d, bool by_total)
{
	struct order order = { .d = d, .by_total = by_total };

	if (d->n)
		qsort_r(d->order, d->n, sizeof(*d->order), compare_rows, &order);
}

struct difference_row *difference_find(const struct difference *d, const char *function,
				       const char *module)
{
	struct function_key key = { .name = strtab_find(&d->names, function),
				    .module = strtab_find(&d->names, module) };
	uint32_t number = keyset_find(&d->functions, &key);

	return number == KEYSET_NONE ? NULL : &d->rows[d->row_of[number]];
}

double difference_weight(const struct difference *d, const struct difference_row *row)
{
	double all = difference_amount(d, d->all, DIFFERENCE_BEFORE);

	return all > 0 ? difference_delta(d, row->self) / all : NAN;
}
