/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pprof_stacks: a profile's stacks as pprof has them. A location is an address with a chain of
 * lines: the function that is there and those inlined into it. Everything is numbered in the order
 * in which the samples need it first, so that the numbers do not depend on how the profile was
 * built, and a file that is read and written again stays the same.
 */
#pragma once

#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/base/keyset.h"
#include "user/model/profile.h"

/* A line of a location; a chain of them is known by its innermost line. */
struct pprof_line {
	uint64_t address;
	uint32_t outer;		 /* the line that this one is inlined into, or PROFILE_NONE */
	uint32_t function, file; /* strings of 'out' */
	uint32_t line;
	uint32_t mapping; /* of 'out', or PROFILE_NONE; the same in all of a chain */
	uint32_t pad;
};

/* A location below another. */
struct pprof_path {
	uint32_t outer; /* path, or PROFILE_NONE */
	uint32_t chain; /* line */
};

struct pprof_stacks {
	/*
	 * Clean strings, the mappings that are used, value types, labels, comments, times; the
	 * 'node' of its samples is a path. It has neither frames nor nodes.
	 */
	struct profile *out;
	struct keyset lines; /* of struct pprof_line */
	struct keyset paths; /* of struct pprof_path */
};

/* 0, -ENOMEM or -EOVERFLOW. */
int pprof_stacks_new(const struct profile *p, struct pprof_stacks **ret);
void pprof_stacks_free(struct pprof_stacks *stacks);
DEFINE_FREEP(struct pprof_stacks, pprof_stacks_free)
