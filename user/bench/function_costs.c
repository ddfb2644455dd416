/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/function_costs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/model/view.h"

/* While a profile is counted. */
struct counter {
	struct function_costs *c;
	const double *iterations;
	uint32_t *function_of;	 /* frame -> function */
	uint32_t *node_of;	 /* profile's node -> ours, PROFILE_NONE for what is no function */
	uint32_t *repetition_of; /* label set -> repetition, PROFILE_NONE until it is needed */
	bool *is_outermost;	 /* node: its function is not above it, too */
	uint32_t *samples;	 /* in the order of their repetitions, */
	size_t *starts;		 /* where the samples of each begin, and one more */
};

void function_costs_free(struct function_costs *c)
{
	if (!c)
		return;
	strtab_release(&c->names);
	keyset_release(&c->functions);
	keyset_release(&c->nodes);
	free(c->all);
	free(c->self);
	free(c->total);
	free(c->weights);
	free(c);
}

const char *function_costs_name(const struct function_costs *c, uint32_t function)
{
	const struct function_key *key = keyset_key(&c->functions, function);

	return strtab_get(&c->names, key->name);
}

const char *function_costs_module(const struct function_costs *c, uint32_t function)
{
	const struct function_key *key = keyset_key(&c->functions, function);

	return strtab_get(&c->names, key->module);
}

static void counter_release(struct counter *x)
{
	free(x->function_of);
	free(x->node_of);
	free(x->repetition_of);
	free(x->is_outermost);
	free(x->samples);
	free(x->starts);
}

static const struct cost_node *node_at(const struct function_costs *c, uint32_t i)
{
	return keyset_key(&c->nodes, i);
}

/* --- frames and nodes ------------------------------------------------------------------------ */

static int name_frames(struct counter *x)
{
	struct function_costs *c = x->c;
	_cleanup_(str_release) struct str text = { 0 };
	size_t i;
	int err = 0;

	for (i = 0; err >= 0 && i < c->p->frames.n; i++) {
		const struct profile_frame *frame = profile_frame_at(c->p, i);
		struct function_key key;

		str_clear(&text);
		err = view_frame_name(c->p, frame, &text);
		if (!err)
			err = strtab_add(&c->names, str_text(&text), &key.name);
		if (!err)
			err = strtab_add(&c->names, profile_frame_module(c->p, frame), &key.module);
		if (!err)
			err = keyset_add(&c->functions, &key, &x->function_of[i]);
	}
	return err < 0 ? err : 0;
}

static int merge_nodes(struct counter *x)
{
	struct function_costs *c = x->c;
	size_t i;

	for (i = 0; i < c->p->nodes.n; i++) {
		const struct profile_node *node = profile_node_at(c->p, i);
		struct cost_node key = { .parent = PROFILE_NONE };
		int err;

		/* Names of processes stand at the root and are no functions. */
		if (node->parent == PROFILE_NONE &&
		    profile_frame_at(c->p, node->frame)->kind == FRAME_SYNTHETIC)
			continue;
		if (node->parent != PROFILE_NONE && node->parent >= i)
			return errf(-EINVAL, "a profile has a frame before its caller's");
		if (node->parent != PROFILE_NONE)
			key.parent = x->node_of[node->parent];
		key.function = x->function_of[node->frame];
		err = keyset_add(&c->nodes, &key, &x->node_of[i]);
		if (err < 0)
			return err;
	}
	return 0;
}

/* A walk through the tree that knows how often each function is on the way: linear even if all of
 * it is one deep recursion. */
