/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/calibrate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"
#include "user/bench/change.h"
#include "user/bench/statistics.h"

#define ROUNDS	     2000
#define POWER_ROUNDS 1000

/* Of a normal distribution, the median distance from the median is so much less than sigma. */
#define MAD_TO_SIGMA 1.4826

struct noise {
	const double *d; /* changes of the program against itself, in their order */
	size_t n;
	size_t block;
	struct random random;
	double level;  /* of one test: the strictest of Holm's */
	double family; /* metrics that are gated together */
};

void calibration_free(struct calibration *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->n_metrics; i++)
		free(c->metrics[i].name);
	free(c->metrics);
	free(c->scenario);
	free(c->environment);
	free(c->policy);
	free(c);
}

static double robust_deviation(const double *d, size_t n, double *room)
{
	double middle = median_of(d, n);
	size_t i;

	for (i = 0; i < n; i++)
		room[i] = fabs(d[i] - middle);
	return MAD_TO_SIGMA * median_of(room, n);
}

/* NAN if nothing varies. */
static double autocorrelation(const double *d, size_t n)
{
	double mean = 0, squares = 0, products = 0;
	size_t i;

	for (i = 0; i < n; i++)
		mean += d[i] / (double)n;
	for (i = 0; i < n; i++) {
		squares += (d[i] - mean) * (d[i] - mean);
		products += i ? (d[i] - mean) * (d[i - 1] - mean) : 0;
	}
	return squares > 0 ? products / squares : NAN;
}

/*
 * So many changes as this noise might have given: blocks from anywhere, each with a coin's sign.
 * Since both sides are the same program, exchanging them for as long as the noise hangs together
 * gives what might have been as well.
 */
static void resample(struct noise *noise, size_t n, double *ret)
{
	size_t i, k;

	for (i = 0; i < n;) {
		size_t from = random_below(&noise->random, noise->n);
		double sign = random_u64(&noise->random) >> 63 ? -1 : 1;

		for (k = 0; k < noise->block && i < n; k++)
			ret[i++] = sign * noise->d[(from + k) % noise->n];
	}
}

static void shift(double *d, size_t n, double by)
{
	size_t i;

	for (i = 0; i < n; i++)
		d[i] += by;
}

/* False alarms of the policy's limits, and the limits at which there are as few as wanted. */
static int find_limits(struct noise *noise, const struct policy_profile *policy,
		       const struct policy_limits *limits, const struct change_scale *s,
		       struct calibration_metric *m)
{
	double min_effect = change_to_scale(s, limits->min_effect),
	       alert = change_to_scale(s, limits->alert), low, high, unused;
	_cleanup_(freep) double *room = calloc(2 * ROUNDS + policy->repeat, sizeof(*room));
	double *lows = room, *highs = room ? room + ROUNDS : NULL,
	       *d = room ? highs + ROUNDS : NULL;
	size_t n = policy->repeat, alarms = 0, i;
	int err;

	if (!lows)
		return errf(-ENOMEM, "cannot calibrate '%s'", m->name);
	highs = lows + ROUNDS;
	d = highs + ROUNDS;
	for (i = 0; i < ROUNDS; i++) {
		resample(noise, n, d);
		/* The test rejects what is below its own one-sided bound. */
		err = hodges_lehmann_interval(d, n, 1 - 2 * noise->level, &low, &unused);
		if (!err)
			err = hodges_lehmann_interval(d, n, policy->confidence, &unused, &high);
		if (err)
			return err;
		alarms += low > min_effect && hodges_lehmann(d, n) >= alert;
		lows[i] = low;
		highs[i] = high;
	}
	m->false_alarms = (double)alarms / ROUNDS;
	low = quantile_of(lows, ROUNDS, 1 - CALIBRATION_FALSE_ALARMS / noise->family);
	high = quantile_of(highs, ROUNDS, CALIBRATION_PASSES);
	m->min_effect = isfinite(low) ? change_from_scale(s, fmax(0, low)) : 0;
	m->limit = isfinite(high) ? change_from_scale(s, fmax(0, high)) : NAN;
	return 0;
}

static int has_power(struct noise *noise, size_t n, double beyond, double *room, bool *ret)
{
	double critical = signed_rank_critical(n, noise->level);
	unsigned int seen = 0, i;

	if (isnan(critical))
		return errf(-ENOMEM, "cannot calibrate by %zu pairs", n);
	for (i = 0; i < POWER_ROUNDS && isfinite(critical); i++) {
		resample(noise, n, room);
		shift(room, n, beyond);
		seen += signed_rank_sum(room, n) >= critical;
	}
	*ret = seen >= CALIBRATION_POWER * POWER_ROUNDS;
	return 0;
}

