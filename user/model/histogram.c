/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/histogram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void histogram_release(struct histogram *h)
{
	free(h->counts);
	*h = (struct histogram){ 0 };
}

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* Makes the counts reach from 'first' to 'last' at least. */
static int reach(struct histogram *h, uint32_t first, uint32_t last)
{
	uint64_t *counts;

	if (h->width) {
		first = first < h->first ? first : h->first;
		last = last > h->first + h->width - 1 ? last : h->first + h->width - 1;
		if (first == h->first && last == h->first + h->width - 1)
			return 0;
	}
	counts = calloc(last - first + 1, sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	if (h->width)
		memcpy(counts + (h->first - first), h->counts, h->width * sizeof(*counts));
	free(h->counts);
	h->counts = counts;
	h->first = first;
	h->width = last - first + 1;
	return 0;
}

int histogram_add(struct histogram *h, uint32_t slot, uint64_t n)
{
	int err;

	if (!n)
		return 0;
	if (slot >= FT_HIST_SLOTS)
		slot = FT_HIST_SLOTS - 1;
	err = reach(h, slot, slot);
	if (err)
		return err;
	h->counts[slot - h->first] = add_saturated(h->counts[slot - h->first], n);
	h->n = add_saturated(h->n, n);
	return 0;
}

void histogram_add_sum(struct histogram *h, uint64_t sum_ns, uint64_t max_ns)
{
	h->sum_ns = add_saturated(h->sum_ns, sum_ns);
	if (h->max_ns < max_ns)
		h->max_ns = max_ns;
}

int histogram_add_ns(struct histogram *h, uint64_t ns)
{
	int err = histogram_add(h, ft_hist_slot(ns), 1);

	if (!err)
		histogram_add_sum(h, ns, ns);
	return err;
}

int histogram_merge(struct histogram *h, const struct histogram *other)
{
	uint32_t i;
	int err;

	if (other->width) {
		err = reach(h, other->first, other->first + other->width - 1);
		if (err)
			return err;
	}
	for (i = 0; i < other->width; i++) {
		uint64_t *count = &h->counts[other->first - h->first + i];

		*count = add_saturated(*count, other->counts[i]);
	}
	h->n = add_saturated(h->n, other->n);
	histogram_add_sum(h, other->sum_ns, other->max_ns);
	return 0;
}

uint64_t histogram_count(const struct histogram *h, uint32_t slot)
{
	return slot >= h->first && slot - h->first < h->width ? h->counts[slot - h->first] : 0;
}

uint64_t histogram_mean_ns(const struct histogram *h)
{
	return h->n ? h->sum_ns / h->n + (h->sum_ns % h->n >= h->n - h->n / 2) : 0;
}

/* Where the observation number 'rank' of 'n' in a slot stands, if they are spread evenly. */
static uint64_t inside(const struct histogram *h, uint32_t slot, uint64_t rank, uint64_t n)
{
	uint64_t lower = ft_hist_lower_ns(slot), upper = ft_hist_upper_ns(slot), ns;

	if (slot == FT_HIST_SLOTS - 1 && h->max_ns >= upper)
		upper = h->max_ns + 1;
	ns = lower + (uint64_t)((unsigned __int128)(upper - lower) * (2 * rank - 1) / 2 / n);
	return h->max_ns && ns > h->max_ns ? h->max_ns : ns;
}

uint64_t histogram_quantile_ns(const struct histogram *h, unsigned int permille)
{
	uint64_t rank = (uint64_t)(((unsigned __int128)h->n * permille + 999) / 1000), before = 0;
	uint32_t i;

	if (!h->n)
		return 0;
	rank = !rank ? 1 : rank > h->n ? h->n : rank;
	if (permille >= 1000 && h->max_ns)
		return h->max_ns;
	for (i = 0; i < h->width; i++) {
		if (h->counts[i] >= rank - before)
			return inside(h, h->first + i, rank - before, h->counts[i]);
		before += h->counts[i];
	}
	return h->max_ns; /* only after a count has saturated */
}

bool histogram_has_quantile(const struct histogram *h, unsigned int permille)
{
	return permille < 1000 ? (unsigned __int128)h->n * (1000 - permille) >= 1000 : h->n > 0;
}
