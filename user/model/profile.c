/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/hash.h"

struct profile *profile_new(void)
{
	_cleanup_(profile_freep) struct profile *p = calloc(1, sizeof(*p));
	uint32_t empty;

	if (!p)
		return NULL;
	keyset_init(&p->mappings, sizeof(struct profile_mapping));
	keyset_init(&p->frames, sizeof(struct profile_frame));
	keyset_init(&p->nodes, sizeof(struct profile_node));
	keyset_init(&p->samples, sizeof(struct profile_sample));
	if (strtab_init(&p->strings) || profile_add_labels(p, NULL, 0, &empty))
		return NULL;
	return take(p);
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	strtab_release(&p->strings);
	keyset_release(&p->mappings);
	keyset_release(&p->frames);
	keyset_release(&p->nodes);
	keyset_release(&p->samples);
	free(p->labels);
	free(p->label_starts);
	free(p->label_slots);
	free(p->values);
	free(p->comments);
	free(p);
}

int profile_add_string(struct profile *p, const char *text, uint32_t *ret)
{
	return strtab_add(&p->strings, text, ret);
}

const char *profile_string(const struct profile *p, uint32_t string)
{
	return strtab_get(&p->strings, string);
}

int profile_add_value_type(struct profile *p, const char *type, const char *unit)
{
	struct profile_value_type vt;
	int err;

	if (p->n_values == PROFILE_MAX_VALUES)
		return errf(-E2BIG, "more than %d value types in a profile", PROFILE_MAX_VALUES);
	err = profile_add_string(p, type, &vt.type);
	if (!err)
		err = profile_add_string(p, unit, &vt.unit);
	if (!err)
		p->value_types[p->n_values++] = vt;
	return err;
}

int profile_find_value_type(const struct profile *p, const char *type, unsigned int *ret)
{
	char have[256] = "";
	unsigned int i;

	for (i = 0; i < p->n_values; i++) {
		const char *name = profile_string(p, p->value_types[i].type);
		size_t len = strlen(have);

		if (!strcmp(name, type)) {
			*ret = i;
			return 0;
		}
		snprintf(have + len, sizeof(have) - len, "%s%s", i ? ", " : "", name);
	}
	return errf(-ENOENT, "no value type '%s' in this profile; it has: %s", type, have);
}

/* keyset_add says 1 for new, which means nothing to our callers. */
static int add(struct keyset *set, const void *key, uint32_t *ret)
{
	int err = keyset_add(set, key, ret);

	return err < 0 ? err : 0;
}

int profile_add_mapping(struct profile *p, const struct profile_mapping *mapping, uint32_t *ret)
{
	return add(&p->mappings, mapping, ret);
}

int profile_add_frame(struct profile *p, const struct profile_frame *frame, uint32_t *ret)
{
	return add(&p->frames, frame, ret);
}

int profile_add_node(struct profile *p, uint32_t parent, uint32_t frame, uint32_t *ret)
{
	struct profile_node node = { .parent = parent, .frame = frame };

	return add(&p->nodes, &node, ret);
}

int profile_add_comment(struct profile *p, const char *text)
{
	if (array_reserve(p->comments, p->comments_cap, p->n_comments + 1) ||
	    profile_add_string(p, text, &p->comments[p->n_comments]))
		return -ENOMEM;
	p->n_comments++;
	return 0;
}

const struct profile_label *profile_labels_at(const struct profile *p, uint32_t set, size_t *ret_n)
{
	*ret_n = p->label_starts[set + 1] - p->label_starts[set];
	return *ret_n ? p->labels + p->label_starts[set] : NULL;
}

static bool labels_equal(const struct profile_label *a, const struct profile_label *b, size_t n)
{
	return !n || !memcmp(a, b, n * sizeof(*a));
}

static size_t label_slot(const struct profile *p, const struct profile_label *labels, size_t n)
{
	size_t mask = p->n_label_slots - 1, have_n;
	size_t i = hash_bytes(labels, n * sizeof(*labels)) & mask;

	for (; p->label_slots[i]; i = (i + 1) & mask) {
		const struct profile_label *have =
			profile_labels_at(p, p->label_slots[i] - 1, &have_n);

		if (have_n == n && labels_equal(have, labels, n))
			break;
	}
	return i;
}

static int grow_label_slots(struct profile *p)
{
	size_t n_slots = p->n_label_slots ? p->n_label_slots * 2 : 64, n;
	uint32_t *slots = calloc(n_slots, sizeof(*slots)), i;

	if (!slots)
		return -ENOMEM;
	free(p->label_slots);
	p->label_slots = slots;
	p->n_label_slots = n_slots;
	for (i = 0; i < p->n_label_sets; i++) {
		const struct profile_label *labels = profile_labels_at(p, i, &n);

		slots[label_slot(p, labels, n)] = i + 1;
	}
	return 0;
}