static int find_outermost(struct counter *x)
{
	const struct function_costs *c = x->c;
	_cleanup_(freep) uint32_t *first = array_of_none(c->nodes.n + 1);
	_cleanup_(freep) uint32_t *next = array_of_none(c->nodes.n + 1);
	_cleanup_(freep) uint32_t *active = calloc(c->functions.n + 1, sizeof(*active));
	const uint32_t root = c->nodes.n; /* above all roots */
	uint32_t i, at = root;

	if (!first || !next || !active)
		return -ENOMEM;
	for (i = c->nodes.n; i--;) {
		uint32_t parent = node_at(c, i)->parent;

		parent = parent == PROFILE_NONE ? root : parent;
		next[i] = first[parent];
		first[parent] = i;
	}
	for (;;) {
		if (at != root)
			x->is_outermost[at] = !active[node_at(c, at)->function]++;
		if (first[at] != PROFILE_NONE) {
			at = first[at];
			continue;
		}
		while (at != root && next[at] == PROFILE_NONE) {
			active[node_at(c, at)->function]--;
			at = node_at(c, at)->parent;
			at = at == PROFILE_NONE ? root : at;
		}
		if (at == root)
			return 0;
		active[node_at(c, at)->function]--;
		at = next[at];
	}
}

/* --- samples --------------------------------------------------------------------------------- */

static int find_repetition(struct counter *x, uint32_t labels, uint32_t *ret)
{
	const struct function_costs *c = x->c;
	const struct profile_label *label;

	if (x->repetition_of[labels] == PROFILE_NONE) {
		label = profile_label(c->p, labels, LABEL_REPETITION);
		if (!label || label->str)
			return errf(-EINVAL,
				    "a sample has no number as its label \"%s\": "
				    "it cannot be told which repetition it is of",
				    LABEL_REPETITION);
		if ((uint64_t)label->num >= c->n_repetitions) /* or negative */
			return errf(-EINVAL, "a sample is of repetition %" PRId64 " of %zu",
				    label->num, c->n_repetitions);
		x->repetition_of[labels] = label->num;
	}
	*ret = x->repetition_of[labels];
	return 0;
}

/* By counting. */
static int sort_samples(struct counter *x)
{
	const struct function_costs *c = x->c;
	uint32_t i, repetition = 0;
	size_t r;
	int err;

	for (i = 0; i < c->p->samples.n; i++) {
		err = find_repetition(x, profile_sample_at(c->p, i)->labels, &repetition);
		if (err)
			return err;
		x->starts[repetition + 1]++;
	}
	for (r = 0; r < c->n_repetitions; r++)
		x->starts[r + 1] += x->starts[r];
	for (i = c->p->samples.n; i--;) {
		repetition = x->repetition_of[profile_sample_at(c->p, i)->labels];
		x->samples[--x->starts[repetition + 1]] = i;
	}
	/* Now starts[r + 1] is where r begins. */
	memmove(x->starts, x->starts + 1, c->n_repetitions * sizeof(*x->starts));
	x->starts[c->n_repetitions] = c->p->samples.n;
	return 0;
}

static void count_repetition(struct counter *x, size_t r, double *nodes)
{
	struct function_costs *c = x->c;
	size_t i;

	memset(nodes, 0, c->nodes.n * sizeof(*nodes));
	for (i = x->starts[r]; i < x->starts[r + 1]; i++) {
		uint32_t sample = x->samples[i], at = profile_sample_at(c->p, sample)->node;
		double v = profile_values_at(c->p, sample)[c->value] / x->iterations[r];

		c->all[r] += v;
		at = at == PROFILE_NONE ? at : x->node_of[at];
		if (at != PROFILE_NONE)
			nodes[at] += v;
	}
	for (i = c->nodes.n; i--;) {
		const struct cost_node *node = node_at(c, i);
		size_t cell = node->function * c->n_repetitions + r;

		/* So far 'nodes[i]' has what is below, too: what it spent itself is added apart. */
		if (x->is_outermost[i])
			c->total[cell] += nodes[i];
		if (node->parent != PROFILE_NONE)
			nodes[node->parent] += nodes[i];
	}
}

/* What was spent in the functions themselves, which needs no tree. */
static void count_self(struct counter *x, size_t r)
{
	struct function_costs *c = x->c;
	size_t i;

	for (i = x->starts[r]; i < x->starts[r + 1]; i++) {
		uint32_t sample = x->samples[i], at = profile_sample_at(c->p, sample)->node;
		double v = profile_values_at(c->p, sample)[c->value] / x->iterations[r];

		at = at == PROFILE_NONE ? at : x->node_of[at];
		if (at == PROFILE_NONE)
			continue;
		c->weights[at] += v;
		c->self[node_at(c, at)->function * c->n_repetitions + r] += v;
	}
}

