/* SPDX-License-Identifier: BSD-2-Clause */
/* timed: samples in time for tests, beside those of stacks.h. */
#pragma once

#include "tests/unit/stacks.h"

#define NO_TIME (-1)

/* The profile of each test, of samples. */
static struct profile *p;

static inline int set_up(void **state)
{
	(void)state;
	p = stacks_new("samples", "count");
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	profile_free(p);
	return 0;
}

/* 'stack' as stacks_add() has it, of a process in a slot of time; in ms, or NO_TIME. */
static inline void timed_add(struct profile *into, const char *comm, int64_t ms, const char *stack,
			     int64_t value)
{
	struct profile_label labels[2] = { 0 };
	uint32_t node = PROFILE_NONE, set, n = 0;
	char *copy = strdup(stack), *rest = copy, *name;

	assert_non_null(copy);
	while ((name = strsep(&rest, ";"))) {
		if (*name)
			assert_int_equal(
				profile_add_node(into, node, stacks_frame(into, name), &node), 0);
	}
	free(copy);
	if (comm) {
		assert_int_equal(profile_add_string(into, LABEL_PROCESS, &labels[n].key), 0);
		assert_int_equal(profile_add_string(into, comm, &labels[n++].str), 0);
	}
	if (ms != NO_TIME) {
		labels[n].num = ms * 1000000;
		assert_int_equal(profile_add_string(into, LABEL_TIME, &labels[n].key), 0);
		assert_int_equal(profile_add_string(into, "nanoseconds", &labels[n++].unit), 0);
	}
	assert_int_equal(profile_add_labels(into, labels, n, &set), 0);
	assert_int_equal(profile_add_sample(into, node, set, &value), 0);
}
