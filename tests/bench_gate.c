/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_gate: how often the gate is wrong about metrics, by simulation. Prints one line per
 * measure, "name value unit". Seeds are fixed: the same figures everywhere.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/bench/compare.h"
#include "user/bench/policy.h"
#include "user/bench/statistics.h"

/* --- metrics ------------------------------------------------------------------------------- */

#define COMPARISONS 2000
#define MOST_PAIRS  60

/* The machine's speed drifts: AR(1) from run to run with this deviation. Each run has its own
 * noise, and a few of them are disturbed by other programs. */
#define DRIFT	   0.03
#define DRIFT_STEP 0.95
#define NOISE	   0.015
#define SPIKES	   0.05

/* How much time a disturbance adds: on average so much, distributed exponentially; or anything
 * between, and as much to CPU time. */
enum spikes { SPIKES_OF_TENTH, SPIKES_HARD };
#define SPIKE_MEAN  0.10
#define SPIKE_LEAST 0.05
#define SPIKE_MOST  0.50

/* Gated together: two times that share the drift, and memory, which hardly varies. Who is put aside
 * loses wall time, but CPU time only by colder caches. */
#define METRICS 3
static const struct {
	const char *name;
	bool is_time;
	double noise, spike;
} metrics[METRICS] = { { "wall_ns", true, NOISE, 1 },
		       { "cpu_ns", true, NOISE, 1.0 / 3 },
		       { "max_rss_bytes", false, 0.003, 0 } };

enum order { IN_TURNS, ALL_A_THEN_ALL_B };

struct pairs {
	double before[METRICS][MOST_PAIRS], after[METRICS][MOST_PAIRS];
};

/* What is simulated: 'gated' of the metrics, the first ones, judged as a profile of the built-in
 * policy does. */
struct trial {
	const char *name, *profile;
	enum order order;
	size_t pairs;
	double ratio; /* what B takes, in time */
	enum spikes spikes;
	size_t gated;
};

/* Which runs are B: ABBA, of which each four are swapped by a coin; or the second half. */
static void lay_out(enum order order, size_t pairs, struct random *r, bool *ret_is_b)
{
	size_t i;
	bool swap = false;

	for (i = 0; i < 2 * pairs; i++) {
		if (i % 4 == 0)
			swap = random_u64(r) >> 63;
		ret_is_b[i] = order == IN_TURNS ? (i % 4 == 1 || i % 4 == 2) != swap : i >= pairs;
	}
}

static double draw_spike(enum spikes spikes, struct random *r)
{
	if (random_unit(r) >= SPIKES)
		return 0;
	if (spikes == SPIKES_HARD)
		return SPIKE_LEAST + (SPIKE_MOST - SPIKE_LEAST) * random_unit(r);
	return -SPIKE_MEAN * log(1 - random_unit(r));
}

static void simulate(const struct trial *t, size_t pairs, struct random *r, struct pairs *ret)
{
	double drift = DRIFT * random_normal(r);
	size_t of_a = 0, of_b = 0, i, k;
	bool is_b[2 * MOST_PAIRS];

	lay_out(t->order, pairs, r, is_b);
	for (i = 0; i < 2 * pairs; i++) {
		double spike = draw_spike(t->spikes, r);

		drift = DRIFT_STEP * drift +
			DRIFT * sqrt(1 - DRIFT_STEP * DRIFT_STEP) * random_normal(r);
		for (k = 0; k < METRICS; k++) {
			double noise = metrics[k].noise * random_normal(r);
			double hit = t->spikes == SPIKES_HARD && metrics[k].is_time
					     ? spike
					     : spike * metrics[k].spike;
			double value =
				1e9 * exp(noise + (metrics[k].is_time ? drift : 0)) * (1 + hit);

			if (is_b[i])
				ret->after[k][of_b] = value * (metrics[k].is_time ? t->ratio : 1);
			else
				ret->before[k][of_a] = value;
		}
		if (is_b[i])
			of_b++;
		else
			of_a++;
	}
}

