/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * functions: which functions' cost changed. A profile whose samples are labelled with their
 * repetition is counted by function and repetition; two such tables are compared in pairs.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/bench/policy.h"
#include "user/model/profile.h"

#define LABEL_REPETITION "repetition" /* number, from 0 */

struct function_costs;

/*
 * Counts value type 'value' of the profile, in its unit per iteration: iterations[i] is how many
 * repetition i made (> 0), n of them. Functions are told apart by name and module. The profile must
 * outlive it. 0, -ENOMEM, or -EINVAL with a sentence if a sample has no such label.
 */
int function_costs_new(const struct profile *p, unsigned int value, const double *iterations,
		       size_t n, struct function_costs **ret);
void function_costs_free(struct function_costs *c);
DEFINE_FREEP(struct function_costs, function_costs_free)

enum function_class {
	FUNCTION_SAME, /* a candidate whose change is noise or too small */
	FUNCTION_GROWN,
	FUNCTION_NEW,
	FUNCTION_GONE,
	FUNCTION_IMPROVED,
	FUNCTION_MOVED, /* it changed, but what called it did not: its cost came from, or went to,
			   another callee */
};
extern const char *const function_class_names[6];

struct function_change {
	char *function, *module;
	enum function_class class;
	double before, after;		  /* mean self cost per iteration */
	double total_before, total_after; /* with callees; recursion counted once */
	double share_before, share_after; /* of all: secondary, since shares depend on each other */
	double delta, low, high;	  /* self; 95 % interval by sign flips or NAN */
	double p_adjusted;
	double contribution; /* delta over the delta of all; NAN if that is 0 */
	char *caller;	     /* FUNCTION_MOVED: within which the cost moved; NULL */
	char *counterpart;   /* and from or to which function; NULL */
};

struct component_change {
	char *component; /* "other" for what no component matches */
	double before, after, delta, contribution;
};

struct functions_comparison {
	char *value, *unit; /* "cpu" "nanoseconds" */
	size_t n_pairs;
	size_t n_candidates;
	double before, after;		 /* all, mean per iteration */
	double delta, p;		 /* of all together */
	struct function_change *changes; /* candidates: grown and new by contribution first, then
					    moved, gone, improved, same */
	size_t n_changes;
	double explained;     /* share of the delta that significant functions make up; NAN */
	bool is_unattributed; /* less than half of a significant delta is explained */
	struct component_change *components;
	size_t n_components;
};

/*
 * Compares in pairs: repetition i with repetition i, as many as both have. 0 or -errno with a
 * sentence; -EINVAL if a component's regex is none.
 */
int functions_compare(const struct function_costs *before, const struct function_costs *after,
		      const struct policy_profile *policy,
		      const struct scenario_component *components, size_t n_components,
		      uint64_t seed, struct functions_comparison **ret);
void functions_comparison_free(struct functions_comparison *c);
DEFINE_FREEP(struct functions_comparison, functions_comparison_free)
