/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "user/base/array.h"
#include "user/bench/compare.h"
#include "user/bench/statistics.h"

#define PAIRS 15

static const struct policy_profile policy = {
	.name = (char *)"test", .alpha = 0.01, .confidence = 0.95, .power = 0.8
};
static const struct policy_limits limits = { .min_effect = 0.03, .alert = 0.05, .limit = 0.05 };

struct pairs {
	double before[PAIRS], after[PAIRS];
};

/* About 100, and so many times as much after, each with this noise. */
static struct pairs noisy(uint64_t seed, double ratio, double noise)
{
	struct pairs p;
	struct random r;
	size_t i;

	random_init(&r, seed);
	for (i = 0; i < PAIRS; i++) {
		p.before[i] = 100 * exp(noise * random_normal(&r));
		p.after[i] = 100 * ratio * exp(noise * random_normal(&r));
	}
	return p;
}

static struct pairs constant(double before, double after)
{
	struct pairs p;
	size_t i;

	for (i = 0; i < PAIRS; i++) {
		p.before[i] = before;
		p.after[i] = after;
	}
	return p;
}

static struct metric_pairs metric(const struct pairs *p)
{
	return (struct metric_pairs){ .name = "wall_ns",
				      .unit = "ns",
				      .better = BETTER_LOWER,
				      .is_gated = true,
				      .limits = limits,
				      .before = p->before,
				      .after = p->after,
				      .n = PAIRS };
}

static struct metric_comparison compared(const struct metric_pairs *m)
{
	struct metric_comparison c;

	assert_int_equal(compare_metrics(m, 1, &policy, &c), 0);
	return c;
}

static void assert_verdict(const struct metric_comparison *c, enum verdict verdict,
			   const char *reason)
{
	if (c->verdict != verdict || strcmp(c->reason, reason))
		print_message("%s: %s (%g, %g to %g, p %g)\n", verdict_names[c->verdict], c->reason,
			      c->change, c->low, c->high, c->p_adjusted);
	assert_int_equal(c->verdict, verdict);
	assert_string_equal(c->reason, reason);
}

static void what_is_dearer_is_regressed(void **state)
{
	struct pairs p = noisy(1, 1.10, 0.015);
	struct metric_pairs m = metric(&p);
	struct metric_comparison c = compared(&m);

	(void)state;
	assert_verdict(&c, VERDICT_REGRESSED, "beyond_limit");
	assert_true(fabs(c.change - 0.10) < 0.02);
	assert_true(c.low < c.change && c.change < c.high);
	assert_true(c.p == ldexp(1, -PAIRS) && c.p_adjusted == c.p && c.p_improved == 1);
	assert_true(fabs(c.before - 100) < 2 && fabs(c.after - 110) < 2);
	assert_false(c.is_flagged);
}

static void what_is_cheaper_is_improved(void **state)
{
	struct pairs p = noisy(1, 1 / 1.10, 0.015);
	struct metric_pairs m = metric(&p);
	struct metric_comparison c = compared(&m);

	(void)state;
	assert_verdict(&c, VERDICT_IMPROVED, "improved");
	assert_true(fabs(c.change + 0.09) < 0.02);
	assert_true(c.p_improved == ldexp(1, -PAIRS));
}

static void what_is_the_same_passes(void **state)
{
	struct pairs p = noisy(1, 1, 0.015);
	struct metric_pairs m = metric(&p);
	struct metric_comparison c = compared(&m);

	(void)state;
	assert_verdict(&c, VERDICT_PASSED, "within_limit");
	assert_true(c.low < 0.01 && c.high > -0.01 && c.high < 0.05);
}

/* A throughput that fell by a tenth is 10 % worse, and one that rose by one 10 % better. */
static void where_more_is_better_less_is_worse(void **state)
{
	struct pairs less = constant(100, 90), more = constant(100, 110);
	struct metric_pairs m = metric(&less);
	struct metric_comparison c;

	(void)state;
	m.better = BETTER_HIGHER;
	c = compared(&m);
	assert_verdict(&c, VERDICT_REGRESSED, "beyond_limit");
	assert_true(fabs(c.change - 0.10) < 1e-12);
	m = metric(&more);
	m.better = BETTER_HIGHER;
	c = compared(&m);
	assert_verdict(&c, VERDICT_IMPROVED, "improved");
	assert_true(fabs(c.change + 0.10) < 1e-12);
}

