/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/run_files.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/bench/statistics.h"

/* With six pairs the interval has an end. */
#define OVERHEAD_MIN_PAIRS  6
#define OVERHEAD_CONFIDENCE 0.95

const char *const run_stable_keys[RUN_STABLE_KEYS] = {
	"p50_latency_ms", "p95_latency_ms", "p99_latency_ms", "throughput",
	"error_rate",	  "max_rss_bytes",  "alloc_bytes",
};

const char *const run_stable_units[RUN_STABLE_KEYS] = {
	"ms", "ms", "ms", "", "", "bytes", "bytes",
};

static const unsigned int quantile_percents[RUN_QUANTILES] = {
	[RUN_P50] = 50,
	[RUN_P95] = 95,
	[RUN_P99] = 99,
};

const struct run_repetition *run_void(const struct run_result *r, const struct run_case **ret)
{
	size_t i, k;

	for (i = 0; i < r->n_cases; i++) {
		const struct run_case *c = &r->cases[i];

		for (k = 0; k < c->n_repetitions; k++) {
			if (c->repetitions[k].outcome == REPETITION_OK)
				continue;
			*ret = c;
			return &c->repetitions[k];
		}
	}
	return NULL;
}

/*
 * As of latencies of I/O, a quantile needs one observation beyond it on average: with fewer it is
 * the maximum under another name.
 */
static double latency_ms(const struct run_latency *l, enum run_quantile q)
{
	unsigned int percent = quantile_percents[q];

	if (!l->n)
		return l->n_read ? l->read_ms[q] : NAN;
	if (l->n * (100 - percent) < 100)
		return NAN;
	return quantile_of(l->ns, l->n, percent / 100.0) / 1e6;
}

/* Median of those of the n values that are known. */
static double median_known(double *v, size_t n)
{
	size_t i, known = 0;

	for (i = 0; i < n; i++) {
		if (isfinite(v[i]))
			v[known++] = v[i];
	}
	return known ? median_of(v, known) : NAN;
}

static double metric_median(const struct run_case *c, const char *metric)
{
	_cleanup_(freep) double *v = NULL;
	size_t n;

	if (run_case_values(c, metric, &v, &n))
		return NAN;
	return median_known(v, n);
}

/* What each repetition says per iteration, or its iterations per second. NULL without memory. */
static double *rates_of(const struct run_case *c, const char *metric, bool of_profiles,
			bool per_second, size_t *ret_n)
{
	double *v = malloc((c->n_repetitions + 1) * sizeof(*v));
	int at = run_case_metric(c, metric);
	size_t i, n = 0;

	for (i = 0; v && at >= 0 && i < c->n_repetitions; i++) {
		const struct run_repetition *r = &c->repetitions[i];
		double value = r->values[at];

		if (r->is_warmup || r->is_profile != of_profiles || r->outcome != REPETITION_OK)
			continue;
		if (!(value > 0) || !(r->iterations > 0))
			continue;
		v[n++] = per_second ? r->iterations / value * 1e9 : value / r->iterations;
	}
	*ret_n = n;
	return v;
}

static double median_rate(const struct run_case *c, const char *metric, bool of_profiles,
			  bool per_second)
{
	size_t n = 0;
	_cleanup_(freep) double *v = rates_of(c, metric, of_profiles, per_second, &n);

	return v && n ? median_of(v, n) : NAN;
}

static double error_rate(const struct run_case *c)
{
	size_t i, n = 0, failed = 0;

	for (i = 0; i < c->n_repetitions; i++) {
		const struct run_repetition *r = &c->repetitions[i];

		/* Who interrupts a run says nothing about the command. */
		if (r->is_warmup || r->is_profile || r->outcome == REPETITION_INTERRUPTED)
			continue;
		n++;
		failed += r->outcome != REPETITION_OK;
	}
	return n ? (double)failed / n : NAN;
}

