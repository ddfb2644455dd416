/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenMetrics 1.0 text: a family of gauges for each metric, with the cases as labels. Names and
 * values are those of summary.json; a unit is told as such where the name ends in it, as the
 * format demands, and as a label otherwise.
 */
#include "user/bench/run_files.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "user/bench/page.h"

#define PREFIX "fathom_scenario_"

static bool ends_in_unit(const char *name, const char *unit)
{
	size_t n = strlen(name), u = strlen(unit);

	return u && n > u + 1 && name[n - u - 1] == '_' && !strcmp(name + n - u, unit) &&
	       !unit[strspn(unit, "abcdefghijklmnopqrstuvwxyz0123456789_")];
}

static void put_label(struct page *p, const char *name, const char *value)
{
	if (!value)
		return;
	page_putf(p, "%s=\"", name);
	page_label(p, value);
	page_put(p, "\"");
}

static void put_sample(struct page *p, const struct run_result *r, const char *name,
		       const struct run_case *c, const char *unit, double value)
{
	page_putf(p, PREFIX "%s{", name);
	put_label(p, "scenario", r->scenario);
	page_put(p, ",");
	put_label(p, "case", c->name);
	page_put(p, ",");
	put_label(p, "cell", c->cell);
	page_put(p, c->variant ? "," : "");
	put_label(p, "variant", c->variant);
	page_put(p, unit ? "," : "");
	put_label(p, "unit", unit);
	page_putf(p, "} %.12g\n", value);
}

/* A family stands in one piece; one that would be empty is left out. */
static void put_family(struct page *p, const struct run_result *r, const char *name,
		       const char *unit, const char *help)
{
	bool is_suffix = ends_in_unit(name, unit), is_begun = false;
	size_t i;

	for (i = 0; i < r->n_cases; i++) {
		double value = run_case_value(&r->cases[i], name);

		if (!isfinite(value))
			continue;
		if (!is_begun) {
			page_putf(p, "# TYPE " PREFIX "%s gauge\n", name);
			if (is_suffix)
				page_putf(p, "# UNIT " PREFIX "%s %s\n", name, unit);
			page_putf(p, "# HELP " PREFIX "%s %s\n", name, help);
			is_begun = true;
		}
		put_sample(p, r, name, &r->cases[i], is_suffix || !*unit ? NULL : unit, value);
	}
}

static bool is_stable_key(const char *name)
{
	size_t i;

	for (i = 0; i < RUN_STABLE_KEYS; i++) {
		if (!strcmp(name, run_stable_keys[i]))
			return true;
	}
	return false;
}

static bool is_in_earlier_case(const struct run_result *r, size_t case_number, const char *name)
{
	size_t i;

	for (i = 0; i < case_number; i++) {
		if (run_case_metric(&r->cases[i], name) >= 0)
			return true;
	}
	return false;
}

static void put_metrics(struct page *p, const struct run_result *r)
{
	size_t i, k;

	for (i = 0; i < RUN_STABLE_KEYS; i++)
		put_family(p, r, run_stable_keys[i], run_stable_units[i], "As in summary.json.");
	for (i = 0; i < r->n_cases; i++) {
		const struct run_case *c = &r->cases[i];

		for (k = 0; k < c->n_metrics; k++) {
			const struct run_metric *m = &c->metrics[k];

			if (is_stable_key(m->name) || is_in_earlier_case(r, i, m->name))
				continue;
			put_family(p, r, m->name, m->unit ? m->unit : "",
				   "Median of the measured repetitions.");
		}
	}
}

static void put_repetitions(struct page *p, const struct run_result *r)
{
	size_t i, k;
	int outcome;

	page_put(p, "# TYPE fathom_run_repetitions gauge\n"
		    "# HELP fathom_run_repetitions Measured repetitions, by how they ended.\n");
	for (i = 0; i < r->n_cases; i++) {
		const struct run_case *c = &r->cases[i];

		for (outcome = 0; outcome < REPETITION_OUTCOMES; outcome++) {
			size_t n = 0;

			for (k = 0; k < c->n_repetitions; k++)
				n += !c->repetitions[k].is_warmup &&
				     !c->repetitions[k].is_profile &&
				     c->repetitions[k].outcome == (enum repetition_outcome)outcome;
			page_put(p, "fathom_run_repetitions{");
			put_label(p, "scenario", r->scenario);
			page_put(p, ",");
			put_label(p, "case", c->name);
			page_putf(p, ",outcome=\"%s\"} %zu\n", repetition_outcome_names[outcome],
				  n);
		}
	}
}

static void put_run(struct page *p, const struct run_result *r)
{
	double drift = run_canary_drift(r);

	page_put(p, "# TYPE fathom_run info\n# HELP fathom_run What was run, and where.\n"
		    "fathom_run_info{");
	put_label(p, "scenario", r->scenario);
	page_put(p, ",");
	put_label(p, "policy", r->policy ? r->policy : "");
	page_put(p, ",");
	put_label(p, "environment", r->environment.fingerprint);
	page_put(p, ",");
	put_label(p, "fathom_version", r->fathom_version ? r->fathom_version : "");
	page_put(p, "} 1\n");
	if (!isfinite(drift))
		return;
	page_put(p, "# TYPE fathom_run_canary_drift_ratio gauge\n"
		    "# UNIT fathom_run_canary_drift_ratio ratio\n"
		    "# HELP fathom_run_canary_drift_ratio Largest deviation of a canary from their "
		    "median.\nfathom_run_canary_drift_ratio{");
	put_label(p, "scenario", r->scenario);
	page_putf(p, "} %.12g\n", drift);
}

int run_openmetrics_write(const struct run_result *r, FILE *out)
{
	_cleanup_(page_release) struct page p = { 0 };

	put_metrics(&p, r);
	put_repetitions(&p, r);
	put_run(&p, r);
	page_put(&p, "# EOF\n");
	return page_write(&p, "metrics.txt", out);
}
