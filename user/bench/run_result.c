/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/run_result.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "user/bench/statistics.h"

const char *const repetition_outcome_names[REPETITION_OUTCOMES] = {
	[REPETITION_OK] = "ok",
	[REPETITION_FAILED] = "failed",
	[REPETITION_WRONG_OUTPUT] = "wrong_output",
	[REPETITION_NOT_VERIFIED] = "not_verified",
	[REPETITION_NOT_READY] = "not_ready",
	[REPETITION_TIMED_OUT] = "timed_out",
	[REPETITION_OVER_MEMORY] = "over_memory",
	[REPETITION_OVER_TIME] = "over_time",
	[REPETITION_BAD_METRIC] = "bad_metric",
	[REPETITION_INTERRUPTED] = "interrupted",
};

static void case_release(struct run_case *c)
{
	size_t i;

	free(c->name);
	free(c->cell);
	free(c->variant);
	for (i = 0; i < c->parameters.n; i++) {
		free(c->parameters.list[i].key);
		free(c->parameters.list[i].value);
	}
	free(c->parameters.list);
	for (i = 0; i < c->n_metrics; i++) {
		free(c->metrics[i].name);
		free(c->metrics[i].unit);
	}
	free(c->metrics);
	for (i = 0; i < c->n_repetitions; i++) {
		free(c->repetitions[i].message);
		free(c->repetitions[i].values);
	}
	free(c->repetitions);
	free(c->latency.ns);
	json_decref(c->collectors);
}

void run_result_free(struct run_result *r)
{
	size_t i;

	if (!r)
		return;
	free(r->scenario);
	free(r->description);
	free(r->scenario_path);
	free(r->policy);
	free(r->policy_version);
	free(r->approved_by);
	free(r->fathom_version);
	environment_release(&r->environment);
	free(r->canaries);
	free(r->abort);
	free(r->profile_failure);
	free(r->leftover);
	for (i = 0; i < r->n_cases; i++)
		case_release(&r->cases[i]);
	free(r->cases);
	free(r);
}

int run_case_metric(const struct run_case *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_metrics; i++) {
		if (!strcmp(c->metrics[i].name, name))
			return i;
	}
	return -1;
}

int run_case_values(const struct run_case *c, const char *metric, double **ret, size_t *ret_n)
{
	int at = run_case_metric(c, metric);
	double *values;
	size_t i, n = 0;

	values = malloc((c->n_repetitions + 1) * sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (i = 0; at >= 0 && i < c->n_repetitions; i++) {
		const struct run_repetition *r = &c->repetitions[i];

		if (!r->is_warmup && !r->is_profile && r->outcome == REPETITION_OK)
			values[n++] = r->values[at];
	}
	*ret = values;
	*ret_n = n;
	return 0;
}

int run_case_iterations(const struct run_case *c, double **ret, size_t *ret_n)
{
	double *v = calloc(c->n_repetitions + 1, sizeof(*v));
	size_t i, n = 0;

	if (!v)
		return -ENOMEM;
	for (i = 0; i < c->n_repetitions; i++) {
		const struct run_repetition *one = &c->repetitions[i];

		if (one->is_profile && !one->is_warmup && one->outcome == REPETITION_OK)
			v[n++] = one->iterations > 0 ? one->iterations : 1;
	}
	*ret = v;
	*ret_n = n;
	return 0;
}

#define CANARY_MANY   10
#define CANARY_WINDOW 5

double run_canary_drift(const struct run_result *r)
{
	_cleanup_(freep) double *ns = NULL;
	size_t i, n = r->n_canaries, window = n >= CANARY_MANY ? CANARY_WINDOW : 1;
	double middle, drift = 0;

	if (n < 2)
		return NAN;
	ns = calloc(n, sizeof(*ns));
	if (!ns)
		return NAN;
	for (i = 0; i < n; i++)
		ns[i] = r->canaries[i].ns;
	middle = median_of(ns, n);
	if (!(middle > 0))
		return NAN;
	/* The last window ends at the end. */
	for (i = 0; i < n; i += window) {
		size_t at = i + window <= n ? i : n - window;

		drift = fmax(drift, fabs(median_of(ns + at, window) - middle) / middle);
	}
	return drift;
}