/* At its limit exactly, "15 % less" alerts for 85 of 100, and not for 86. */
static void limits_are_shares_of_the_value_before(void **state)
{
	static const double after[] = { 85, 86 };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct pairs p = constant(100, after[i]);
		struct metric_pairs m = metric(&p);
		struct metric_comparison c;

		m.better = BETTER_HIGHER;
		m.limits = (struct policy_limits){ 0.03, 0.15, 0.15, false, false };
		c = compared(&m);
		assert_verdict(&c, i ? VERDICT_PASSED : VERDICT_REGRESSED,
			       i ? "within_limit" : "beyond_limit");
	}
}

/* Whatever the logarithm's last bit: 3 % is not beyond 3 %, and it reaches an alert at 3 %. */
static void at_a_limit_exactly_rounding_does_not_decide(void **state)
{
	unsigned int percent, side;

	(void)state;
	for (percent = 1; percent < 60; percent++) {
		for (side = 0; side < 2; side++) {
			double share = percent / 100.0;
			struct pairs p = constant(100, side ? 100 - percent : 100 + percent);
			struct metric_pairs m = metric(&p);
			struct metric_comparison c;

			m.better = side ? BETTER_HIGHER : BETTER_LOWER;
			m.limits = (struct policy_limits){ share, share, share, false, false };
			c = compared(&m);
			assert_true(c.p == 1);
			assert_verdict(&c, VERDICT_PASSED, "within_limit");
			m.limits.min_effect = share / 2;
			c = compared(&m);
			assert_verdict(&c, VERDICT_REGRESSED, "beyond_limit");
		}
	}
}

static void constant_metrics_are_exact_ties(void **state)
{
	struct pairs same = constant(4096, 4096), dearer = constant(4096, 8192);
	struct metric_pairs m = metric(&same);
	struct metric_comparison c = compared(&m);

	(void)state;
	assert_verdict(&c, VERDICT_PASSED, "within_limit");
	assert_true(c.change == 0 && c.low == 0 && c.high == 0 && c.p == 1);
	m = metric(&dearer);
	c = compared(&m);
	assert_verdict(&c, VERDICT_REGRESSED, "beyond_limit");
	assert_true(fabs(c.change - 1) < 1e-12);
}

static void noise_is_neither_green_nor_red(void **state)
{
	struct pairs p = noisy(3, 1.0, 0.15);
	struct metric_pairs m = metric(&p);
	struct metric_comparison c = compared(&m);

	(void)state;
	assert_verdict(&c, VERDICT_INCONCLUSIVE, "too_noisy");
	assert_true(c.detectable > 0.10 && c.detectable < 0.5);
}

static void few_pairs_are_told_to_be_few(void **state)
{
	struct pairs p = noisy(1, 1.10, 0.015);
	struct metric_pairs m = metric(&p);
	struct metric_comparison c;

	(void)state;
	m.n = 6; /* 2^-6 is above 0.01 */
	c = compared(&m);
	assert_verdict(&c, VERDICT_INCONCLUSIVE, "too_few_pairs");
	assert_true(isnan(c.detectable));
	m.n = 7;
	c = compared(&m);
	assert_verdict(&c, VERDICT_REGRESSED, "beyond_limit");
	assert_false(isnan(c.detectable));
	m.n = 0;
	c = compared(&m);
	assert_verdict(&c, VERDICT_INCONCLUSIVE, "no_values");
	assert_true(isnan(c.change) && isnan(c.before) && c.p == 1 && c.p_adjusted == 1);
}

static void what_is_surely_worse_but_not_by_much_is_told_so(void **state)
{
	struct pairs p = noisy(1, 1.045, 0.002);
	struct metric_pairs m = metric(&p);
	struct metric_comparison c;

	(void)state;
	m.limits.limit = 0.04;
	c = compared(&m);
	assert_verdict(&c, VERDICT_INCONCLUSIVE, "below_alert");
}

static void pairs_that_are_not_known_are_left_out(void **state)
{
	struct pairs p = noisy(1, 1.10, 0.015);
	struct metric_pairs m = metric(&p);
	struct metric_comparison c;

	(void)state;
	p.before[2] = NAN;
	p.after[9] = INFINITY;
	c = compared(&m);
	assert_int_equal(c.n, PAIRS - 2);
	assert_true(c.p == ldexp(1, 2 - PAIRS));
}

static void nothing_on_both_sides_is_no_change(void **state)
{
	struct pairs p = constant(0, 0);
	struct metric_pairs m = metric(&p);
	struct metric_comparison c = compared(&m);

	(void)state;
	assert_verdict(&c, VERDICT_PASSED, "within_limit");
	assert_true(c.change == 0);
}

