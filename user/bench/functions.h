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
 * repetition i made (1e-12 to 1e18), n of them. Functions are told apart by name and module;
 * inlined ones are functions, process names at the root are none. The profile must outlive it. 0,
 * -ENOMEM, -EOVERFLOW, or -EINVAL with a sentence if a sample has no such label, or one beyond n.
 */
int function_costs_new(const struct profile *p, unsigned int value, const double *iterations,
		       size_t n, struct function_costs **ret);
void function_costs_free(struct function_costs *c);
DEFINE_FREEP(struct function_costs, function_costs_free)

enum function_class {
	FUNCTION_SAME, /* a candidate whose change is noise or too small */
	FUNCTION_GROWN,
	FUNCTION_NEW,  /* no stack had it before */
	FUNCTION_GONE, /* no stack has it after */
	FUNCTION_IMPROVED,
	FUNCTION_MOVED, /* it changed, but what nearly all of it is called by did not: its cost came
			   from, or went to, another callee */
};
extern const char *const function_class_names[6];

struct function_change {
	char *function, *module;
	enum function_class class;
	double before, after;		  /* mean self cost per iteration */
	double total_before, total_after; /* with callees; recursion counted once */
	double share_before, share_after; /* of all: secondary, since shares depend on each other */
	double delta, low, high;	  /* self; 95 % interval by sign flips, NAN below 6 pairs */
	double p_adjusted;
	double contribution; /* delta over the delta of all; NAN if that is 0 */
	/*
	 * FUNCTION_MOVED: the nearest caller within which the cost moved (the function itself if it
	 * took over from its callees: inlining), and from or to which function; NULL if it is many
	 * small ones. NULL for other classes.
	 */
	char *caller, *counterpart;
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
	struct component_change *components; /* as given, then "other"; none if none are given */
	size_t n_components;
};

/*
 * Compares in pairs: repetition i with repetition i, as many as both have. Candidates have
 * function_candidate_share of all on either side. A function has changed if its adjusted p is below
 * function_alpha (self cost, sign flips with the maximum statistic), its delta is at least
 * function_total_share of all before, and its interval reaches function_growth of its own cost
 * before: a function that is 10 % dearer is estimated below 10 % every other time. 0 or -errno with
 * a sentence; -EINVAL if a component's regex is none, or if a side has no repetition.
 */
int functions_compare(const struct function_costs *before, const struct function_costs *after,
		      const struct policy_profile *policy,
		      const struct scenario_component *components, size_t n_components,
		      uint64_t seed, struct functions_comparison **ret);
void functions_comparison_free(struct functions_comparison *c);
DEFINE_FREEP(struct functions_comparison, functions_comparison_free)

/*
 * A new reference, or NULL without memory. Numbers are null where they are NAN:
 *   { "value": "cpu", "unit": "nanoseconds", "pairs": N, "candidates": N,
 *     "before": X, "after": X, "delta": X, "p": X, "explained": X, "unattributed": false,
 *     "counts": { "same": N, "grown": N, "new": N, "gone": N, "improved": N, "moved": N },
 *     "changes": [ { "function": "...", "module": "...", "class": "grown",
 *         "before": X, "after": X, "delta": X, "low": X, "high": X, "p_adjusted": X,
 *         "contribution": X, "total_before": X, "total_after": X, "share_before": X,
 *         "share_after": X, "caller": null, "counterpart": null } ],
 *     "changes_left_out": N,
 *     "components": [ { "component": "...", "before": X, "after": X, "delta": X,
 *         "contribution": X } ] }
 * "changes" has the first FUNCTIONS_JSON_CHANGES.
 */
#define FUNCTIONS_JSON_CHANGES 50
json_t *functions_json(const struct functions_comparison *c);
