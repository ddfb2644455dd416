/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/gate_judge.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/bench/disturbance.h"
#include "user/bench/gate_breach.h"
#include "user/bench/gate_functions.h"
#include "user/bench/gate_notes.h"
#include "user/bench/gate_pairs.h"
#include "user/bench/run_files.h"

static int explain(struct gate_result *g, enum verdict verdict, int exit_code, const char *reason,
		   const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The verdict on the whole, in one sentence. 0 or -ENOMEM. */
static int explain(struct gate_result *g, enum verdict verdict, int exit_code, const char *reason,
		   const char *fmt, ...)
{
	va_list ap;
	int n;

	free(g->explanation);
	va_start(ap, fmt);
	n = vasprintf(&g->explanation, fmt, ap);
	va_end(ap);
	if (n < 0) {
		g->explanation = NULL;
		return -ENOMEM;
	}
	g->verdict = verdict;
	g->exit_code = exit_code;
	g->reason = reason;
	return 0;
}

/* --- what forbids a verdict ------------------------------------------------------------------ */

/* Why a run says nothing; NULL if it does. */
static const char *void_reason(const struct run_result *r)
{
	const struct run_case *c;
	const struct run_repetition *one = run_void(r, &c);

	if (r->abort || !one)
		return r->abort;
	return one->message ? one->message : repetition_outcome_names[one->outcome];
}

/* The case in which that happened, "" if it has no name or was not in one. */
static const char *void_case(const struct run_result *r)
{
	const struct run_case *c;

	return !r->abort && run_void(r, &c) ? c->name : "";
}

static bool is_same_machine(const struct gate_input *in)
{
	return !strcmp(in->before.run->environment.fingerprint,
		       in->after.run->environment.fingerprint);
}

/* 1 if there is something that no number can mend, and said so; 0; -ENOMEM. */
static int judge_validity(const struct gate_input *in, struct gate_result *g)
{
	const char *before = void_reason(in->before.run), *after = void_reason(in->after.run);
	const char *name = void_case(in->after.run);

	if (after)
		return explain(g, VERDICT_INCONCLUSIVE, 5, "run_void", "The run is void: %s%s%s",
			       name, *name ? ": " : "", after)
			       ?: 1;
	if (before)
		return explain(g, VERDICT_INCONCLUSIVE, 5, "baseline_void",
			       "The run to compare with is void: %s", before)
			       ?: 1;
	if (strcmp(in->before.run->scenario, in->after.run->scenario))
		return explain(g, VERDICT_INCONCLUSIVE, 2, "scenario_differs",
			       "The runs are of two scenarios, '%s' and '%s'",
			       in->before.run->scenario, in->after.run->scenario)
			       ?: 1;
	if (!in->across && !is_same_machine(in))
		return explain(g, VERDICT_INCONCLUSIVE, 3, "environment_differs",
			       "The runs are of two environments, %s and %s: --across compares "
			       "them "
			       "all the same",
			       in->before.run->environment.name, in->after.run->environment.name)
			       ?: 1;
	return 0;
}

/* The same for a machine that was not itself: neither green nor red. */
static int judge_machine(const struct gate_input *in, struct gate_result *g)
{
	const struct run_result *runs[] = { in->after.run, in->before.run };
	struct disturbance d;
	double drift;
	size_t i;

	for (i = 0; i < (runs[0] == runs[1] ? 1 : ARRAY_SIZE(runs)); i++) {
		if (!disturbance_find(runs[i], in->profile, &d))
			continue;
		return explain(g, VERDICT_INCONCLUSIVE, 4, d.reason,
			       "The machine was disturbed%s: %s (%.1f %%, at most %.1f %% are "
			       "allowed)",
			       i ? " while it measured what is compared with" : "", d.what,
			       100 * d.share, 100 * d.allowed)
			       ?: 1;
	}
	drift = disturbance_between(in->before.run, in->after.run);
	if (!in->across && drift > in->profile->canary_drift_share)
		return explain(g, VERDICT_INCONCLUSIVE, 4, "host_drifted",
			       "The machine is not as fast as it was: the same work takes %.1f %% "
			       "more or less time (at most %.1f %% are allowed)",
			       100 * drift, 100 * in->profile->canary_drift_share)
			       ?: 1;
	return 0;
}

/* --- metrics --------------------------------------------------------------------------------- */

/* One metric of a pair of cases. */
static int add_metric(const struct gate_input *in, const struct run_case *before,
		      const struct run_case *after, const struct run_metric *metric,
		      struct gate_pairs *pairs)
{
	const struct scenario *s = in->scenario;
	struct metric_pairs m = {
		.name = metric->name,
		.unit = metric->unit,
		.better = metric->better,
	};

	policy_limits_of(in->profile, in->preset, s ? s->gates : NULL, s ? s->n_gates : 0,
			 metric->name,
			 s ? scenario_gates_metric(s, metric->name) : metric->is_scenario,
			 &m.limits, &m.is_gated);
	if (in->calibration)
		calibration_apply(in->calibration, metric->name, &m.limits);
	return gate_pairs_add(pairs, before, after, &m);
}

/* What one of the cases has, be it that the other does not: then it cannot be told. */
static int add_metrics(const struct gate_input *in, const struct gate_couple *couple,
		       struct gate_pairs *pairs)
{
	const struct run_case *before = couple->before, *after = couple->after;
	size_t i;
	int err = 0;

	for (i = 0; i < after->n_metrics && !err; i++)
		err = add_metric(in, before, after, &after->metrics[i], pairs);
	for (i = 0; i < before->n_metrics && !err; i++) {
		if (run_case_metric(after, before->metrics[i].name) < 0)
			err = add_metric(in, before, after, &before->metrics[i], pairs);
	}
	return err;
}

/* All metrics of all cases are one family. */
static int compare_all(const struct gate_input *in, const struct gate_couple *couples,
		       struct gate_result *g)
{
	_cleanup_(gate_pairs_release) struct gate_pairs pairs = { 0 };
	_cleanup_(freep) struct metric_comparison *all = NULL;
	_cleanup_(freep) size_t *starts = calloc(g->n_cases + 1, sizeof(*starts));
	size_t i;
	int err = starts ? 0 : -ENOMEM;

	for (i = 0; i < g->n_cases && !err; i++) {
		err = add_metrics(in, &couples[i], &pairs);
		starts[i + 1] = pairs.n;
	}
	all = err ? NULL : calloc(pairs.n + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	err = compare_metrics(pairs.list, pairs.n, in->profile, all);
	for (i = 0; i < g->n_cases && !err; i++) {
		struct gate_case *c = &g->cases[i];

		c->n_metrics = starts[i + 1] - starts[i];
		c->metrics = calloc(c->n_metrics + 1, sizeof(*c->metrics));
		if (!c->metrics)
			return -ENOMEM;
		memcpy(c->metrics, all + starts[i], c->n_metrics * sizeof(*c->metrics));
		c->verdict = compare_verdict(c->metrics, c->n_metrics);
	}
	return err;
}

/* --- the whole ------------------------------------------------------------------------------- */

/* What is said is what decided: the first case and metric of that verdict. */
static const struct metric_comparison *decisive(const struct gate_result *g, enum verdict verdict,
						const struct gate_case **ret_case)
{
	size_t i, k;

	for (i = 0; i < g->n_cases; i++) {
		const struct gate_case *c = &g->cases[i];

		for (k = 0; k < c->n_metrics; k++) {
			const struct metric_comparison *m = &c->metrics[k];

			if (m->is_gated && !m->limits.flags_only && m->verdict == verdict) {
				*ret_case = c;
				return m;
			}
		}
	}
	return NULL;
}

static enum verdict worst(const struct gate_result *g)
{
	bool has_improved = false, is_unsure = false;
	size_t i;

	for (i = 0; i < g->n_cases; i++) {
		if (g->cases[i].verdict == VERDICT_REGRESSED)
			return VERDICT_REGRESSED;
		is_unsure |= g->cases[i].verdict == VERDICT_INCONCLUSIVE;
		has_improved |= g->cases[i].verdict == VERDICT_IMPROVED;
	}
	return is_unsure ? VERDICT_INCONCLUSIVE : has_improved ? VERDICT_IMPROVED : VERDICT_PASSED;
}

/* "wall_ns", or "wall_ns of small". */
#define METRIC_FMT	  "%s%s%s"
#define METRIC_ARGS(m, c) (m)->name, *(c)->cell ? " of " : "", (c)->cell

static int conclude_inconclusive(struct gate_result *g, const struct gate_case *c,
				 const struct metric_comparison *m)
{
	if (!m)
		return explain(g, VERDICT_INCONCLUSIVE, 4, "nothing_gated",
			       "No metric could be judged");
	if (isnan(m->detectable))
		return explain(g, VERDICT_INCONCLUSIVE, 4, m->reason,
			       METRIC_FMT ": with %zu pairs no change could have been seen",
			       METRIC_ARGS(m, c), m->n);
	if (!strcmp(m->reason, "not_confirmed"))
		return explain(g, VERDICT_INCONCLUSIVE, 4, m->reason,
			       METRIC_FMT
			       " was worse by %.1f %%, and was not when it was run again",
			       METRIC_ARGS(m, c), 100 * m->change);
	return explain(g, VERDICT_INCONCLUSIVE, 4, m->reason,
		       METRIC_FMT " changed by %+.1f %% (%+.1f to %+.1f); the smallest change that "
				  "could have been seen is %+.1f %%",
		       METRIC_ARGS(m, c), 100 * m->change, 100 * m->low, 100 * m->high,
		       100 * m->detectable);
}

/* What a person is to look at; it fails nothing, and is not kept silent. */
static const struct metric_comparison *flagged(const struct gate_result *g,
					       const struct gate_case **ret_case)
{
	size_t i, k;

	for (i = 0; i < g->n_cases; i++) {
		for (k = 0; k < g->cases[i].n_metrics; k++) {
			const struct metric_comparison *m = &g->cases[i].metrics[k];

			if (!m->is_gated || !m->is_flagged)
				continue;
			*ret_case = &g->cases[i];
			return m;
		}
	}
	return NULL;
}

static int conclude_metrics(struct gate_result *g)
{
	enum verdict verdict = worst(g);
	const struct gate_case *c = NULL, *flagged_case = NULL;
	const struct metric_comparison *m = decisive(g, verdict, &c), *flag;

	flag = verdict == VERDICT_PASSED || verdict == VERDICT_IMPROVED ? flagged(g, &flagged_case)
									: NULL;
	if (flag)
		return explain(g, verdict, 0, "flagged",
			       METRIC_FMT " is worse by %.1f %%, which a person is to look at; "
					  "nothing that fails the gate is worse",
			       METRIC_ARGS(flag, flagged_case), 100 * flag->change);

	switch (verdict) {
	case VERDICT_REGRESSED:
		return explain(g, verdict, 1, "regression",
			       METRIC_FMT " is worse by %.1f %% (%.1f to %.1f %%, adjusted p %.2g)",
			       METRIC_ARGS(m, c), 100 * m->change, 100 * m->low, 100 * m->high,
			       m->p_adjusted);
	case VERDICT_INCONCLUSIVE:
		return conclude_inconclusive(g, c, m);
	case VERDICT_IMPROVED:
		return explain(g, verdict, 0, "improvement",
			       METRIC_FMT " is better by %.1f %%, and nothing is worse",
			       METRIC_ARGS(m, c), -100 * m->change);
	default:
		return explain(g, VERDICT_PASSED, 0, "no_regression",
			       "No gated metric is worse by more than its limit");
	}
}

/* What the run breaks by itself counts where the comparison does not say the same or more. */
static int conclude(struct gate_result *g)
{
	int err = conclude_metrics(g);

	if (err || g->verdict == VERDICT_REGRESSED)
		return err;
	if (g->slo.reason)
		return explain(g, VERDICT_REGRESSED, 1, g->slo.reason, "%s", g->slo.explanation);
	if (g->quality.reason && !g->exit_code)
		return explain(g, g->verdict, 6, g->quality.reason, "%s", g->quality.explanation);
	return 0;
}

static int describe_case(const struct gate_couple *couple, struct gate_case *c)
{
	c->cell = strdup(couple->after->cell);
	c->before_name = strdup(couple->before->name);
	c->after_name = strdup(couple->after->name);
	return c->cell && c->before_name && c->after_name ? 0 : -ENOMEM;
}

static int judge_cases(const struct gate_input *in, struct gate_result *g)
{
	_cleanup_(freep) struct gate_couple *couples = NULL;
	const json_t *collectors;
	size_t i, k;
	int err = gate_couples_new(&in->before, &in->after, &couples, &g->n_cases);

	if (err)
		return err;
	g->cases = calloc(g->n_cases + 1, sizeof(*g->cases));
	if (!g->cases)
		return -ENOMEM;
	for (i = 0; i < g->n_cases && !err; i++)
		err = describe_case(&couples[i], &g->cases[i]);
	if (!err)
		err = compare_all(in, couples, g);
	for (i = 0; i < g->n_cases && !err; i++) {
		collectors = in->load ? couples[i].after->collectors : NULL;
		for (k = 0; k < json_array_size(collectors) && !err; k++)
			err = gate_functions_add(in, &couples[i], json_array_get(collectors, k),
						 &g->cases[i]);
	}
	return err ? err : gate_notes_add(in, g);
}

static int describe(const struct gate_input *in, struct gate_result *g)
{
	g->scenario = strdup(in->after.run->scenario);
	g->policy = strdup(in->profile->name);
	g->policy_version = strdup(in->policy->version);
	g->preset = in->preset ? strdup(in->preset->name) : NULL;
	g->before_path = strdup(in->before.path);
	g->after_path = strdup(in->after.path);
	g->before_fingerprint = strdup(in->before.run->environment.fingerprint);
	g->after_fingerprint = strdup(in->after.run->environment.fingerprint);
	return g->scenario && g->policy && g->policy_version && (g->preset || !in->preset) &&
			       g->before_path && g->after_path && g->before_fingerprint &&
			       g->after_fingerprint
		       ? 0
		       : -ENOMEM;
}

int gate_judge(const struct gate_input *in, struct gate_result **ret)
{
	_cleanup_(gate_result_freep) struct gate_result *g = calloc(1, sizeof(*g));
	int err = g ? describe(in, g) : -ENOMEM, done = 0;

	if (!err)
		err = done = judge_validity(in, g);
	if (!err && !done)
		err = judge_cases(in, g);
	if (err >= 0 && !done)
		err = done = judge_machine(in, g);
	if (err >= 0 && !done)
		err = gate_breach_slo(in, &g->slo) ?: gate_breach_quality(in, &g->quality);
	if (err >= 0 && !done)
		err = g->n_cases ? conclude(g)
				 : explain(g, VERDICT_INCONCLUSIVE, 4, "no_common_case",
					   "The runs have no case in common");
	if (err < 0)
		return errf(err, "no memory to judge the runs");
	*ret = take(g);
	return 0;
}

/* --- a second look --------------------------------------------------------------------------- */

bool gate_case_alerts(const struct gate_case *c)
{
	size_t i;

	for (i = 0; i < c->n_metrics; i++) {
		if (c->metrics[i].is_gated && c->metrics[i].verdict == VERDICT_REGRESSED)
			return true;
	}
	return false;
}

static const struct gate_case *case_named(const struct gate_result *g, const char *name)
{
	size_t i;

	for (i = 0; i < g->n_cases; i++) {
		if (!strcmp(g->cases[i].after_name, name))
			return &g->cases[i];
	}
	return NULL;
}

static void confirm_case(struct gate_case *c, const struct gate_case *again)
{
	size_t i;

	for (i = 0; i < c->n_metrics; i++) {
		struct metric_comparison *m = &c->metrics[i];
		const struct metric_comparison *second =
			again ? gate_case_metric(again, m->name) : NULL;

		if (m->verdict != VERDICT_REGRESSED || (second && compare_confirms(m, second)))
			continue;
		m->verdict = VERDICT_INCONCLUSIVE;
		m->reason = "not_confirmed";
	}
	c->verdict = compare_verdict(c->metrics, c->n_metrics);
}

int gate_confirm(struct gate_result *g, const struct gate_result *again)
{
	size_t i;
	int err;

	for (i = 0; i < g->n_cases; i++)
		confirm_case(&g->cases[i], case_named(again, g->cases[i].after_name));
	g->was_retried = true;
	/* A machine that was disturbed, or a run that is void, confirms nothing. */
	err = !strncmp(again->reason, "host_", 5) || again->exit_code == 5
		      ? explain(g, VERDICT_INCONCLUSIVE, 4, again->reason, "Once more: %s",
				again->explanation)
		      : conclude(g);
	g->is_confirmed = !err && !strcmp(g->reason, "regression");
	return err ? errf(err, "no memory to judge the runs") : 0;
}
