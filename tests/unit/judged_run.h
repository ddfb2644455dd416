/* SPDX-License-Identifier: BSD-2-Clause */
/* judged_run: results of runs that never were, for tests of what judges them. */
#pragma once

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "user/bench/run_result.h"
#include "user/bench/statistics.h"

static const char *const some_metrics[] = { "wall_ns", "cpu_ns", "max_rss_bytes" };
#define SOME_METRICS 3

/* What a case takes: wall and CPU time in ms, memory in MB; each repetition off by some of 'noise'.
 */
struct some_case {
	const char *cell, *variant;
	double wall_ms, cpu_ms, rss_mb, noise;
};

static inline char *copy_of(const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	assert_true(copy || !text);
	return copy;
}

static inline void some_repetition(struct run_case *c, const struct some_case *what,
				   struct random *r, bool is_profile)
{
	struct run_repetition *one = &c->repetitions[c->n_repetitions];
	double factor = exp(what->noise * random_normal(r));

	*one = (struct run_repetition){
		.number = c->n_repetitions,
		.is_profile = is_profile,
		.iterations = 1,
		.values = calloc(SOME_METRICS, sizeof(double)),
	};
	assert_non_null(one->values);
	one->values[0] = what->wall_ms * 1e6 * factor;
	one->values[1] = what->cpu_ms * 1e6 * factor;
	one->values[2] = what->rss_mb * 1e6;
	c->n_repetitions++;
}

static inline void some_case_fill(struct run_case *c, const struct some_case *what, unsigned int n,
				  unsigned int n_profiles, struct random *r)
{
	char name[64];
	unsigned int i;

	snprintf(name, sizeof(name), "%s%s%s", what->cell, *what->cell && what->variant ? "." : "",
		 what->variant ? what->variant : "");
	c->name = copy_of(name);
	c->cell = copy_of(what->cell);
	c->variant = copy_of(what->variant);
	c->metrics = calloc(SOME_METRICS, sizeof(*c->metrics));
	c->repetitions = calloc(n + n_profiles, sizeof(*c->repetitions));
	assert_true(c->metrics && c->repetitions);
	for (i = 0; i < SOME_METRICS; i++)
		c->metrics[i] = (struct run_metric){ .name = copy_of(some_metrics[i]),
						     .unit = copy_of(i < 2 ? "ns" : "bytes") };
	c->n_metrics = SOME_METRICS;
	for (i = 0; i < n + n_profiles; i++)
		some_repetition(c, what, r, i >= n);
	c->n_profiles = n_profiles;
}

/* n repetitions of each case, on a quiet machine. */
static inline struct run_result *some_run(const struct some_case *cases, size_t n_cases,
					  unsigned int n, unsigned int n_profiles, uint64_t seed)
{
	struct run_result *r = calloc(1, sizeof(*r));
	struct random random;
	size_t i;

	assert_non_null(r);
	random_init(&random, seed);
	r->scenario = copy_of("some");
	r->policy = copy_of("nightly");
	r->policy_version = copy_of("1");
	r->environment.name = copy_of("here");
	strcpy(r->environment.fingerprint, "0123456789abcdef");
	r->seed = seed;
	r->cases = calloc(n_cases, sizeof(*r->cases));
	r->canaries = calloc(2, sizeof(*r->canaries));
	assert_true(r->cases && r->canaries);
	r->n_cases = n_cases;
	for (i = 0; i < n_cases; i++)
		some_case_fill(&r->cases[i], &cases[i], n, n_profiles, &random);
	r->canaries[0].ns = r->canaries[1].ns = 1000000;
	r->n_canaries = 2;
	return r;
}