/* The total of a type of value in a collector's summary; NAN if it has none. */
static double total_of(const json_t *collector, const char *type)
{
	const json_t *values = json_object_get(collector, "values"), *total;
	size_t i;

	for (i = 0; i < json_array_size(values); i++) {
		const json_t *o = json_array_get(values, i);
		const char *name = json_string_value(json_object_get(o, "type"));

		if (!name || strcmp(name, type))
			continue;
		total = json_object_get(o, "total");
		return json_is_number(total) ? json_number_value(total) : NAN;
	}
	return NAN;
}

static double alloc_bytes(const struct run_case *c)
{
	size_t i;

	for (i = 0; c->n_profiles && i < json_array_size(c->collectors); i++) {
		const json_t *collector = json_array_get(c->collectors, i);
		const char *name = json_string_value(json_object_get(collector, "name"));

		if (name && !strcmp(name, "alloc"))
			return total_of(collector, "alloc_space") / c->n_profiles;
	}
	return NAN;
}

double run_case_value(const struct run_case *c, const char *key)
{
	int at = run_case_metric(c, key);

	if (at >= 0)
		return metric_median(c, key);
	if (!strcmp(key, "p50_latency_ms"))
		return latency_ms(&c->latency, RUN_P50);
	if (!strcmp(key, "p95_latency_ms"))
		return latency_ms(&c->latency, RUN_P95);
	if (!strcmp(key, "p99_latency_ms"))
		return latency_ms(&c->latency, RUN_P99);
	if (!strcmp(key, "throughput"))
		return median_rate(c, "wall_ns", false, true);
	if (!strcmp(key, "error_rate"))
		return error_rate(c);
	if (!strcmp(key, "alloc_bytes"))
		return alloc_bytes(c);
	return NAN;
}

double run_case_overhead(const struct run_case *c)
{
	double measured = median_rate(c, "cpu_ns", false, false);
	double profiled = median_rate(c, "cpu_ns", true, false);

	return measured > 0 ? profiled / measured - 1 : NAN;
}

bool run_case_overhead_exceeds(const struct run_case *c, double share)
{
	size_t n = 0, n_profiled = 0, i;
	_cleanup_(freep) double *measured = rates_of(c, "cpu_ns", false, false, &n);
	_cleanup_(freep) double *profiled = rates_of(c, "cpu_ns", true, false, &n_profiled);
	double low, high;

	if (!(run_case_overhead(c) > share))
		return false;
	n = n < n_profiled ? n : n_profiled;
	if (!measured || !profiled || n < OVERHEAD_MIN_PAIRS)
		return true;
	for (i = 0; i < n; i++)
		profiled[i] = log(profiled[i] / measured[i]);
	return hodges_lehmann_interval(profiled, n, OVERHEAD_CONFIDENCE, &low, &high) ||
	       low > log1p(share);
}

double run_case_loss(const struct run_case *c, const char **ret_collector)
{
	double worst = 0;
	size_t i;

	for (i = 0; i < json_array_size(c->collectors); i++) {
		const json_t *one = json_array_get(c->collectors, i);
		const json_t *ledger = json_object_get(one, "ledger");
		const char *name = json_string_value(json_object_get(one, "name"));
		double share = json_number_value(json_object_get(ledger, "loss_share"));

		if (share > worst) {
			worst = share;
			*ret_collector = name ? name : "";
		}
	}
	return worst;
}

int run_judge_slo(const struct run_result *r, const struct scenario *s, struct run_slo **ret,
		  size_t *ret_n)
{
	size_t i, k, n = 0, n_slo = s ? s->n_slo : 0;
	struct run_slo *list = calloc(r->n_cases * n_slo + 1, sizeof(*list));

	if (!list)
		return errf(-ENOMEM, "no memory to judge the limits of '%s'", r->scenario);
	for (i = 0; i < r->n_cases; i++) {
		for (k = 0; k < n_slo; k++) {
			const struct scenario_slo *slo = &s->slo[k];
			double value = run_case_value(&r->cases[i], slo->metric);

			list[n++] = (struct run_slo){
				.case_name = r->cases[i].name,
				.metric = slo->metric,
				.value = value,
				.min = slo->min,
				.max = slo->max,
				.is_kept = isfinite(value) && !(value < slo->min) &&
					   !(value > slo->max),
			};
		}
	}
	*ret = list;
	*ret_n = n;
	return 0;
}
