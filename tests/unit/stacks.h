/* SPDX-License-Identifier: BSD-2-Clause */
/* stacks: profiles for tests, one stack a line, "root;frame;frame", with one value type. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "user/model/profile.h"

static inline struct profile *stacks_new(const char *type, const char *unit)
{
	struct profile *p = profile_new();

	assert_non_null(p);
	assert_int_equal(profile_add_value_type(p, type, unit), 0);
	return p;
}

/* A frame "name", or "name@module", or "name@module!" for an inlined one; kernel by its module. */
static inline uint32_t stacks_frame(struct profile *p, char *name)
{
	struct profile_frame frame = { .mapping = PROFILE_NONE, .named = 1 };
	struct profile_mapping mapping = { 0 };
	char *module = strchr(name, '@'), *inlined;
	uint32_t ret;

	if (module) {
		*module++ = '\0';
		inlined = strchr(module, '!');
		if (inlined) {
			*inlined = '\0';
			frame.kind = FRAME_INLINED;
		}
		if (!strcmp(module, "[kernel]"))
			frame.kind = FRAME_KERNEL;
		assert_int_equal(profile_add_string(p, module, &mapping.path), 0);
		assert_int_equal(profile_add_mapping(p, &mapping, &frame.mapping), 0);
	}
	assert_int_equal(profile_add_string(p, name, &frame.function), 0);
	assert_int_equal(profile_add_frame(p, &frame, &ret), 0);
	return ret;
}

/* 'comm' labels the sample with a process, unless it is NULL. An empty stack has no frames. */
static inline void stacks_add_values(struct profile *p, const char *comm, const char *stack,
				     const int64_t *values)
{
	uint32_t node = PROFILE_NONE, labels = 0;
	struct profile_label label = { 0 };
	char *copy = strdup(stack), *rest = copy, *name;

	assert_non_null(copy);
	while ((name = strsep(&rest, ";"))) {
		if (*name)
			assert_int_equal(profile_add_node(p, node, stacks_frame(p, name), &node),
					 0);
	}
	free(copy);
	if (comm) {
		assert_int_equal(profile_add_string(p, LABEL_PROCESS, &label.key), 0);
		assert_int_equal(profile_add_string(p, comm, &label.str), 0);
		assert_int_equal(profile_add_labels(p, &label, 1, &labels), 0);
	}
	assert_int_equal(profile_add_sample(p, node, labels, values), 0);
}

static inline void stacks_add(struct profile *p, const char *comm, const char *stack, int64_t v)
{
	stacks_add_values(p, comm, stack, &v);
}