int profile_add_labels(struct profile *p, const struct profile_label *labels, size_t n,
		       uint32_t *ret)
{
	size_t slot;

	if (p->n_labels + n >= UINT32_MAX || p->n_label_sets >= UINT32_MAX - 2)
		return -EOVERFLOW;
	if ((size_t)p->n_label_sets * 3 >= p->n_label_slots * 2 && grow_label_slots(p))
		return -ENOMEM;
	slot = label_slot(p, labels, n);
	if (p->label_slots[slot]) {
		*ret = p->label_slots[slot] - 1;
		return 0;
	}
	if (array_reserve(p->labels, p->labels_cap, p->n_labels + n) ||
	    array_reserve(p->label_starts, p->label_starts_cap, (size_t)p->n_label_sets + 2))
		return -ENOMEM;
	if (n)
		memcpy(p->labels + p->n_labels, labels, n * sizeof(*labels));
	p->label_starts[p->n_label_sets] = p->n_labels;
	p->n_labels += n;
	*ret = p->n_label_sets++;
	p->label_starts[p->n_label_sets] = p->n_labels;
	p->label_slots[slot] = p->n_label_sets;
	return 0;
}

int profile_add_sample(struct profile *p, uint32_t node, uint32_t labels, const int64_t *values)
{
	struct profile_sample sample = { .node = node, .labels = labels };
	int64_t *sums;
	uint32_t i;
	unsigned int v;
	int added;

	/* Room for the values first, so that a failure leaves no sample without them. */
	if (array_reserve(p->values, p->values_cap, (p->samples.n + 1) * p->n_values))
		return -ENOMEM;
	added = keyset_add(&p->samples, &sample, &i);
	if (added < 0)
		return added;
	sums = p->values + (size_t)i * p->n_values;
	if (added)
		memset(sums, 0, p->n_values * sizeof(*sums));
	for (v = 0; v < p->n_values; v++) {
		if (__builtin_add_overflow(sums[v], values[v], &sums[v]))
			sums[v] = values[v] < 0 ? INT64_MIN : INT64_MAX;
	}
	return 0;
}

uint32_t profile_find_sample(const struct profile *p, uint32_t node, uint32_t labels)
{
	const struct profile_sample key = { .node = node, .labels = labels };
	uint32_t i = keyset_find(&p->samples, &key);

	return i == KEYSET_NONE ? PROFILE_NONE : i;
}

const struct profile_mapping *profile_mapping_at(const struct profile *p, uint32_t i)
{
	return keyset_key(&p->mappings, i);
}

const struct profile_frame *profile_frame_at(const struct profile *p, uint32_t i)
{
	return keyset_key(&p->frames, i);
}

const struct profile_node *profile_node_at(const struct profile *p, uint32_t i)
{
	return keyset_key(&p->nodes, i);
}

const struct profile_sample *profile_sample_at(const struct profile *p, uint32_t i)
{
	return keyset_key(&p->samples, i);
}

const int64_t *profile_values_at(const struct profile *p, uint32_t i)
{
	return p->values + (size_t)i * p->n_values;
}

const struct profile_label *profile_label(const struct profile *p, uint32_t set, const char *key)
{
	uint32_t wanted = strtab_find(&p->strings, key);
	const struct profile_label *labels;
	size_t n, i;

	labels = profile_labels_at(p, set, &n);
	for (i = 0; i < n; i++) {
		if (labels[i].key == wanted)
			return &labels[i];
	}
	return NULL;
}

int64_t profile_total(const struct profile *p, unsigned int value)
{
	int64_t total = 0;
	uint32_t i;

	for (i = 0; i < p->samples.n; i++) {
		int64_t v = profile_values_at(p, i)[value];

		if (__builtin_add_overflow(total, v, &total))
			return v < 0 ? INT64_MIN : INT64_MAX;
	}
	return total;
}

