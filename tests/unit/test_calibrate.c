/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/json_at.h"
#include "tests/unit/schema.h"

#include <errno.h>
#include <math.h>

#include "user/base/err.h"
#include "user/bench/calibrate.h"
#include "user/bench/statistics.h"

#define PAIRS 60

static const struct policy_profile policy = {
	.name = (char *)"nightly", .repeat = 15, .alpha = 0.01, .confidence = 0.95, .power = 0.8
};
static const struct policy_limits limits = { .min_effect = 0.03, .alert = 0.05, .limit = 0.05 };

struct pairs {
	double before[PAIRS], after[PAIRS];
};

/* The same program twice; the noise of a pair is sqrt(2) of this. 'drift' is of a random walk that
 * A and B feel alike, but B more. */
static struct pairs noisy(uint64_t seed, double noise, double drift)
{
	struct pairs p;
	struct random r;
	double walk = 0;
	size_t i;

	random_init(&r, seed);
	for (i = 0; i < PAIRS; i++) {
		walk = 0.9 * walk + drift * random_normal(&r);
		p.before[i] = 100 * exp(noise * random_normal(&r));
		p.after[i] = 100 * exp(noise * random_normal(&r) + walk);
	}
	return p;
}

static struct metric_pairs metric(const char *name, const struct pairs *p)
{
	return (struct metric_pairs){ .name = name,
				      .unit = "ns",
				      .better = BETTER_LOWER,
				      .is_gated = true,
				      .limits = limits,
				      .before = p->before,
				      .after = p->after,
				      .n = PAIRS };
}

static struct calibration *calibrated(const struct metric_pairs *m, size_t n)
{
	struct calibration *c = NULL;

	assert_int_equal(calibrate(m, n, &policy, 1, &c), 0);
	assert_non_null(c);
	return c;
}

static void the_noise_of_a_pair_is_found(void **state)
{
	struct pairs quiet = noisy(1, 0.01, 0), loud = noisy(2, 0.05, 0);
	struct metric_pairs m[] = { metric("quiet", &quiet), metric("loud", &loud) };
	_cleanup_(calibration_freep) struct calibration *c = calibrated(m, 2);

	(void)state;
	assert_int_equal(c->n_metrics, 2);
	assert_string_equal(c->metrics[0].name, "quiet");
	assert_int_equal(c->metrics[0].n, PAIRS);
	assert_true(fabs(c->metrics[0].noise / (0.01 * M_SQRT2) - 1) < 0.3);
	assert_true(fabs(c->metrics[1].noise / (0.05 * M_SQRT2) - 1) < 0.3);
	assert_true(fabs(c->metrics[0].autocorrelation) < 0.35);
	assert_true(c->metrics[0].low < 0 && c->metrics[0].high > 0);
	assert_true(c->metrics[0].low < c->metrics[0].change &&
		    c->metrics[0].change < c->metrics[0].high);
}

static void a_quiet_machine_needs_no_wider_limits(void **state)
{
	struct pairs p = noisy(1, 0.01, 0);
	struct metric_pairs m = metric("wall_ns", &p);
	_cleanup_(calibration_freep) struct calibration *c = calibrated(&m, 1);
	struct policy_limits applied = limits;

	(void)state;
	assert_true(c->metrics[0].false_alarms == 0);
	assert_true(c->metrics[0].min_effect < 0.01);
	assert_true(c->metrics[0].limit < 0.03);
	calibration_apply(c, "wall_ns", &applied);
	assert_memory_equal(&applied, &limits, sizeof(limits));
}

/* Noise that hangs together over pairs is what pairs cannot take away. */
static void drift_widens_the_limits(void **state)
{
	struct pairs p = noisy(3, 0.01, 0.08);
	struct metric_pairs m = metric("wall_ns", &p);
	_cleanup_(calibration_freep) struct calibration *c = calibrated(&m, 1);
	struct policy_limits applied = limits, other = limits, points = limits;

	(void)state;
	assert_true(c->metrics[0].autocorrelation > 0.4);
	assert_true(c->metrics[0].false_alarms > CALIBRATION_FALSE_ALARMS);
	assert_true(c->metrics[0].min_effect > 0.03);
	assert_true(c->metrics[0].limit > 0.10);
	calibration_apply(c, "wall_ns", &applied);
	assert_true(applied.min_effect == c->metrics[0].min_effect);
	assert_true(applied.limit == c->metrics[0].limit);
	assert_true(applied.alert >= applied.min_effect && applied.alert >= limits.alert);
	calibration_apply(c, "cpu_ns", &other);
	assert_memory_equal(&other, &limits, sizeof(limits));
	points.is_points = true;
	calibration_apply(c, "wall_ns", &points);
	assert_true(points.min_effect == limits.min_effect);
}

