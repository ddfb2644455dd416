/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * function_costs: what function_costs_new() counted, for functions_compare.c: what each function
 * cost in each repetition, and through which others its own cost passed.
 */
#pragma once

#include "user/base/keyset.h"
#include "user/base/strtab.h"
#include "user/bench/functions.h"

struct function_key {
	uint32_t name, module; /* strings in 'names' */
};

/* Stacks merged by function: a node is a function below its caller's node. */
struct cost_node {
	uint32_t parent;   /* PROFILE_NONE at the root */
	uint32_t function; /* number of its key */
};

struct function_costs {
	const struct profile *p; /* while it is counted */
	unsigned int value;
	size_t n_repetitions;
	double *all; /* of each repetition, per iteration; with what has no function */
	struct strtab names;
	struct keyset functions; /* of struct function_key */
	struct keyset nodes;	 /* of struct cost_node; parents before children */
	double *self, *total;	 /* [function * n_repetitions + repetition], per iteration */
	double *weights;	 /* of each node itself, all repetitions together */
};

const char *function_costs_name(const struct function_costs *c, uint32_t function);
const char *function_costs_module(const struct function_costs *c, uint32_t function);

/*
 * Adds how much of the self cost of 'function' passed through each function g: weights[g], and that
 * times the number of calls between (to the nearest of it, if it recurs): distances[g]. The
 * function itself is one of them, at distance 0. Both arrays have a place for each function.
 * -ENOMEM.
 */
int function_costs_above(const struct function_costs *c, uint32_t function, double *weights,
			 double *distances);