/* By bisection: more pairs see more. */
static int find_pairs(struct noise *noise, double effect, double min_effect, unsigned int *ret)
{
	_cleanup_(freep) double *room = calloc(CALIBRATION_MAX_PAIRS, sizeof(*room));
	size_t too_few = 0, enough = CALIBRATION_MAX_PAIRS;
	bool is_seen = false;
	int err = 0;

	if (!room)
		return errf(-ENOMEM, "cannot calibrate by %zu pairs", enough);
	*ret = 0;
	if (effect <= min_effect)
		return 0;
	err = has_power(noise, enough, effect - min_effect, room, &is_seen);
	if (err || !is_seen)
		return err;
	while (enough - too_few > 1 && !err) {
		size_t middle = (too_few + enough) / 2;

		err = has_power(noise, middle, effect - min_effect, room, &is_seen);
		*(is_seen ? &enough : &too_few) = middle;
	}
	*ret = (unsigned int)enough;
	return err;
}

static int calibrate_metric(const struct metric_pairs *p, const struct policy_profile *policy,
			    const struct change_scale *s, struct noise *noise, double *room,
			    struct calibration_metric *m)
{
	double low, high, min_effect;
	int err;

	m->is_gated = p->is_gated;
	m->is_points = p->limits.is_points;
	m->n = noise->n;
	m->noise = robust_deviation(noise->d, noise->n, room);
	m->autocorrelation = autocorrelation(noise->d, noise->n);
	m->change = change_from_scale(s, hodges_lehmann(noise->d, noise->n));
	err = hodges_lehmann_interval(noise->d, noise->n, policy->confidence, &low, &high);
	if (err)
		return err;
	m->low = change_from_scale(s, low);
	m->high = change_from_scale(s, high);
	err = find_limits(noise, policy, &p->limits, s, m);
	if (err)
		return err;
	min_effect = change_to_scale(s, fmax(p->limits.min_effect, m->min_effect));
	err = find_pairs(noise, change_to_scale(s, CALIBRATION_SMALL), min_effect,
			 &m->pairs_for_small);
	if (!err)
		err = find_pairs(noise, change_to_scale(s, CALIBRATION_LARGE), min_effect,
				 &m->pairs_for_large);
	return err;
}

/* Adds what is known of the metric; nothing if that is too little. */
static int add_metric(struct calibration *c, const struct metric_pairs *p,
		      const struct policy_profile *policy, size_t gated, uint64_t seed)
{
	_cleanup_(freep) double *room = calloc(3 * p->n + 1, sizeof(*room));
	struct calibration_metric *m = &c->metrics[c->n_metrics];
	double family = gated ? (double)gated : 1;
	struct noise noise;
	struct change_scale s;
	int err;

	if (!room)
		return errf(-ENOMEM, "cannot calibrate '%s'", p->name);
	noise = (struct noise){ .d = room + 2 * p->n,
				.level = policy->alpha / family,
				.family = family };
	err = changes_of(p, &s, room, room + p->n, room + 2 * p->n, &noise.n);
	if (err)
		return err;
	if (noise.n < CALIBRATION_MIN_PAIRS)
		return 0;
	noise.block = (size_t)lround(cbrt((double)noise.n));
	random_init(&noise.random, seed);
	m->name = strdup(p->name);
	if (!m->name)
		return errf(-ENOMEM, "cannot calibrate '%s'", p->name);
	c->n_metrics++;
	return calibrate_metric(p, policy, &s, &noise, room, m);
}

int calibrate(const struct metric_pairs *metrics, size_t n, const struct policy_profile *policy,
	      uint64_t seed, struct calibration **ret)
{
	_cleanup_(calibration_freep) struct calibration *c = calloc(1, sizeof(*c));
	size_t gated = 0, i;
	int err;

	if (!c)
		return errf(-ENOMEM, "cannot calibrate");
	c->metrics = calloc(n + 1, sizeof(*c->metrics));
	c->policy = strdup(policy->name);
	if (!c->metrics || !c->policy)
		return errf(-ENOMEM, "cannot calibrate");
	c->alpha = policy->alpha;
	c->repeat = policy->repeat;
	for (i = 0; i < n; i++)
		gated += metrics[i].is_gated;
	for (i = 0; i < n; i++) {
		err = add_metric(c, &metrics[i], policy, gated, seed);
		if (err)
			return err;
	}
	if (!c->n_metrics)
		return errf(-EINVAL, "no metric has %d pairs of values: nothing to calibrate by",
			    CALIBRATION_MIN_PAIRS);
	*ret = take(c);
	return 0;
}

void calibration_apply(const struct calibration *c, const char *metric,
		       struct policy_limits *limits)
{
	size_t i;

	for (i = 0; i < c->n_metrics; i++) {
		const struct calibration_metric *m = &c->metrics[i];

		if (strcmp(m->name, metric) || m->is_points != limits->is_points)
			continue;
		/* fmax() passes over a NAN. */
		limits->min_effect = fmax(limits->min_effect, m->min_effect);
		limits->alert = fmax(limits->alert, limits->min_effect);
		limits->limit = fmax(limits->limit, m->limit);
	}
}
