/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/gate_breach.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/bench/run_files.h"

static int break_by(struct gate_breach *b, const char *reason, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int break_by(struct gate_breach *b, const char *reason, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&b->explanation, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->explanation = NULL;
		return -ENOMEM;
	}
	b->reason = reason;
	return 0;
}

static bool is_judged(const struct gate_side *side, const struct run_case *c)
{
	return !side->variant || (c->variant && !strcmp(c->variant, side->variant));
}

static const struct run_case *judged_case(const struct gate_side *side, const char *name)
{
	size_t i;

	for (i = 0; i < side->run->n_cases; i++) {
		const struct run_case *c = &side->run->cases[i];

		if (!strcmp(c->name, name) && is_judged(side, c))
			return c;
	}
	return NULL;
}

static int miss(const struct run_slo *slo, struct gate_breach *ret)
{
	bool is_above = slo->value > slo->max;
	const char *of = *slo->case_name ? " of " : "";

	if (!isfinite(slo->value))
		return break_by(ret, "slo_missed", "%s%s%s is not known, and has a limit",
				slo->metric, of, slo->case_name);
	return break_by(ret, "slo_missed", "%s%s%s is %.6g, and may be at %s %.6g", slo->metric, of,
			slo->case_name, slo->value, is_above ? "most" : "least",
			is_above ? slo->max : slo->min);
}

int gate_breach_slo(const struct gate_input *in, struct gate_breach *ret)
{
	_cleanup_(freep) struct run_slo *slo = NULL;
	size_t n = 0, i;

	if (run_judge_slo(in->after.run, in->scenario, &slo, &n))
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		if (!slo[i].is_kept && judged_case(&in->after, slo[i].case_name))
			return miss(&slo[i], ret);
	}
	return 0;
}

int gate_breach_quality(const struct gate_input *in, struct gate_breach *ret)
{
	const struct policy_profile *policy = in->profile;
	size_t i;

	for (i = 0; i < in->after.run->n_cases; i++) {
		const struct run_case *c = &in->after.run->cases[i];
		const char *collector = "", *of = *c->name ? " of " : "";
		double loss = run_case_loss(c, &collector);

		if (!is_judged(&in->after, c))
			continue;
		if (loss > policy->loss_share)
			return break_by(ret, "losses",
					"%s%s%s lost %.3g %% of the events, more than %.3g %%",
					collector, of, c->name, 100 * loss,
					100 * policy->loss_share);
		if (run_case_overhead_exceeds(c, policy->overhead_share))
			return break_by(
				ret, "overhead",
				"Profiling%s%s cost %.1f %% more CPU time, more than %.1f %%", of,
				c->name, 100 * run_case_overhead(c), 100 * policy->overhead_share);
	}
	return 0;
}
