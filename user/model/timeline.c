/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/timeline.h"

#include <errno.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

#define NO_TIME UINT64_MAX

/* By label set: its time, or NO_TIME. A negative one is none of ours. NULL without memory. */
static uint64_t *times_of(const struct profile *p)
{
	uint64_t *times = calloc(p->n_label_sets, sizeof(*times));
	uint32_t i;

	for (i = 0; times && i < p->n_label_sets; i++) {
		const struct profile_label *label = profile_label(p, i, LABEL_TIME);

		times[i] = label && !label->str && label->num >= 0 ? (uint64_t)label->num : NO_TIME;
	}
	return times;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* 1, 2, 5, 10, 20, ... ms, whatever fits; the divisor itself as long as it does. */
static uint64_t bounded_slot(uint64_t divisor, uint64_t last)
{
	static const unsigned int steps[] = { 1, 2, 5 };
	uint64_t slot = divisor, power = 1000000;
	unsigned int i = 0;

	while (last / slot >= TIMELINE_MAX_SLOTS) {
		slot = power * steps[i++];
		if (i == ARRAY_SIZE(steps)) {
			i = 0;
			power *= 10;
		}
	}
	return slot;
}

void timeline_free(struct timeline *t)
{
	if (t)
		free(t->slots);
	free(t);
}

int timeline_new(const struct profile *p, struct timeline **ret)
{
	_cleanup_(freep) uint64_t *times = times_of(p);
	_cleanup_(timeline_freep) struct timeline *t = calloc(1, sizeof(*t));
	uint64_t divisor = 0, last = 0;
	bool has_times = false;
	uint32_t i;

	if (t)
		t->slots = array_of_none(p->samples.n);
	if (!times || !t || !t->slots)
		return errf(-ENOMEM, "no memory for the times of %zu samples", p->samples.n);
	for (i = 0; i < p->samples.n; i++) {
		uint64_t at = times[profile_sample_at(p, i)->labels];

		if (at == NO_TIME)
			continue;
		has_times = true;
		divisor = common_divisor(at, divisor);
		last = at > last ? at : last;
	}
	if (has_times)
		t->slot_ns = bounded_slot(divisor ? divisor : 1, last);
	for (i = 0; has_times && i < p->samples.n; i++) {
		uint64_t at = times[profile_sample_at(p, i)->labels];

		if (at == NO_TIME)
			continue;
		t->slots[i] = at / t->slot_ns;
		if (t->slots[i] >= t->n_slots)
			t->n_slots = t->slots[i] + 1;
	}
	*ret = take(t);
	return 0;
}

/* The set without its time. */
static int labels_without(struct profile *p, uint32_t set, uint32_t time_key, uint32_t *ret)
{
	_cleanup_(freep) struct profile_label *copy = NULL;
	const struct profile_label *labels;
	size_t n, i, kept = 0;

	labels = profile_labels_at(p, set, &n);
	copy = calloc(n + 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		if (labels[i].key != time_key)
			copy[kept++] = labels[i];
	}
	return profile_add_labels(p, copy, kept, ret);
}

/* The samples again, each with its label set as 'set_of' has it; PROFILE_NONE: it is left out. */
static int rebuild(struct profile *p, const uint32_t *set_of)
{
	struct keyset samples = p->samples;
	int64_t *values = p->values;
	uint32_t i;
	int err = 0;

	keyset_init(&p->samples, sizeof(struct profile_sample));
	p->values = NULL;
	p->values_cap = 0;
	for (i = 0; i < samples.n && !err; i++) {
		const struct profile_sample *s = keyset_key(&samples, i);

		if (set_of[s->labels] != PROFILE_NONE)
			err = profile_add_sample(p, s->node, set_of[s->labels],
						 values + (size_t)i * p->n_values);
	}
	keyset_release(&samples);
	free(values);
	return err;
}

int timeline_cut(struct profile *p, const struct time_range *range)
{
	_cleanup_(freep) uint64_t *times = times_of(p);
	_cleanup_(freep) uint32_t *set_of = array_of_none(p->n_label_sets);
	bool has_times = false;
	uint32_t i;
	int err = times && set_of ? 0 : -ENOMEM;

	for (i = 0; !err && i < p->n_label_sets; i++) {
		has_times |= times[i] != NO_TIME;
		if (times[i] != NO_TIME && times[i] >= range->from_ns && times[i] < range->to_ns)
			set_of[i] = i;
	}
	if (!err && !has_times)
		return errf(-EINVAL, "no sample has a time: record with --timeline");
	if (!err)
		err = rebuild(p, set_of);
	if (err)
		return errf(err, "no memory for a range of time");
	if (p->duration_ns)
		p->duration_ns =
			p->duration_ns > range->from_ns ? p->duration_ns - range->from_ns : 0;
	if (p->duration_ns > range->to_ns - range->from_ns)
		p->duration_ns = range->to_ns - range->from_ns;
	return 0;
}

int timeline_drop(struct profile *p)
{
	uint32_t n = p->n_label_sets, time_key = strtab_find(&p->strings, LABEL_TIME), i;
	_cleanup_(freep) uint32_t *set_of = array_of_none(n);
	int err = set_of ? 0 : -ENOMEM;

	if (time_key == UINT32_MAX)
		return 0;
	for (i = 0; !err && i < n; i++)
		err = labels_without(p, i, time_key, &set_of[i]);
	if (!err)
		err = rebuild(p, set_of);
	return err ? errf(err, "no memory to merge %zu samples", p->samples.n) : 0;
}
