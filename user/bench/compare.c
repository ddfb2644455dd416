/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/compare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/bench/change.h"
#include "user/bench/statistics.h"

const char *const verdict_names[4] = { "passed", "improved", "regressed", "inconclusive" };

/* A difference that rounding alone keeps from being equal to its bound is equal to it. */
#define ROUNDING 1e-12

/* What is decided by, in that scale. */
struct judgement {
	double estimate, low, high;
	double min_effect, alert, limit;
};

/* One-sided p of 'sign' times the changes beyond the least that counts. */
static double p_beyond(const double *d, size_t n, int sign, double min_effect, double *room)
{
	size_t i;

	for (i = 0; i < n; i++) {
		room[i] = sign * d[i] - min_effect;
		if (fabs(room[i]) < ROUNDING)
			room[i] = 0;
	}
	return signed_rank_p(room, n);
}

static double normal_quantile(double p)
{
	double low = -40, high = 40;
	int i;

	for (i = 0; i < 100; i++) {
		double z = (low + high) / 2;

		*(erfc(-z / M_SQRT2) / 2 < p ? &low : &high) = z;
	}
	return (low + high) / 2;
}

/*
 * The change that this noise would have let be seen: the test rejects as soon as its own one-sided
 * lower bound is beyond the least effect, which happens half of the time at that distance; for the
 * power that is asked for, the estimate's standard error is added so many times as a normal
 * distribution wants.
 */
static int find_detectable(const double *d, size_t n, const struct policy_profile *policy,
			   size_t family, const struct judgement *j, double *ret)
{
	double low, high, error;
	int err;

	*ret = NAN;
	err = hodges_lehmann_interval(d, n, 1 - 2 * policy->alpha / (double)family, &low, &high);
	if (err)
		return err;
	if (!isfinite(low) || !isfinite(j->low))
		return 0;
	error = (j->high - j->low) / 2 / normal_quantile((1 + policy->confidence) / 2);
	*ret = fmax(j->min_effect + (j->estimate - low), j->alert) +
	       error * fmax(0, normal_quantile(policy->power));
	return 0;
}

/* All but the adjusted p and what follows from it. 'room' is for 3 * m->n numbers. */
static int measure_metric(const struct metric_pairs *m, const struct policy_profile *policy,
			  size_t family, double *room, struct metric_comparison *c,
			  struct judgement *j)
{
	double *before = room, *after = before + m->n, *d = after + m->n, detectable;
	struct change_scale s;
	size_t n;
	int err = changes_of(m, &s, before, after, d, &n);

	if (err)
		return err;
	*c = (struct metric_comparison){ .name = m->name,
					 .unit = m->unit,
					 .better = m->better,
					 .is_gated = m->is_gated,
					 .limits = m->limits,
					 .n = n,
					 .before = NAN,
					 .after = NAN,
					 .change = NAN,
					 .low = NAN,
					 .high = NAN,
					 .p = 1,
					 .p_improved = 1,
					 .detectable = NAN };
	if (!n)
		return 0;
	c->before = median_of(before, n);
	c->after = median_of(after, n);
	j->min_effect = change_to_scale(&s, m->limits.min_effect);
	j->alert = change_to_scale(&s, m->limits.alert);
	j->limit = change_to_scale(&s, m->limits.limit);
	j->estimate = hodges_lehmann(d, n);
	err = hodges_lehmann_interval(d, n, policy->confidence, &j->low, &j->high);
	if (!err)
		err = find_detectable(d, n, policy, family, j, &detectable);
	if (err)
		return err;
	/* The values are no longer needed. */
	c->p = p_beyond(d, n, 1, j->min_effect, room);
	c->p_improved = p_beyond(d, n, -1, j->min_effect, room);
	if (isnan(c->p) || isnan(c->p_improved) || isnan(j->estimate) || isnan(c->before) ||
	    isnan(c->after))
		return errf(-ENOMEM, "cannot compare %zu pairs of '%s'", n, m->name);
	c->change = change_from_scale(&s, j->estimate);
	c->low = change_from_scale(&s, j->low);
	c->high = change_from_scale(&s, j->high);
	c->detectable = change_from_scale(&s, detectable);
	return 0;
}