/* 'without' judges by significance alone, without a least effect. */
static int judge(const struct trial *t, const struct policy_profile *policy, const struct pairs *p,
		 size_t pairs, bool without, struct metric_comparison *ret)
{
	struct metric_pairs m[METRICS];
	size_t k;

	for (k = 0; k < t->gated; k++) {
		m[k] = (struct metric_pairs){ .name = metrics[k].name,
					      .unit = "",
					      .better = BETTER_LOWER,
					      .before = p->before[k],
					      .after = p->after[k],
					      .n = pairs };
		policy_limits_of(policy, NULL, NULL, 0, m[k].name, false, &m[k].limits,
				 &m[k].is_gated);
		if (without)
			m[k].limits = (struct policy_limits){ 0 };
	}
	return compare_metrics(m, t->gated, policy, ret);
}

/* What a plain script would do: Student's t of two means, one-sided at 1 %, for each metric. The
 * critical value for 2 * 15 - 2 degrees of freedom is 2.467 (NIST/SEMATECH e-Handbook, 1.3.6.7.2).
 */
static bool t_test_alarms(const struct trial *t, const struct pairs *p)
{
	const size_t n = 15;
	size_t k, i;

	for (k = 0; k < t->gated && t->pairs == n; k++) {
		double before = 0, after = 0, squares = 0;

		for (i = 0; i < n; i++) {
			before += p->before[k][i] / (double)n;
			after += p->after[k][i] / (double)n;
		}
		for (i = 0; i < n; i++)
			squares +=
				pow(p->before[k][i] - before, 2) + pow(p->after[k][i] - after, 2);
		if ((after - before) / sqrt(squares / (double)(2 * n - 2) * 2 / (double)n) > 2.467)
			return true;
	}
	return false;
}

/* A comparison of fresh processes with twice the pairs: does the same metric alert again? */
static int confirm(const struct trial *t, const struct policy_profile *policy,
		   const struct metric_comparison *first, struct random *r, bool *ret)
{
	struct metric_comparison second[METRICS];
	struct pairs p;
	size_t k;
	int err;

	simulate(t, 2 * t->pairs, r, &p);
	err = judge(t, policy, &p, 2 * t->pairs, false, second);
	*ret = false;
	for (k = 0; k < t->gated && !err; k++)
		*ret |= first[k].verdict == VERDICT_REGRESSED &&
			compare_confirms(&first[k], &second[k]);
	return err;
}

/* The first metric tells whether the interval covers the truth. */
struct tally {
	unsigned int verdicts[4], confirmed, without, by_t, covered;
};

static int try_once(const struct trial *t, const struct policy_profile *policy, struct random *r,
		    struct tally *tally)
{
	struct metric_comparison c[METRICS];
	enum verdict verdict;
	struct pairs p;
	bool again = false;
	int err;

	simulate(t, t->pairs, r, &p);
	err = judge(t, policy, &p, t->pairs, true, c);
	if (err)
		return err;
	tally->without += compare_verdict(c, t->gated) == VERDICT_REGRESSED;
	err = judge(t, policy, &p, t->pairs, false, c);
	if (err)
		return err;
	verdict = compare_verdict(c, t->gated);
	tally->verdicts[verdict]++;
	tally->by_t += t_test_alarms(t, &p);
	tally->covered += c[0].low <= t->ratio - 1 && t->ratio - 1 <= c[0].high;
	if (verdict == VERDICT_REGRESSED)
		err = confirm(t, policy, c, r, &again);
	tally->confirmed += again;
	return err;
}

static void print_share(const struct trial *t, const char *what, unsigned int n)
{
	printf("%s_%s %.6f share\n", t->name, what, (double)n / COMPARISONS);
}