/* What it derives is true: comparisons of that noise alert seldom with the limits that it found. */
static void with_the_limits_that_were_found_alarms_are_few(void **state)
{
	unsigned int before = 0, after = 0, round;
	struct pairs p = noisy(3, 0.01, 0.08);
	struct metric_pairs m = metric("wall_ns", &p);
	_cleanup_(calibration_freep) struct calibration *c = calibrated(&m, 1);
	struct metric_comparison result;

	(void)state;
	for (round = 0; round < 1000; round++) {
		struct pairs again = noisy(100 + round, 0.01, 0.08);

		m = metric("wall_ns", &again);
		m.n = policy.repeat;
		assert_int_equal(compare_metrics(&m, 1, &policy, &result), 0);
		before += result.verdict == VERDICT_REGRESSED;
		calibration_apply(c, "wall_ns", &m.limits);
		assert_int_equal(compare_metrics(&m, 1, &policy, &result), 0);
		after += result.verdict == VERDICT_REGRESSED;
	}
	assert_true(before > 100);
	assert_true(after < before / 4);
}

/* So many pairs see it nine times of ten; half as many do not. */
static void the_pairs_that_are_needed_are_enough(void **state)
{
	struct pairs p = noisy(5, 0.04, 0);
	struct metric_pairs m = metric("wall_ns", &p);
	_cleanup_(calibration_freep) struct calibration *c = calibrated(&m, 1);
	unsigned int pairs = c->metrics[0].pairs_for_large, seen = 0, half = 0, round;
	struct metric_comparison result;

	(void)state;
	assert_in_range(pairs, 12, PAIRS);
	assert_true(c->metrics[0].pairs_for_small > pairs || !c->metrics[0].pairs_for_small);
	for (round = 0; round < 400; round++) {
		struct pairs again = noisy(100 + round, 0.04, 0);
		size_t i;

		for (i = 0; i < PAIRS; i++)
			again.after[i] *= 1 + CALIBRATION_LARGE;
		m = metric("wall_ns", &again);
		m.n = pairs;
		assert_int_equal(compare_metrics(&m, 1, &policy, &result), 0);
		seen += result.p < policy.alpha;
		m.n = pairs / 2;
		assert_int_equal(compare_metrics(&m, 1, &policy, &result), 0);
		half += result.p < policy.alpha;
	}
	assert_true(seen > 400 * 75 / 100);
	assert_true(half < seen * 3 / 4);
}

static void a_larger_family_needs_more_pairs(void **state)
{
	struct pairs p = noisy(5, 0.04, 0);
	struct metric_pairs m[] = { metric("a", &p), metric("b", &p), metric("c", &p),
				    metric("d", &p) };
	_cleanup_(calibration_freep) struct calibration *one = calibrated(m, 1);
	_cleanup_(calibration_freep) struct calibration *four = calibrated(m, 4);

	(void)state;
	assert_true(four->metrics[0].pairs_for_large > one->metrics[0].pairs_for_large);
}

static void what_never_varies_is_calibrated_too(void **state)
{
	struct pairs p = noisy(1, 0, 0);
	struct metric_pairs m = metric("max_rss_bytes", &p);
	_cleanup_(calibration_freep) struct calibration *c = calibrated(&m, 1);

	(void)state;
	assert_true(c->metrics[0].noise == 0 && c->metrics[0].min_effect == 0);
	assert_true(c->metrics[0].limit == 0 && isnan(c->metrics[0].autocorrelation));
	assert_int_equal(c->metrics[0].pairs_for_small, 7); /* 2^-7 < 0.01 */
	assert_int_equal(c->metrics[0].pairs_for_large, 7);
}

static void metrics_with_few_values_are_left_out(void **state)
{
	struct pairs p = noisy(1, 0.01, 0), unknown = p;
	struct metric_pairs m[] = { metric("cycles", &unknown), metric("wall_ns", &p) };
	_cleanup_(calibration_freep) struct calibration *c = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < PAIRS; i++)
		unknown.after[i] = NAN;
	c = calibrated(m, 2);
	assert_int_equal(c->n_metrics, 1);
	assert_string_equal(c->metrics[0].name, "wall_ns");
	calibration_free(take(c));
	assert_int_equal(calibrate(m, 1, &policy, 1, &c), -EINVAL);
	assert_null(c);
	m[1].n = CALIBRATION_MIN_PAIRS - 1;
	assert_int_equal(calibrate(m + 1, 1, &policy, 1, &c), -EINVAL);
}

