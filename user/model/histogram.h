/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * histogram: durations counted in log-linear slots (bpf/hist_slot.h), beside their exact number,
 * sum and maximum. Histograms merge exactly; quantiles are read off, never averaged.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/hist_slot.h"

/* All zero is an empty one. Counts are kept from the first to the last slot that has any. */
struct histogram {
	uint64_t n;	 /* sum of all counts */
	uint64_t sum_ns; /* exact, of all observations; saturates */
	uint64_t max_ns; /* exact; 0: not known, or none */
	uint32_t first;	 /* the slot of counts[0] */
	uint32_t width;	 /* slots in counts; 0 while it is empty */
	uint64_t *counts;
};

void histogram_release(struct histogram *h);

/* Adds n observations in a slot; a slot out of range is the last one. 0 or -ENOMEM. */
int histogram_add(struct histogram *h, uint32_t slot, uint64_t n);

/* Adds to the sum, and raises the maximum: what slots do not tell. */
void histogram_add_sum(struct histogram *h, uint64_t sum_ns, uint64_t max_ns);

/* One duration: slot, sum and maximum. 0 or -ENOMEM. */
int histogram_add_ns(struct histogram *h, uint64_t ns);

/* Adds all of 'other'. 0, or -ENOMEM with the histogram as it was. */
int histogram_merge(struct histogram *h, const struct histogram *other);

/* Observations in a slot. */
uint64_t histogram_count(const struct histogram *h, uint32_t slot);

/* Mean, rounded; 0 if there are none. */
uint64_t histogram_mean_ns(const struct histogram *h);

/*
 * The quantile of nearest rank, interpolated inside its slot, never above the maximum; 0 if there
 * are no observations. 'permille' is 500 for the median, 999 for p99.9; 1000 is the maximum. It is
 * off by less than 1/32 (3.1 %) of the exact one, and exact below 64 ns; only beyond 2^37 ns
 * (137 s), where the last slot has no end, it is anything up to the maximum.
 */
uint64_t histogram_quantile_ns(const struct histogram *h, unsigned int permille);

/*
 * Whether there are enough observations to speak of that quantile: on average at least one lies
 * beyond it (2 for the median, 100 for p99, 1,000 for p99.9). With less it is the maximum under
 * another name.
 */
bool histogram_has_quantile(const struct histogram *h, unsigned int permille);
