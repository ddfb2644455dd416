/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_functions: how often functions are blamed that did not change, and found that did, by
 * simulation. Prints one line per measure, "name value unit". Seeds are fixed.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/bench/functions.h"
#include "user/bench/policy.h"
#include "user/bench/statistics.h"
#include "user/model/profile.h"

#define FUNCTIONS     200
#define MOST_PAIRS    12
#define SAMPLES	      10000 /* of one repetition: ten seconds at 999 Hz */
#define NS_PER_SAMPLE 1001001
#define NOISE	      0.015

/* Each function's own variation beside that of sampling, from the first of these to the last. */
#define OWN_LEAST 0.05
#define OWN_MOST  0.15

struct trial {
	const char *name;
	unsigned int comparisons;
	size_t pairs;
	double ratio;  /* what the first function takes after */
	bool is_plain; /* each function varies by sampling alone */
};

static double poisson(struct random *r, double mean)
{
	double limit = exp(-mean), product = random_unit(r);
	unsigned int n = 0;

	/* Beyond some hundreds the difference is nobody's business. */
	if (mean > 300)
		return fmax(0, round(mean + sqrt(mean) * random_normal(r)));
	for (; product > limit; n++)
		product *= random_unit(r);
	return n;
}

/* Shares fall like 1 / rank, as those of real profiles about do. */
static double share_of(size_t function)
{
	static double all;
	size_t i;

	for (i = 0; all == 0 && i < FUNCTIONS; i++)
		all += 1.0 / (double)(i + 1);
	return 1 / all / (double)(function + 1);
}

static int add_function(struct profile *p, const char *name, uint32_t parent, uint32_t *ret)
{
	struct profile_frame frame = { .mapping = PROFILE_NONE, .named = 1 };
	uint32_t number;
	int err = profile_add_string(p, name, &frame.function);

	if (!err)
		err = profile_add_frame(p, &frame, &number);
	return err ? err : profile_add_node(p, parent, number, ret);
}

/* One main that calls them all. */
static int add_functions(struct profile *p, uint32_t *nodes)
{
	uint32_t root;
	char name[32];
	int err = add_function(p, "main", PROFILE_NONE, &root);
	size_t i;

	for (i = 0; i < FUNCTIONS && !err; i++) {
		snprintf(name, sizeof(name), "f%zu", i);
		err = add_function(p, name, root, &nodes[i]);
	}
	return err;
}

/* The whole repetition is faster or slower, each function varies, and what is seen is sampled. */
static int add_repetition(struct profile *p, const uint32_t *nodes, const struct trial *t,
			  size_t repetition, double ratio, struct random *r)
{
	struct profile_label label = { .num = (int64_t)repetition };
	double run = exp(NOISE * random_normal(r));
	uint32_t labels;
	int err = profile_add_string(p, LABEL_REPETITION, &label.key);
	size_t i;

	if (!err)
		err = profile_add_labels(p, &label, 1, &labels);
	for (i = 0; i < FUNCTIONS && !err; i++) {
		double own = OWN_LEAST + (OWN_MOST - OWN_LEAST) * (double)(i * 7 % 10) / 9;
		double mean = SAMPLES * share_of(i) * run * (i ? 1 : ratio);
		int64_t ns;

		if (!t->is_plain)
			mean *= exp(own * random_normal(r));
		ns = (int64_t)poisson(r, mean) * NS_PER_SAMPLE;
		if (ns)
			err = profile_add_sample(p, nodes[i], labels, &ns);
	}
	return err;
}

static int draw_profile(const struct trial *t, double ratio, struct random *r, struct profile **ret)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	uint32_t nodes[FUNCTIONS];
	size_t i;
	int err;

	if (!p)
		return -ENOMEM;
	err = profile_add_value_type(p, "cpu", "nanoseconds");
	if (!err)
		err = add_functions(p, nodes);
	for (i = 0; i < t->pairs && !err; i++)
		err = add_repetition(p, nodes, t, i, ratio, r);
	if (err)
		return err;
	*ret = take(p);
	return 0;
}

static int draw_comparison(const struct trial *t, const struct policy_profile *policy,
			   struct random *r, struct functions_comparison **ret)
{
	_cleanup_(profile_freep) struct profile *before = NULL, *after = NULL;
	_cleanup_(function_costs_freep) struct function_costs *b = NULL, *a = NULL;
	double iterations[MOST_PAIRS];
	size_t i;
	int err;

	for (i = 0; i < t->pairs; i++)
		iterations[i] = 1;
	err = draw_profile(t, 1, r, &before);
	if (!err)
		err = draw_profile(t, t->ratio, r, &after);
	if (!err)
		err = function_costs_new(before, 0, iterations, t->pairs, &b);
	if (!err)
		err = function_costs_new(after, 0, iterations, t->pairs, &a);
	return err ? err : functions_compare(b, a, policy, NULL, 0, random_u64(r), ret);
}

struct tally {
	unsigned int any;    /* a function that did not change is significant, */
	unsigned int blamed; /* and large enough to be named */
	unsigned int found;  /* the one that did is named, */
	unsigned int first;  /* before all others, */
	double contribution; /* with this on average */
};

static void count(const struct functions_comparison *c, const struct trial *t,
		  const struct policy_profile *policy, struct tally *tally)
{
	bool any = false, blamed = false;
	size_t i;

	for (i = 0; i < c->n_changes; i++) {
		const struct function_change *f = &c->changes[i];
		bool is_named = f->class != FUNCTION_SAME;

		if (t->ratio != 1 && !strcmp(f->function, "f0")) {
			tally->found += f->class == FUNCTION_GROWN;
			tally->first += f->class == FUNCTION_GROWN && i == 0;
			tally->contribution += f->contribution / t->comparisons;
			continue;
		}
		any |= f->p_adjusted < policy->function_alpha;
		blamed |= is_named;
	}
	tally->any += any;
	tally->blamed += blamed;
}

static int bench(const struct trial *t, const struct policy_profile *policy)
{
	struct tally tally = { 0 };
	struct random r;
	unsigned int i;
	int err;

	random_init(&r, 2);
	for (i = 0; i < t->comparisons; i++) {
		_cleanup_(functions_comparison_freep) struct functions_comparison *c = NULL;

		err = draw_comparison(t, policy, &r, &c);
		if (err)
			return err;
		count(c, t, policy, &tally);
	}
	printf("%s_any %.6f share\n", t->name, (double)tally.any / t->comparisons);
	printf("%s_blamed %.6f share\n", t->name, (double)tally.blamed / t->comparisons);
	printf("%s_found %.6f share\n", t->name, (double)tally.found / t->comparisons);
	printf("%s_first %.6f share\n", t->name, (double)tally.first / t->comparisons);
	printf("%s_contribution %.6f share\n", t->name, tally.contribution);
	return 0;
}

static const struct trial trials[] = {
	{ "same_8", 1000, 8, 1, false },	 { "same_12", 1000, 12, 1, false },
	{ "first_20_8", 400, 8, 1.20, false },	 { "first_20_12", 400, 12, 1.20, false },
	{ "first_10_12", 400, 12, 1.10, false }, { "first_10_12_plain", 400, 12, 1.10, true },
};

int main(void)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	const struct policy_profile *nightly;
	int err = policy_read(NULL, &policy);
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!err)
		err = policy_find_profile(policy, "nightly", &nightly);
	for (i = 0; i < ARRAY_SIZE(trials) && !err; i++)
		err = bench(&trials[i], nightly);
	if (err)
		fprintf(stderr, "bench_functions: %s\n", err_text());
	return err ? 1 : 0;
}