static int bench_metrics(const struct policy *policy, const struct trial *t)
{
	const struct policy_profile *profile;
	struct tally tally = { 0 };
	struct random r;
	int i, err = policy_find_profile(policy, t->profile, &profile);

	if (err)
		return err;
	random_init(&r, 1);
	for (i = 0; i < COMPARISONS; i++) {
		err = try_once(t, profile, &r, &tally);
		if (err)
			return err;
	}
	for (i = 0; i < 4; i++)
		print_share(t, verdict_names[i], tally.verdicts[i]);
	print_share(t, "confirmed", tally.confirmed);
	print_share(t, "without_effect", tally.without);
	print_share(t, "covered", tally.covered);
	if (t->pairs == 15)
		print_share(t, "t_test", tally.by_t);
	return 0;
}

static const struct trial trials[] = {
	{ "same", "nightly", IN_TURNS, 15, 1, SPIKES_OF_TENTH, METRICS },
	{ "same_halves", "nightly", ALL_A_THEN_ALL_B, 15, 1, SPIKES_OF_TENTH, METRICS },
	{ "same_hard", "nightly", IN_TURNS, 15, 1, SPIKES_HARD, METRICS },
	{ "same_smoke", "smoke", IN_TURNS, 10, 1, SPIKES_OF_TENTH, METRICS },
	{ "same_nightly", "nightly", IN_TURNS, 20, 1, SPIKES_OF_TENTH, METRICS },
	{ "same_release", "release", IN_TURNS, 30, 1, SPIKES_OF_TENTH, METRICS },
	{ "worse_5", "nightly", IN_TURNS, 15, 1.05, SPIKES_OF_TENTH, METRICS },
	{ "worse_8", "nightly", IN_TURNS, 15, 1.08, SPIKES_OF_TENTH, METRICS },
	{ "worse_8_alone", "nightly", IN_TURNS, 15, 1.08, SPIKES_OF_TENTH, 1 },
	{ "worse_8_hard", "nightly", IN_TURNS, 15, 1.08, SPIKES_HARD, METRICS },
	{ "worse_8_hard_30", "nightly", IN_TURNS, 30, 1.08, SPIKES_HARD, METRICS },
	{ "worse_8_halves", "nightly", ALL_A_THEN_ALL_B, 15, 1.08, SPIKES_OF_TENTH, METRICS },
	{ "worse_8_smoke", "smoke", IN_TURNS, 10, 1.08, SPIKES_OF_TENTH, METRICS },
	{ "worse_8_nightly", "nightly", IN_TURNS, 20, 1.08, SPIKES_OF_TENTH, METRICS },
	{ "worse_8_release", "release", IN_TURNS, 30, 1.08, SPIKES_OF_TENTH, METRICS },
	{ "worse_5_release", "release", IN_TURNS, 30, 1.05, SPIKES_OF_TENTH, METRICS },
};

/* --- time ---------------------------------------------------------------------------------- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int bench_sign_flip(size_t series, size_t pairs)
{
	_cleanup_(freep) double *d = malloc(series * pairs * sizeof(*d));
	_cleanup_(freep) double *p = malloc(series * sizeof(*p));
	struct random r;
	double start;
	size_t i;
	int err;

	if (!d || !p)
		return errf(-ENOMEM, "cannot make %zu series", series);
	random_init(&r, 3);
	for (i = 0; i < series * pairs; i++)
		d[i] = random_normal(&r);
	start = now();
	err = sign_flip_max_t(d, series, pairs, SIGN_FLIP_PERMUTATIONS, 1, p);
	if (!err)
		printf("sign_flip_%zu %.3f s\n", pairs, now() - start);
	return err;
}

int main(void)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	size_t i;
	int err = policy_read(NULL, &policy);

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < ARRAY_SIZE(trials) && !err; i++)
		err = bench_metrics(policy, &trials[i]);
	(void)(err || (err = bench_sign_flip(2000, 12)) || (err = bench_sign_flip(2000, 30)));
	if (err)
		fprintf(stderr, "bench_gate: %s\n", err_text());
	return err ? 1 : 0;
}
