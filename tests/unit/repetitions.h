/* SPDX-License-Identifier: BSD-2-Clause */
/* repetitions: profiles for tests whose samples are labelled with their repetition. */
#pragma once

#include "tests/unit/stacks.h"
#include "user/bench/functions.h"

/* One stack, "root;frame;frame" as in stacks.h, of one repetition. */
static inline void repetitions_add(struct profile *p, const char *stack, int64_t repetition,
				   int64_t v)
{
	struct profile_label label = { .num = repetition };
	uint32_t node = PROFILE_NONE, labels;
	char *copy = strdup(stack), *rest = copy, *name;

	assert_non_null(copy);
	while ((name = strsep(&rest, ";"))) {
		if (*name)
			assert_int_equal(profile_add_node(p, node, stacks_frame(p, name), &node),
					 0);
	}
	free(copy);
	assert_int_equal(profile_add_string(p, LABEL_REPETITION, &label.key), 0);
	assert_int_equal(profile_add_labels(p, &label, 1, &labels), 0);
	assert_int_equal(profile_add_sample(p, node, labels, &v), 0);
}
