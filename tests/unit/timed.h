/* SPDX-License-Identifier: BSD-2-Clause */
/* timed: samples in time for tests, beside those of stacks.h. */
#pragma once

#include "tests/unit/stacks.h"

#define NO_TIME (-1)

/* 'stack' as stacks_add() has it, of a process in a slot of time; in ms, or NO_TIME. */
static inline void timed_add(struct profile *p, const char *comm, int64_t ms, const char *stack,
			     int64_t value)
{
	struct profile_label labels[2] = { 0 };
	uint32_t node = PROFILE_NONE, set, n = 0;
	char *copy = strdup(stack), *rest = copy, *name;

	assert_non_null(copy);
	while ((name = strsep(&rest, ";"))) {
		if (*name)
			assert_int_equal(profile_add_node(p, node, stacks_frame(p, name), &node),
					 0);
	}
	free(copy);
	if (comm) {
		assert_int_equal(profile_add_string(p, LABEL_PROCESS, &labels[n].key), 0);
		assert_int_equal(profile_add_string(p, comm, &labels[n++].str), 0);
	}
	if (ms != NO_TIME) {
		labels[n].num = ms * 1000000;
		assert_int_equal(profile_add_string(p, LABEL_TIME, &labels[n].key), 0);
		assert_int_equal(profile_add_string(p, "nanoseconds", &labels[n++].unit), 0);
	}
	assert_int_equal(profile_add_labels(p, labels, n, &set), 0);
	assert_int_equal(profile_add_sample(p, node, set, &value), 0);
}