/* Page faults: once none in one repetition is no reason to lose the metric. */
static void a_zero_among_values_makes_them_differences(void **state)
{
	struct pairs p = constant(200, 220), from_none = constant(0, 7), to_none = constant(7, 0);
	struct metric_pairs m = metric(&p);
	struct metric_comparison c;

	(void)state;
	p.after[4] = 0;
	c = compared(&m);
	assert_verdict(&c, VERDICT_REGRESSED, "beyond_limit");
	assert_true(fabs(c.change - 0.10) < 1e-12);
	m = metric(&from_none);
	c = compared(&m);
	assert_verdict(&c, VERDICT_REGRESSED, "beyond_limit");
	assert_true(fabs(c.change - 2) < 1e-12);
	m = metric(&to_none);
	c = compared(&m);
	assert_verdict(&c, VERDICT_IMPROVED, "improved");
	assert_true(fabs(c.change + 1) < 1e-12);
}

static void points_are_differences(void **state)
{
	struct pairs p = constant(0, 0.06), less = constant(0.01, 0.02);
	struct metric_pairs m = metric(&p);
	struct metric_comparison c;

	(void)state;
	m.limits = (struct policy_limits){ 0.01, 0.05, 0.05, true, false };
	c = compared(&m);
	assert_verdict(&c, VERDICT_REGRESSED, "beyond_limit");
	assert_true(fabs(c.change - 0.06) < 1e-12);
	m.before = less.before;
	m.after = less.after; /* twice as many, but one point */
	c = compared(&m);
	assert_verdict(&c, VERDICT_PASSED, "within_limit");
	assert_true(fabs(c.change - 0.01) < 1e-12);
}

static void what_only_flags_does_not_fail(void **state)
{
	struct pairs dearer = constant(100, 140), same = noisy(1, 1, 0.015);
	struct metric_pairs m[2] = { metric(&dearer), metric(&same) };
	struct metric_comparison c[2];

	(void)state;
	m[0].limits = (struct policy_limits){ 0.03, 0.30, 0.30, false, true };
	assert_int_equal(compare_metrics(m, 2, &policy, c), 0);
	assert_verdict(&c[0], VERDICT_INCONCLUSIVE, "flagged");
	assert_true(c[0].is_flagged);
	assert_int_equal(compare_verdict(c, 2), VERDICT_PASSED);
	m[0].limits.flags_only = false;
	assert_int_equal(compare_metrics(m, 2, &policy, c), 0);
	assert_verdict(&c[0], VERDICT_REGRESSED, "beyond_limit");
	assert_false(c[0].is_flagged);
	assert_int_equal(compare_verdict(c, 2), VERDICT_REGRESSED);
}

static void what_only_flags_and_cannot_be_told_is_no_pass(void **state)
{
	struct pairs same = noisy(1, 1, 0.3), steady = constant(100, 100);
	struct metric_pairs m = metric(&same);
	struct metric_comparison c;

	(void)state;
	m.limits = (struct policy_limits){ 0.03, 0.05, 0.05, false, true };
	c = compared(&m);
	assert_int_equal(c.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(compare_verdict(&c, 1), VERDICT_INCONCLUSIVE);
	m.before = steady.before;
	m.after = steady.after;
	c = compared(&m);
	assert_int_equal(compare_verdict(&c, 1), VERDICT_PASSED);
}

/* 2^-8 = 0.0039 is significant alone and among two, not among three. */
static void the_family_is_the_gated_metrics(void **state)
{
	struct pairs dearer = constant(100, 120), same = constant(100, 100);
	struct metric_pairs m[4] = { metric(&dearer), metric(&same), metric(&same),
				     metric(&dearer) };
	struct metric_comparison c[4];
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		m[i].n = 8;
	m[1].limits.limit = m[2].limits.limit = 1;
	m[2].is_gated = m[3].is_gated = false;
	assert_int_equal(compare_metrics(m, 4, &policy, c), 0);
	assert_verdict(&c[0], VERDICT_REGRESSED, "beyond_limit");
	assert_true(c[0].p_adjusted == ldexp(2, -8));
	/* Not gated: one of all four. */
	assert_true(c[3].p == ldexp(1, -8) && c[3].p_adjusted == ldexp(4, -8));
	assert_verdict(&c[3], VERDICT_INCONCLUSIVE, "too_few_pairs");
	assert_true(!isnan(c[0].detectable) && isnan(c[3].detectable));
	assert_int_equal(compare_verdict(c, 4), VERDICT_REGRESSED);
	m[2].is_gated = true;
	assert_int_equal(compare_metrics(m, 4, &policy, c), 0);
	assert_verdict(&c[0], VERDICT_INCONCLUSIVE, "too_few_pairs");
	assert_true(c[0].p_adjusted == ldexp(3, -8));
	assert_int_equal(compare_verdict(c, 4), VERDICT_INCONCLUSIVE);
}

static void the_worst_of_the_gated_is_the_verdict(void **state)
{
	static const struct {
		enum verdict of[3], all;
	} cases[] = {
		{ { VERDICT_PASSED, VERDICT_PASSED, VERDICT_PASSED }, VERDICT_PASSED },
		{ { VERDICT_PASSED, VERDICT_IMPROVED, VERDICT_PASSED }, VERDICT_IMPROVED },
		{ { VERDICT_INCONCLUSIVE, VERDICT_IMPROVED, VERDICT_PASSED },
		  VERDICT_INCONCLUSIVE },
		{ { VERDICT_INCONCLUSIVE, VERDICT_IMPROVED, VERDICT_REGRESSED },
		  VERDICT_REGRESSED },
	};
	struct metric_comparison c[4] = { 0 };
	size_t i, k;

	(void)state;
	c[3].verdict = VERDICT_REGRESSED; /* is not gated */
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (k = 0; k < 3; k++) {
			c[k].is_gated = true;
			c[k].verdict = cases[i].of[k];
		}
		assert_int_equal(compare_verdict(c, 4), cases[i].all);
	}
	assert_int_equal(compare_verdict(c + 3, 1), VERDICT_INCONCLUSIVE);
	assert_int_equal(compare_verdict(NULL, 0), VERDICT_INCONCLUSIVE);
}