const char *profile_frame_module(const struct profile *p, const struct profile_frame *frame)
{
	const char *path, *slash;

	if (frame->mapping == PROFILE_NONE)
		return "";
	path = profile_string(p, profile_mapping_at(p, frame->mapping)->path);
	slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* --- merging ------------------------------------------------------------------------------- */

static int same_value_types(const struct profile *a, const struct profile *b)
{
	unsigned int i;

	if (a->n_values != b->n_values)
		return errf(-EINVAL, "profiles with %u and %u value types cannot be merged",
			    a->n_values, b->n_values);
	for (i = 0; i < a->n_values; i++) {
		const char *at = profile_string(a, a->value_types[i].type);
		const char *bt = profile_string(b, b->value_types[i].type);
		const char *au = profile_string(a, a->value_types[i].unit);
		const char *bu = profile_string(b, b->value_types[i].unit);

		if (strcmp(at, bt) || strcmp(au, bu))
			return errf(-EINVAL, "values '%s' in %s and '%s' in %s cannot be merged",
				    at, au, bt, bu);
	}
	return 0;
}

static int merge_string(struct profile *into, const struct profile *from, uint32_t *string)
{
	return profile_add_string(into, profile_string(from, *string), string);
}

/* The same part of the same file in 'into', be it elsewhere; or 'm', which is added. */
static int merge_mapping(struct profile *into, const struct profile_mapping *m, uint32_t *ret)
{
	uint32_t i;

	for (i = 0; i < into->mappings.n && m->limit; i++) {
		const struct profile_mapping *there = profile_mapping_at(into, i);

		if (there->path == m->path && there->build_id == m->build_id &&
		    there->offset == m->offset &&
		    there->limit - there->start == m->limit - m->start) {
			*ret = i;
			return 0;
		}
	}
	return profile_add_mapping(into, m, ret);
}

/* new_of[i] becomes the number in 'into' of frame i. */
static int merge_frames(struct profile *into, const struct profile *from, uint32_t *new_of)
{
	uint32_t i;
	int err;

	for (i = 0; i < from->frames.n; i++) {
		struct profile_frame frame = *profile_frame_at(from, i);

		if (frame.mapping != PROFILE_NONE) {
			struct profile_mapping m = *profile_mapping_at(from, frame.mapping);

			err = merge_string(into, from, &m.path);
			if (!err)
				err = merge_string(into, from, &m.build_id);
			if (!err)
				err = merge_mapping(into, &m, &frame.mapping);
			if (err)
				return err;
			if (frame.address)
				frame.address +=
					profile_mapping_at(into, frame.mapping)->start - m.start;
		}
		err = merge_string(into, from, &frame.function);
		if (!err)
			err = merge_string(into, from, &frame.file);
		if (!err)
			err = profile_add_frame(into, &frame, &new_of[i]);
		if (err)
			return err;
	}
	return 0;
}

/* What a sample is labelled with instead of the numbers that it has; a key of NULL: these stay. */
struct numbering {
	const char *key;
	int64_t number;
};

static int number_labels(struct profile *into, const struct numbering *by,
			 struct profile_label *labels, size_t *n)
{
	size_t i, kept = 0;

	for (i = 0; i < *n; i++) {
		if (labels[i].str)
			labels[kept++] = labels[i];
	}
	labels[kept] = (struct profile_label){ .num = by->number };
	*n = kept + 1;
	return profile_add_string(into, by->key, &labels[kept].key);
}

static int merge_labels(struct profile *into, const struct profile *from, uint32_t set,
			const struct numbering *by, uint32_t *ret)
{
	_cleanup_(freep) struct profile_label *copy = NULL;
	const struct profile_label *labels;
	size_t n, i;
	int err;

	labels = profile_labels_at(from, set, &n);
	copy = calloc(n + 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		copy[i] = labels[i];
		err = merge_string(into, from, &copy[i].key);
		if (!err)
			err = merge_string(into, from, &copy[i].str);
		if (!err)
			err = merge_string(into, from, &copy[i].unit);
		if (err)
			return err;
	}
	err = by->key ? number_labels(into, by, copy, &n) : 0;
	return err ? err : profile_add_labels(into, copy, n, ret);
}

static int merge_samples(struct profile *into, const struct profile *from,
			 const struct numbering *by, const uint32_t *frame_of, uint32_t *node_of)
{
	uint32_t i, labels;
	int err;

	/* A parent has a smaller number than its children. */
	for (i = 0; i < from->nodes.n; i++) {
		const struct profile_node *node = profile_node_at(from, i);
		uint32_t parent =
			node->parent == PROFILE_NONE ? PROFILE_NONE : node_of[node->parent];

		err = profile_add_node(into, parent, frame_of[node->frame], &node_of[i]);
		if (err)
			return err;
	}
	for (i = 0; i < from->samples.n; i++) {
		const struct profile_sample *s = profile_sample_at(from, i);

		err = merge_labels(into, from, s->labels, by, &labels);
		if (!err)
			err = profile_add_sample(
				into, s->node == PROFILE_NONE ? PROFILE_NONE : node_of[s->node],
				labels, profile_values_at(from, i));
		if (err)
			return err;
	}
	return 0;
}

static int merge(struct profile *into, const struct profile *from, const struct numbering *by)
{
	_cleanup_(freep) uint32_t *frame_of = calloc(from->frames.n + 1, sizeof(*frame_of));
	_cleanup_(freep) uint32_t *node_of = calloc(from->nodes.n + 1, sizeof(*node_of));
	int err;

	if (!frame_of || !node_of)
		return errf(-ENOMEM, "no memory to merge profiles");
	err = same_value_types(into, from);
	if (!err)
		err = merge_frames(into, from, frame_of);
	if (!err)
		err = merge_samples(into, from, by, frame_of, node_of);
	if (!err)
		into->duration_ns += from->duration_ns;
	return err;
}

int profile_merge(struct profile *into, const struct profile *from)
{
	const struct numbering none = { 0 };

	return merge(into, from, &none);
}

int profile_merge_numbered(struct profile *into, const struct profile *from, const char *key,
			   int64_t number)
{
	const struct numbering by = { key, number };

	return merge(into, from, &by);
}