static int count(struct counter *x)
{
	struct function_costs *c = x->c;
	_cleanup_(freep) double *nodes = NULL;
	size_t r, cells;
	int err;

	x->is_outermost = calloc(c->nodes.n + 1, sizeof(*x->is_outermost));
	x->samples = calloc(c->p->samples.n + 1, sizeof(*x->samples));
	x->starts = calloc(c->n_repetitions + 1, sizeof(*x->starts));
	nodes = calloc(c->nodes.n + 1, sizeof(*nodes));
	c->weights = calloc(c->nodes.n + 1, sizeof(*c->weights));
	c->all = calloc(c->n_repetitions + 1, sizeof(*c->all));
	if (__builtin_mul_overflow(c->functions.n + 1, c->n_repetitions + 1, &cells))
		return -ENOMEM;
	c->self = calloc(cells, sizeof(*c->self));
	c->total = calloc(cells, sizeof(*c->total));
	if (!x->is_outermost || !x->samples || !x->starts || !nodes || !c->weights || !c->all ||
	    !c->self || !c->total)
		return -ENOMEM;
	err = find_outermost(x);
	if (!err)
		err = sort_samples(x);
	for (r = 0; !err && r < c->n_repetitions; r++) {
		count_self(x, r);
		count_repetition(x, r, nodes);
	}
	return err;
}

static int count_profile(struct counter *x)
{
	struct function_costs *c = x->c;
	int err;

	keyset_init(&c->functions, sizeof(struct function_key));
	keyset_init(&c->nodes, sizeof(struct cost_node));
	x->function_of = array_of_none(c->p->frames.n);
	x->node_of = array_of_none(c->p->nodes.n);
	x->repetition_of = array_of_none(c->p->n_label_sets);
	if (!x->function_of || !x->node_of || !x->repetition_of || strtab_init(&c->names))
		return -ENOMEM;
	err = name_frames(x);
	if (!err)
		err = merge_nodes(x);
	return err ? err : count(x);
}

int function_costs_new(const struct profile *p, unsigned int value, const double *iterations,
		       size_t n, struct function_costs **ret)
{
	_cleanup_(function_costs_freep) struct function_costs *c = calloc(1, sizeof(*c));
	_cleanup_(counter_release) struct counter x = { .c = c, .iterations = iterations };
	size_t r;
	int err;

	if (!c)
		return errf(-ENOMEM, "no memory to count functions");
	if (value >= p->n_values)
		return errf(-EINVAL, "the profile has no value number %u", value);
	for (r = 0; r < n; r++) {
		/* With others, costs would not be finite. */
		if (!(iterations[r] >= 1e-12 && iterations[r] <= 1e18))
			return errf(-EINVAL, "repetition %zu made %g iterations", r, iterations[r]);
	}
	c->p = p;
	c->value = value;
	c->n_repetitions = n;
	err = count_profile(&x);
	if (err == -ENOMEM || err == -EOVERFLOW)
		return errf(err, "cannot count the functions of %zu stacks: %s", p->samples.n,
			    strerror(-err));
	if (err)
		return err;
	*ret = take(c);
	return 0;
}

/* --- who called ------------------------------------------------------------------------------ */

int function_costs_above(const struct function_costs *c, uint32_t function, double *weights,
			 double *distances)
{
	_cleanup_(freep) uint32_t *met = array_of_none(c->functions.n);
	uint32_t i, at;

	if (!met)
		return -ENOMEM;
	for (i = 0; i < c->nodes.n; i++) {
		size_t distance = 0;

		if (node_at(c, i)->function != function || c->weights[i] == 0)
			continue;
		for (at = i; at != PROFILE_NONE; at = node_at(c, at)->parent, distance++) {
			uint32_t above = node_at(c, at)->function;

			if (met[above] == i)
				continue;
			met[above] = i;
			weights[above] += c->weights[i];
			distances[above] += c->weights[i] * (double)distance;
		}
	}
	return 0;
}