static void the_same_seed_gives_the_same(void **state)
{
	struct pairs p = noisy(3, 0.01, 0.03);
	struct metric_pairs m = metric("wall_ns", &p);
	_cleanup_(calibration_freep) struct calibration *one = calibrated(&m, 1);
	_cleanup_(calibration_freep) struct calibration *two = calibrated(&m, 1);

	(void)state;
	assert_true(one->metrics[0].min_effect == two->metrics[0].min_effect);
	assert_true(one->metrics[0].false_alarms == two->metrics[0].false_alarms);
}

static struct calibration *full(void)
{
	struct pairs p = noisy(3, 0.05, 0.08), constant = noisy(1, 0, 0);
	struct metric_pairs m[] = { metric("wall_ns", &p), metric("max_rss_bytes", &constant) };
	struct calibration *c = calibrated(m, 2);

	c->scenario = strdup("startup");
	return c;
}

static void it_is_of_its_schema(void **state)
{
	_cleanup_(calibration_freep) struct calibration *c = full();
	_cleanup_(decrefp) json_t *value = calibration_json(c);

	(void)state;
	assert_non_null(value);
	assert_true(schema_accepts(value, "calibration.schema.json"));
	assert_at(value, "schema", "\"fathom.calibration/1\"");
	assert_at(value, "environment", "null");
	assert_at(value, "metrics.1.autocorrelation", "null");
	assert_at(value, "metrics.1.pairs_for_5_percent", "8"); /* one of two: 2^-8 < 0.005 */
	json_object_set_new(json_array_get(json_object_get(value, "metrics"), 0), "more",
			    json_true());
	assert_false(schema_accepts(value, "calibration.schema.json"));
}

static void what_is_read_is_what_was_written(void **state)
{
	_cleanup_(calibration_freep) struct calibration *c = full(), *back = NULL;
	_cleanup_(decrefp) json_t *value = calibration_json(c), *again = NULL;
	_cleanup_(freep) char *text = json_text(value), *second = NULL;

	(void)state;
	assert_int_equal(calibration_read(text, &back), 0);
	again = calibration_json(back);
	second = json_text(again);
	assert_string_equal(text, second);
	assert_true(fabs(back->metrics[0].min_effect - c->metrics[0].min_effect) < 1e-9);
	assert_true(isnan(back->metrics[1].autocorrelation));
}

/* Each of these is a good one with one thing wrong. */
static void damaged_ones_are_refused(void **state)
{
	static const struct {
		const char *key, *bad; /* of the whole or the first metric, JSON text */
	} damages[] = {
		{ "schema", "\"fathom.calibration/2\"" },
		{ "metrics", "{}" },
		{ "metrics", "[7]" },
		{ "policy", "null" },
		{ "alpha", "\"x\"" },
		{ "repeat", "-1" },
		{ "metric", "null" },
		{ "metric", "\"wall\\u001b[2J\"" },
		{ "min_effect", "-0.1" },
		{ "limit", "1e300" },
		{ "noise", "[]" },
		{ "pairs", "1.5" },
		{ "pairs_for_5_percent", "99999999999" },
	};
	_cleanup_(calibration_freep) struct calibration *c = full(), *back = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		_cleanup_(decrefp) json_t *value = calibration_json(c);
		_cleanup_(freep) char *text = NULL;
		json_t *metric = json_array_get(json_object_get(value, "metrics"), 0), *in;

		in = json_object_get(value, damages[i].key) ? value : metric;
		assert_non_null(json_object_get(in, damages[i].key));
		json_object_set_new(in, damages[i].key,
				    json_loads(damages[i].bad, JSON_DECODE_ANY, NULL));
		text = json_text(value);
		assert_int_equal(calibration_read(text, &back), -EINVAL);
		assert_true(strlen(err_text()) > 0);
	}
	assert_int_equal(calibration_read("{", &back), -EINVAL);
	assert_int_equal(calibration_read("[]", &back), -EINVAL);
	assert_int_equal(calibration_read("", &back), -EINVAL);
	assert_null(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_noise_of_a_pair_is_found),
		cmocka_unit_test(a_quiet_machine_needs_no_wider_limits),
		cmocka_unit_test(drift_widens_the_limits),
		cmocka_unit_test(with_the_limits_that_were_found_alarms_are_few),
		cmocka_unit_test(the_pairs_that_are_needed_are_enough),
		cmocka_unit_test(a_larger_family_needs_more_pairs),
		cmocka_unit_test(what_never_varies_is_calibrated_too),
		cmocka_unit_test(metrics_with_few_values_are_left_out),
		cmocka_unit_test(the_same_seed_gives_the_same),
		cmocka_unit_test(it_is_of_its_schema),
		cmocka_unit_test(what_is_read_is_what_was_written),
		cmocka_unit_test(damaged_ones_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
