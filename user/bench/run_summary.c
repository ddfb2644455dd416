/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/run_files.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/json_parts.h"
#include "user/bench/run_json.h"
#include "user/bench/statistics.h"

static const char *const better_names[] = { [BETTER_LOWER] = "lower", [BETTER_HIGHER] = "higher" };
static const char *const kind_names[] = { [SCENARIO_MICRO] = "micro", [SCENARIO_REAL] = "real" };

/* Quartiles far apart are noise that the extremes of a few repetitions would exaggerate. */
static double relative_spread(const double *v, size_t n, double median)
{
	if (n < 2 || median == 0)
		return NAN;
	return (quantile_of(v, n, 0.75) - quantile_of(v, n, 0.25)) / fabs(median);
}

static json_t *metric_json(const struct run_case *c, const struct run_metric *m)
{
	_cleanup_(freep) double *v = NULL;
	double least = NAN, most = NAN, median;
	size_t i, n, known = 0;
	json_t *o;
	int bad = 0;

	if (run_case_values(c, m->name, &v, &n))
		return NULL;
	for (i = 0; i < n; i++) {
		if (!isfinite(v[i]))
			continue;
		v[known++] = v[i];
		least = fmin(least, v[i]);
		most = fmax(most, v[i]);
	}
	median = known ? median_of(v, known) : NAN;
	o = json_object();
	bad |= json_object_set_new(o, "name", json_part_text(m->name));
	bad |= json_object_set_new(o, "unit", json_part_text(m->unit));
	bad |= json_object_set_new(o, "better", json_string(better_names[m->better]));
	bad |= json_object_set_new(o, "is_scenario", json_boolean(m->is_scenario));
	bad |= json_object_set_new(o, "n", json_part_count(known));
	bad |= json_object_set_new(o, "median", json_part_number(median));
	bad |= json_object_set_new(o, "min", json_part_number(least));
	bad |= json_object_set_new(o, "max", json_part_number(most));
	bad |= json_object_set_new(o, "relative_spread",
				   json_part_number(relative_spread(v, known, median)));
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *metrics_json(const struct run_case *c)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < c->n_metrics; i++) {
		if (!json_array_append_new(list, metric_json(c, &c->metrics[i])))
			continue;
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *repetitions_json(const struct run_case *c)
{
	uint64_t measured[REPETITION_OUTCOMES] = { 0 }, warmups = 0, profiles = 0;
	json_t *o = json_object(), *outcomes = json_object();
	int bad = json_object_set_new(o, "measured", outcomes);
	size_t i;

	for (i = 0; i < c->n_repetitions; i++) {
		const struct run_repetition *r = &c->repetitions[i];

		warmups += r->is_warmup;
		profiles += r->is_profile && !r->is_warmup;
		if (!r->is_warmup && !r->is_profile)
			measured[r->outcome]++;
	}
	for (i = 0; i < REPETITION_OUTCOMES; i++)
		bad |= json_object_set_new(outcomes, repetition_outcome_names[i],
					   json_part_count(measured[i]));
	bad |= json_object_set_new(o, "warmups", json_part_count(warmups));
	bad |= json_object_set_new(o, "profiles", json_part_count(profiles));
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

/* Their own names, in the order of the scenario. */
static json_t *parameters_json(const struct scenario_pairs *p)
{
	json_t *o = json_object();
	size_t i;

	for (i = 0; i < p->n; i++) {
		json_t *key = json_part_text(p->list[i].key);
		int bad = json_object_set_new(o, key ? json_string_value(key) : "",
					      json_part_text(p->list[i].value));

		json_decref(key);
		if (!key || bad) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static json_t *slo_json(const struct run_slo *list, size_t n, const char *case_name)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < n; i++) {
		json_t *o;

		if (strcmp(list[i].case_name, case_name))
			continue;
		o = json_pack("{s:o, s:o, s:o, s:o, s:b}", "metric", json_part_text(list[i].metric),
			      "value", json_part_number(list[i].value), "min",
			      json_part_number(list[i].min), "max", json_part_number(list[i].max),
			      "is_kept", list[i].is_kept);
		if (!json_array_append_new(all, o))
			continue;
		json_decref(all);
		return NULL;
	}
	return all;
}

static json_t *case_json(const struct run_case *c, const struct run_slo *slo, size_t n_slo)
{
	const struct run_latency *l = &c->latency;
	json_t *o = json_object(), *latency;
	int bad = 0;
	size_t i;

	bad |= json_object_set_new(o, "name", json_part_text(c->name));
	bad |= json_object_set_new(o, "cell", json_part_text(c->cell));
	bad |= json_object_set_new(o, "variant", json_part_text(c->variant));
	bad |= json_object_set_new(o, "parameters", parameters_json(&c->parameters));
	for (i = 0; i < RUN_STABLE_KEYS; i++)
		bad |= json_object_set_new(o, run_stable_keys[i],
					   json_part_number(run_case_value(c, run_stable_keys[i])));
	latency = json_pack("{s:o, s:o}", "observations", json_part_count(l->n ? l->n : l->n_read),
			    "dropped", json_part_count(l->dropped));
	bad |= json_object_set_new(o, "latency", latency);
	bad |= json_object_set_new(o, "slo", slo_json(slo, n_slo, c->name));
	bad |= json_object_set_new(o, "metrics", metrics_json(c));
	bad |= json_object_set_new(o, "repetitions", repetitions_json(c));
	bad |= json_object_set_new(o, "profiles", json_part_count(c->n_profiles));
	bad |= json_object_set_new(o, "profile_overhead", json_part_number(run_case_overhead(c)));
	bad |= json_object_set_new(o, "collectors",
				   c->collectors ? json_incref(c->collectors) : json_array());
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *cases_json(const struct run_result *r, const struct scenario *s)
{
	_cleanup_(freep) struct run_slo *slo = NULL;
	json_t *list;
	size_t i, n;

	if (run_judge_slo(r, s, &slo, &n))
		return NULL;
	list = json_array();
	for (i = 0; i < r->n_cases; i++) {
		if (!json_array_append_new(list, case_json(&r->cases[i], slo, n)))
			continue;
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *components_json(const struct scenario *s)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; s && i < s->n_components; i++) {
		json_t *o = json_pack("{s:o, s:o}", "name", json_part_text(s->components[i].name),
				      "symbol", json_part_text(s->components[i].symbol));

		if (!json_array_append_new(list, o))
			continue;
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *canaries_json(const struct run_result *r)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < r->n_canaries; i++) {
		json_t *o = json_pack("{s:o, s:o}", "order", json_part_count(r->canaries[i].order),
				      "ns", json_part_count(r->canaries[i].ns));

		if (!json_array_append_new(list, o))
			continue;
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *void_json(const struct run_result *r)
{
	const struct run_case *c;
	const struct run_repetition *repetition = run_void(r, &c);

	if (!repetition)
		return json_null();
	return json_pack("{s:o, s:i, s:s, s:o}", "case", json_part_text(c->name), "repetition",
			 (int)(repetition->number & INT32_MAX), "outcome",
			 repetition_outcome_names[repetition->outcome], "message",
			 json_part_text(repetition->message));
}

static int set_scenario(json_t *o, const struct run_result *r, const struct scenario *s)
{
	int bad = 0;

	bad |= json_object_set_new(o, "schema", json_string(SCENARIO_SUMMARY_SCHEMA));
	bad |= json_object_set_new(o, "scenario", json_part_text(r->scenario));
	bad |= json_object_set_new(o, "description", json_part_text(r->description));
	bad |= json_object_set_new(o, "scenario_path", json_part_text(r->scenario_path));
	bad |= json_object_set_new(o, "scenario_sha256", json_part_text(r->scenario_sha256));
	bad |= json_object_set_new(o, "kind", json_part_text(s ? kind_names[s->kind] : NULL));
	bad |= json_object_set_new(o, "tags", json_part_words(s ? s->tags : NULL));
	bad |= json_object_set_new(o, "command", json_part_words(s ? s->subject.command : NULL));
	bad |= json_object_set_new(o, "pid", json_part_known(s ? s->subject.pid : 0));
	bad |= json_object_set_new(o, "cgroup", json_part_text(s ? s->subject.cgroup : NULL));
	return bad | json_object_set_new(o, "components", components_json(s));
}

static int set_run(json_t *o, const struct run_result *r)
{
	json_t *policy = json_pack("{s:o, s:o}", "profile", json_part_text(r->policy), "version",
				   json_part_text(r->policy_version));
	char seed[24];
	int bad = json_object_set_new(o, "policy", policy);

	/* 64 bits, which numbers of JSON do not hold everywhere. */
	snprintf(seed, sizeof(seed), "%" PRIu64, r->seed);
	bad |= json_object_set_new(o, "seed", json_string(seed));
	bad |= json_object_set_new(o, "approved_by", json_part_text(r->approved_by));
	bad |= json_object_set_new(o, "fathom_version", json_part_text(r->fathom_version));
	bad |= json_object_set_new(o, "start", json_part_time(r->start_ns));
	bad |= json_object_set_new(o, "span_ns", json_part_count(r->span_ns));
	bad |= json_object_set_new(o, "was_cut", json_boolean(r->was_cut));
	bad |= json_object_set_new(o, "abort", json_part_text(r->abort));
	bad |= json_object_set_new(o, "profile_failure", json_part_text(r->profile_failure));
	bad |= json_object_set_new(o, "void", void_json(r));
	bad |= json_object_set_new(o, "environment", run_environment_json(&r->environment));
	bad |= json_object_set_new(o, "noise", run_noise_json(&r->noise));
	bad |= json_object_set_new(o, "canaries", canaries_json(r));
	return bad | json_object_set_new(o, "canary_drift", json_part_number(run_canary_drift(r)));
}

json_t *run_summary_json(const struct run_result *r, const struct scenario *s)
{
	json_t *o = json_object();
	int bad = set_scenario(o, r, s);

	bad |= set_run(o, r);
	bad |= json_object_set_new(o, "cases", cases_json(r, s));
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}
