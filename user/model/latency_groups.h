/* SPDX-License-Identifier: BSD-2-Clause */
/* latency_groups: a latency's rows merged over flags and sizes, for those who show them. */
#pragma once

#include "user/model/latency.h"

struct latency_group {
	uint32_t subject, operation; /* strings of the latency */
	bool is_apart;
	struct latency_counts counts;
	struct histogram stages[LATENCY_MAX_STAGES];
};

/*
 * Those that are apart come last. Then by the time that all of a group's operations took, most
 * first; then by their number and names.
 */
struct latency_groups {
	struct latency_group *groups;
	size_t n;
};

/* 0 or -ENOMEM. What found no row is in no group. */
int latency_groups_new(const struct latency *l, enum latency_list list,
		       struct latency_groups **ret);
void latency_groups_free(struct latency_groups *g);
DEFINE_FREEP(struct latency_groups, latency_groups_free)

/* The rows themselves, in that order: their numbers, in a block of the caller's. 0 or -ENOMEM. */
int latency_rows_order(const struct latency *l, enum latency_list list, uint32_t **ret);
