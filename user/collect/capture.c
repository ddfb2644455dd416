/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

void capture_init(struct capture *c, unsigned int n_values)
{
	*c = (struct capture){ .n_values = n_values, .max_timed = CAPTURE_MAX_TIMED };
	keyset_init(&c->nodes, sizeof(struct capture_node));
	keyset_init(&c->samples, sizeof(struct capture_sample));
}

void capture_release(struct capture *c)
{
	keyset_release(&c->nodes);
	keyset_release(&c->samples);
	free(c->values);
	free(c->first_ns);
	capture_init(c, c->n_values);
}

const struct capture_node *capture_node_at(const struct capture *c, uint32_t node)
{
	return keyset_key(&c->nodes, node);
}

const struct capture_sample *capture_sample_at(const struct capture *c, uint32_t i)
{
	return keyset_key(&c->samples, i);
}

int capture_add_stack(struct capture *c, const struct ft_stack *stack, uint32_t *ret)
{
	uint32_t n = stack->n < FT_MAX_FRAMES ? stack->n : FT_MAX_FRAMES, at = CAPTURE_NO_STACK, i;

	for (i = 0; i < n; i++) {
		struct capture_node node = { .pc = stack->pcs[n - 1 - i],
					     .caller = at,
					     .depth = i + 1 };

		if (keyset_add(&c->nodes, &node, &at) < 0)
			return errf(-ENOMEM, "no memory for another stack beside %zu frames",
				    c->nodes.n);
	}
	*ret = at;
	return 0;
}

const uint64_t *capture_values_at(const struct capture *c, uint32_t i)
{
	return c->values + (size_t)i * c->n_values;
}

/* What the sample is kept as: itself, or without its time if there is no room for that. */
static struct capture_sample kept_as(const struct capture *c, const struct capture_sample *sample)
{
	struct capture_sample kept = *sample;

	if (c->slot_ns && c->samples.n >= c->max_timed &&
	    keyset_find(&c->samples, sample) == KEYSET_NONE)
		kept.slot = CAPTURE_NO_SLOT;
	return kept;
}

uint32_t capture_find(const struct capture *c, const struct capture_sample *sample)
{
	const struct capture_sample kept = kept_as(c, sample);

	return keyset_find(&c->samples, &kept);
}

int capture_add(struct capture *c, const struct capture_sample *sample, const uint64_t *values,
		uint64_t first_ns)
{
	const struct capture_sample kept = kept_as(c, sample);
	uint32_t number, i;
	uint64_t *sums;
	int added;

	if (array_reserve(c->values, c->values_cap, (c->samples.n + 1) * c->n_values) ||
	    array_reserve(c->first_ns, c->first_ns_cap, c->samples.n + 1))
		return errf(-ENOMEM, "no memory for another sample beside %zu", c->samples.n);
	added = keyset_add(&c->samples, &kept, &number);
	if (added < 0)
		return errf(added, "no memory for another sample beside %zu", c->samples.n);
	sums = c->values + (size_t)number * c->n_values;
	if (added) {
		memset(sums, 0, c->n_values * sizeof(*sums));
		c->first_ns[number] = first_ns;
	}
	for (i = 0; i < c->n_values; i++)
		sums[i] += values[i];
	c->total += values[0];
	if (kept.slot == CAPTURE_NO_SLOT)
		c->untimed += values[0];
	return 0;
}