/* At the change that is told, the same noise is seen about as often as the policy's power says. */
static void what_is_called_detectable_is_detected(void **state)
{
	unsigned int seen = 0, half = 0, round;
	double detectable = 0;

	(void)state;
	for (round = 0; round < 200; round++) {
		struct pairs p = noisy(round, 1, 0.04);
		struct metric_pairs m = metric(&p);

		detectable += compared(&m).detectable / 200;
	}
	assert_true(detectable > 0.06 && detectable < 0.12);
	for (round = 0; round < 400; round++) {
		struct pairs p = noisy(1000 + round, 1 + detectable, 0.04);
		struct metric_pairs m = metric(&p);

		seen += compared(&m).verdict == VERDICT_REGRESSED;
		p = noisy(1000 + round, 1 + detectable / 2, 0.04);
		half += compared(&m).verdict == VERDICT_REGRESSED;
	}
	assert_in_range(seen, 400 * 70 / 100, 400 * 93 / 100);
	assert_true(half < 400 * 30 / 100);
}

static void a_retry_confirms_the_same_metric_in_the_same_direction(void **state)
{
	struct metric_comparison first = { .name = "a", .verdict = VERDICT_REGRESSED },
				 second = first;

	(void)state;
	assert_true(compare_confirms(&first, &second));
	second.name = "b";
	assert_false(compare_confirms(&first, &second));
	second.name = "a";
	second.verdict = VERDICT_IMPROVED;
	assert_false(compare_confirms(&first, &second));
	second.verdict = VERDICT_INCONCLUSIVE;
	assert_false(compare_confirms(&first, &second));
	first.verdict = VERDICT_INCONCLUSIVE;
	assert_false(compare_confirms(&first, &second));
	first.is_flagged = true;
	assert_false(compare_confirms(&first, &second));
	second.is_flagged = true;
	assert_true(compare_confirms(&first, &second));
	first = second = (struct metric_comparison){ .name = "a", .verdict = VERDICT_PASSED };
	assert_false(compare_confirms(&first, &second));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_dearer_is_regressed),
		cmocka_unit_test(what_is_cheaper_is_improved),
		cmocka_unit_test(what_is_the_same_passes),
		cmocka_unit_test(where_more_is_better_less_is_worse),
		cmocka_unit_test(limits_are_shares_of_the_value_before),
		cmocka_unit_test(at_a_limit_exactly_rounding_does_not_decide),
		cmocka_unit_test(constant_metrics_are_exact_ties),
		cmocka_unit_test(noise_is_neither_green_nor_red),
		cmocka_unit_test(few_pairs_are_told_to_be_few),
		cmocka_unit_test(what_is_surely_worse_but_not_by_much_is_told_so),
		cmocka_unit_test(pairs_that_are_not_known_are_left_out),
		cmocka_unit_test(nothing_on_both_sides_is_no_change),
		cmocka_unit_test(a_zero_among_values_makes_them_differences),
		cmocka_unit_test(points_are_differences),
		cmocka_unit_test(what_only_flags_does_not_fail),
		cmocka_unit_test(what_only_flags_and_cannot_be_told_is_no_pass),
		cmocka_unit_test(the_family_is_the_gated_metrics),
		cmocka_unit_test(the_worst_of_the_gated_is_the_verdict),
		cmocka_unit_test(what_is_called_detectable_is_detected),
		cmocka_unit_test(a_retry_confirms_the_same_metric_in_the_same_direction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
