/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/run_build.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/bench/metrics.h"

/* Whether one could be had is the caller's to ask: *failed stays set. */
static char *copy_of(const char *text, bool *failed)
{
	char *copy = text ? strdup(text) : NULL;

	*failed = *failed || (text && !copy);
	return copy;
}

static int copy_pairs(const struct scenario_pairs *from, struct scenario_pairs *to)
{
	bool failed = false;

	to->list = calloc(from->n + 1, sizeof(*to->list));
	if (!to->list)
		return -ENOMEM;
	for (; to->n < from->n; to->n++) {
		to->list[to->n].key = copy_of(from->list[to->n].key, &failed);
		to->list[to->n].value = copy_of(from->list[to->n].value, &failed);
	}
	return failed ? -ENOMEM : 0;
}

static int make_metrics(const struct scenario_case *from, struct run_case *c)
{
	bool failed = false;
	size_t i;

	c->metrics = calloc(REPETITION_VALUES + from->n_metrics, sizeof(*c->metrics));
	if (!c->metrics)
		return -ENOMEM;
	for (i = 0; i < REPETITION_VALUES; i++) {
		c->metrics[c->n_metrics++] =
			(struct run_metric){ .name = copy_of(repetition_metrics[i].name, &failed),
					     .unit = copy_of(repetition_metrics[i].unit, &failed),
					     .better = BETTER_LOWER };
	}
	for (i = 0; i < from->n_metrics; i++) {
		const struct scenario_metric *m = &from->metrics[i];

		c->metrics[c->n_metrics++] =
			(struct run_metric){ .name = copy_of(m->name, &failed),
					     .unit = copy_of(m->unit ? m->unit : "", &failed),
					     .better = m->better,
					     .is_scenario = true };
	}
	return failed ? -ENOMEM : 0;
}

static int make_case(const struct scenario_case *from, struct run_case *c)
{
	bool failed = false;

	c->name = copy_of(from->name, &failed);
	c->cell = copy_of(from->cell, &failed);
	c->variant = copy_of(from->variant, &failed);
	if (failed || copy_pairs(&from->parameters, &c->parameters))
		return -ENOMEM;
	return make_metrics(from, c);
}

int run_build_new(const struct measure_options *o, struct run_result **ret)
{
	_cleanup_(run_result_freep) struct run_result *r = calloc(1, sizeof(*r));
	const struct scenario *s = o->scenario;
	bool failed = false;
	int err;

	if (!r)
		return errf(-ENOMEM, "no memory for the results of '%s'", s->name);
	r->scenario = copy_of(s->name, &failed);
	r->description = copy_of(s->description, &failed);
	r->scenario_path = s->path ? realpath(s->path, NULL) : NULL;
	if (!r->scenario_path)
		r->scenario_path = copy_of(s->path, &failed);
	memcpy(r->scenario_sha256, s->sha256, sizeof(r->scenario_sha256));
	r->policy = copy_of(o->policy->name, &failed);
	r->fathom_version = copy_of(FATHOM_VERSION, &failed);
	r->seed = o->seed;
	r->start_ns = clock_ns(CLOCK_REALTIME);
	r->cases = calloc(o->cases->n + 1, sizeof(*r->cases));
	for (; !failed && r->cases && r->n_cases < o->cases->n; r->n_cases++)
		failed = make_case(&o->cases->list[r->n_cases], &r->cases[r->n_cases]);
	if (failed || !r->cases)
		return errf(-ENOMEM, "no memory for the results of '%s'", s->name);
	err = environment_read(&r->environment);
	if (err)
		return err;
	*ret = take(r);
	return 0;
}

/* --- repetitions ------------------------------------------------------------------------------ */

/* As iterations of the scenario says: a number, or a metric of the case. */
static int take_iterations(const struct scenario *s, const struct run_case *c,
			   struct run_repetition *r)
{
	char *end = NULL;
	int at;

	r->iterations = 1;
	if (!s->iterations)
		return 0;
	r->iterations = strtod(s->iterations, &end);
	if (end == s->iterations || *end) {
		at = run_case_metric(c, s->iterations);
		r->iterations = at < 0 ? NAN : r->values[at];
	}
	if (isfinite(r->iterations) && r->iterations > 0)
		return 0;
	r->iterations = NAN;
	return errf(-EINVAL, "iterations: '%s' is no number above 0", s->iterations);
}