/* Holm over the metrics that are gated; each of the others, which are only told, as one of all. */
static int adjust(struct metric_comparison *m, size_t n)
{
	_cleanup_(freep) double *p = calloc(4 * n + 1, sizeof(*p));
	double *adjusted = p ? p + n : NULL;
	int err = 0, only_gated, improved;
	size_t i, k;

	if (!p)
		return errf(-ENOMEM, "cannot compare %zu metrics", n);
	for (only_gated = 0; only_gated < 2; only_gated++) {
		for (improved = 0; improved < 2 && !err; improved++) {
			for (i = k = 0; i < n; i++) {
				if (!only_gated || m[i].is_gated)
					p[k++] = improved ? m[i].p_improved : m[i].p;
			}
			err = holm_adjust(p, k, adjusted);
			for (i = k = 0; i < n && !err; i++) {
				if (only_gated && !m[i].is_gated)
					continue;
				*(improved ? &m[i].p_improved_adjusted : &m[i].p_adjusted) =
					adjusted[k++];
			}
		}
	}
	return err;
}

static void set(struct metric_comparison *c, enum verdict verdict, const char *reason)
{
	c->verdict = verdict;
	c->reason = reason;
}

static void decide(struct metric_comparison *c, const struct judgement *j, double alpha)
{
	bool is_worse = c->p_adjusted < alpha, is_better = c->p_improved_adjusted < alpha;

	if (!c->n) {
		set(c, VERDICT_INCONCLUSIVE, "no_values");
	} else if (is_worse && j->estimate >= j->alert - ROUNDING) {
		c->is_flagged = c->limits.flags_only;
		if (c->is_flagged)
			set(c, VERDICT_INCONCLUSIVE, "flagged");
		else
			set(c, VERDICT_REGRESSED, "beyond_limit");
	} else if (is_better && -j->estimate >= j->alert - ROUNDING) {
		set(c, VERDICT_IMPROVED, "improved");
	} else if (j->high <= j->limit + ROUNDING) {
		set(c, VERDICT_PASSED, "within_limit");
	} else if (isnan(c->detectable)) {
		set(c, VERDICT_INCONCLUSIVE, "too_few_pairs");
	} else if (is_worse) {
		set(c, VERDICT_INCONCLUSIVE, "below_alert");
	} else {
		set(c, VERDICT_INCONCLUSIVE, "too_noisy");
	}
}

int compare_metrics(const struct metric_pairs *metrics, size_t n,
		    const struct policy_profile *policy, struct metric_comparison *ret)
{
	_cleanup_(freep) struct judgement *judgements = calloc(n + 1, sizeof(*judgements));
	_cleanup_(freep) double *room = NULL;
	size_t i, most = 0, gated = 0;
	int err;

	for (i = 0; i < n; i++) {
		most = metrics[i].n > most ? metrics[i].n : most;
		gated += metrics[i].is_gated;
	}
	room = calloc(most + 1, 3 * sizeof(*room));
	if (!judgements || !room)
		return errf(-ENOMEM, "cannot compare %zu metrics", n);
	for (i = 0; i < n; i++) {
		err = measure_metric(&metrics[i], policy, metrics[i].is_gated ? gated : n, room,
				     &ret[i], &judgements[i]);
		if (err)
			return err;
	}
	err = adjust(ret, n);
	for (i = 0; i < n && !err; i++)
		decide(&ret[i], &judgements[i], policy->alpha);
	return err;
}

enum verdict compare_verdict(const struct metric_comparison *m, size_t n)
{
	bool seen[4] = { false }, judged = false, decides = false, doubts = false;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!m[i].is_gated)
			continue;
		if (m[i].limits.flags_only)
			doubts |= m[i].verdict == VERDICT_INCONCLUSIVE;
		else
			seen[m[i].verdict] = decides = true;
		judged = true;
	}
	if (seen[VERDICT_REGRESSED])
		return VERDICT_REGRESSED;
	if (seen[VERDICT_INCONCLUSIVE] || !judged || (!decides && doubts))
		return VERDICT_INCONCLUSIVE;
	return seen[VERDICT_IMPROVED] ? VERDICT_IMPROVED : VERDICT_PASSED;
}

bool compare_confirms(const struct metric_comparison *first, const struct metric_comparison *second)
{
	bool alerted = first->is_flagged || first->verdict == VERDICT_REGRESSED ||
		       first->verdict == VERDICT_IMPROVED;

	return alerted && !strcmp(first->name, second->name) && first->verdict == second->verdict &&
	       first->is_flagged == second->is_flagged;
}