/* The metric whose values are the observations, or -1: several may look at one latency ("latency"
 * itself and a quantile of it), and it is observed once. */
static int latency_of(const struct scenario_case *c)
{
	int found = -1;
	size_t i;

	for (i = 0; i < c->n_metrics; i++) {
		if (!metrics_is_latency(&c->metrics[i]))
			continue;
		if (!strcmp(c->metrics[i].name, "latency"))
			return i;
		if (found < 0)
			found = i;
	}
	return found;
}

static int take_metrics(const struct scenario *s, const struct scenario_case *from,
			struct run_case *c, const struct repetition *rep, struct run_repetition *r)
{
	struct metrics_source source = { .c = from, .out = rep->out };
	bool counts = !r->is_warmup && !r->is_profile;
	int observed = latency_of(from);
	size_t i;
	int err = 0;

	if (from->subject.command)
		source.since_ns = rep->start_ns;
	for (i = 0; i < from->n_metrics && !err; i++) {
		err = metrics_read(&from->metrics[i], &source,
				   counts && (int)i == observed ? &c->latency : NULL,
				   &r->values[REPETITION_VALUES + i]);
	}
	if (!err)
		err = take_iterations(s, c, r);
	if (!err && counts && observed < 0 && !isnan(r->values[VALUE_WALL]))
		err = latency_add(&c->latency, r->values[VALUE_WALL]);
	return err;
}

/* -EINVAL of the metrics is an outcome. */
static int judge_metrics(int err, struct run_case *c, size_t n_latency, struct run_repetition *r)
{
	_cleanup_(str_release) struct str message = { 0 };

	if (!err || err == -ENOMEM)
		return err;
	r->outcome = REPETITION_BAD_METRIC;
	c->latency.n = n_latency;
	if (str_add_clean(&message, err_text(), strlen(err_text()), 0))
		return errf(-ENOMEM, "no memory for a repetition");
	r->message = take(message.data);
	return 0;
}

int run_build_add(const struct scenario *s, const struct scenario_case *from, struct run_case *c,
		  struct repetition *rep, const struct run_build_place *place,
		  struct run_repetition **ret)
{
	struct run_repetition r = { .number = place->number,
				    .order = place->order,
				    .start_ns = rep->start_ns,
				    .is_warmup = place->is_warmup,
				    .is_profile = place->is_profile,
				    .outcome = rep->outcome,
				    .exit_status = rep->exit_status,
				    .iterations = NAN,
				    .noise = place->noise };
	size_t n_latency = c->latency.n, i;
	int err = 0;

	if (array_reserve(c->repetitions, c->repetitions_cap, c->n_repetitions + 1))
		return errf(-ENOMEM, "no memory for a repetition");
	r.values = malloc(c->n_metrics * sizeof(*r.values));
	if (!r.values)
		return errf(-ENOMEM, "no memory for a repetition");
	for (i = 0; i < c->n_metrics; i++)
		r.values[i] = i < REPETITION_VALUES ? rep->values[i] : NAN;
	if (r.outcome == REPETITION_OK)
		err = judge_metrics(take_metrics(s, from, c, rep, &r), c, n_latency, &r);
	else
		r.message = take(rep->message);
	c->repetitions[c->n_repetitions++] = r;
	*ret = &c->repetitions[c->n_repetitions - 1];
	return err;
}

void run_build_remove_last(struct run_case *c, size_t n_latency)
{
	struct run_repetition *r = &c->repetitions[--c->n_repetitions];

	free(r->message);
	free(r->values);
	if (c->latency.n > n_latency)
		c->latency.n = n_latency;
}

int run_build_canary(struct run_result *r, uint64_t order, uint64_t ns)
{
	if (array_reserve(r->canaries, r->canaries_cap, r->n_canaries + 1))
		return errf(-ENOMEM, "no memory for a canary");
	r->canaries[r->n_canaries++] = (struct run_canary){ .order = order, .ns = ns };
	return 0;
}
