/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/run_files.h"

#include <math.h>
#include <string.h>

#include "user/bench/page.h"
#include "user/bench/statistics.h"

#define TOP_FUNCTIONS 10

static void put_case_name(struct page *p, const struct run_case *c)
{
	page_code(p, *c->name ? c->name : "(the only one)");
}

static void put_verdict(struct page *p, const struct run_result *r, const struct run_slo *slo,
			size_t n_slo)
{
	const struct run_case *c;
	const struct run_repetition *bad = run_void(r, &c);
	size_t i, kept = 0;

	for (i = 0; i < n_slo; i++)
		kept += slo[i].is_kept;
	if (r->abort) {
		page_put(p, "**Given up:** ");
		page_words(p, r->abort);
		page_put(p, "\n\n");
	}
	if (bad) {
		page_putf(p, "**Void:** %s in repetition %u of ",
			  repetition_outcome_names[bad->outcome], bad->number);
		put_case_name(p, c);
		page_put(p, bad->message ? ": " : "");
		page_words(p, bad->message);
		page_put(p, "\n\n");
	}
	if (!r->abort && !bad && !n_slo)
		page_put(p, "**Measured.** The scenario sets no limits.\n\n");
	if (n_slo)
		page_putf(p, "**%zu of %zu limits are kept.**\n\n", kept, n_slo);
	if (r->profile_failure) {
		page_put(p, "**Not profiled to the end:** ");
		page_words(p, r->profile_failure);
		page_put(p, "\n\n");
	}
	if (r->was_cut)
		page_put(p, "The budget of time ended it before all repetitions were made.\n\n");
}

static const char *unit_of(const struct run_result *r, const char *metric)
{
	size_t i;
	int at;

	for (i = 0; i < r->n_cases; i++) {
		at = run_case_metric(&r->cases[i], metric);
		if (at >= 0)
			return r->cases[i].metrics[at].unit;
	}
	for (i = 0; i < RUN_STABLE_KEYS; i++) {
		if (!strcmp(metric, run_stable_keys[i]))
			return run_stable_units[i];
	}
	return "";
}

static void put_limits(struct page *p, const struct run_result *r, const struct run_slo *slo,
		       size_t n)
{
	size_t i;

	if (!n)
		return;
	page_put(p, "## Limits\n\n| case | metric | value | at least | at most | kept |\n"
		    "|---|---|--:|--:|--:|---|\n");
	for (i = 0; i < n; i++) {
		const char *unit = unit_of(r, slo[i].metric);

		page_put(p, "| ");
		page_code(p, slo[i].case_name);
		page_put(p, " | ");
		page_code(p, slo[i].metric);
		page_put(p, " | ");
		page_quantity(p, slo[i].value, unit);
		page_put(p, " | ");
		page_quantity(p, slo[i].min, unit);
		page_put(p, " | ");
		page_quantity(p, slo[i].max, unit);
		page_put(p, slo[i].is_kept ? " | yes |\n" : " | **no** |\n");
	}
	page_put(p, "\n");
}

/* The values that are known, in front; their number. */
static size_t keep_known(double *v, size_t n)
{
	size_t i, known = 0;

	for (i = 0; i < n; i++) {
		if (isfinite(v[i]))
			v[known++] = v[i];
	}
	return known;
}

static void put_metric(struct page *p, const struct run_case *c, const struct run_metric *m)
{
	_cleanup_(freep) double *v = NULL;
	size_t n;
	int err = run_case_values(c, m->name, &v, &n);

	p->err = p->err ?: err;
	n = p->err ? 0 : keep_known(v, n);
	if (!n)
		return;
	page_put(p, "| ");
	page_code(p, m->name);
	page_put(p, " | ");
	page_quantity(p, median_of(v, n), m->unit);
	page_put(p, " | ");
	page_quantity(p, quantile_of(v, n, 0), m->unit);
	page_put(p, " | ");
	page_quantity(p, quantile_of(v, n, 1), m->unit);
	page_putf(p, " | %zu | %s |\n", n, m->better == BETTER_LOWER ? "lower" : "higher");
}

static void put_keys(struct page *p, const struct run_case *c)
{
	size_t i;

	for (i = 0; i < RUN_STABLE_KEYS; i++) {
		double value = run_case_value(c, run_stable_keys[i]);

		/* Metrics are in the same table. */
		if (!isfinite(value) || run_case_metric(c, run_stable_keys[i]) >= 0)
			continue;
		page_putf(p, "| `%s` | ", run_stable_keys[i]);
		page_quantity(p, value, run_stable_units[i]);
		page_put(p, " | | | | |\n");
	}
}

static void put_function(struct page *p, const json_t *f)
{
	const json_t *self = json_object_get(f, "self_share"),
		     *total = json_object_get(f, "total_share");

	page_put(p, "| ");
	page_code(p, json_string_value(json_object_get(f, "function")));
	page_put(p, " | ");
	page_words(p, json_string_value(json_object_get(f, "module")));
	page_putf(p, " | %.1f %% | %.1f %% |\n", 100 * json_number_value(self),
		  100 * json_number_value(total));
}

static void put_collector(struct page *p, const json_t *collector)
{
	const json_t *top = json_object_get(collector, "top");
	size_t i, n = json_array_size(top);

	if (!n)
		return;
	page_put(p, "Where it went, by ");
	page_code(p, json_string_value(json_object_get(collector, "name")));
	page_put(p, ":\n\n| function | module | self | total |\n|---|---|--:|--:|\n");
	for (i = 0; i < n && i < TOP_FUNCTIONS; i++)
		put_function(p, json_array_get(top, i));
	page_put(p, "\n");
}

static void put_case(struct page *p, const struct run_case *c)
{
	double overhead = run_case_overhead(c);
	size_t i, measured = 0, warmups = 0, profiles = 0;

	page_put(p, "## ");
	put_case_name(p, c);
	page_put(p, "\n\n");
	for (i = 0; i < c->n_repetitions; i++) {
		warmups += c->repetitions[i].is_warmup;
		profiles += c->repetitions[i].is_profile && !c->repetitions[i].is_warmup;
		measured += !c->repetitions[i].is_warmup && !c->repetitions[i].is_profile;
	}
	page_putf(p, "%zu repetitions were measured and %zu profiled, after %zu to warm up.",
		  measured, profiles, warmups);
	if (isfinite(overhead)) {
		page_put(p, " CPU time while profiled: ");
		page_change(p, overhead, false);
		page_put(p, ".");
	}
	page_put(p, "\n\n| metric | median | least | most | n | better |\n"
		    "|---|--:|--:|--:|--:|---|\n");
	put_keys(p, c);
	for (i = 0; i < c->n_metrics; i++)
		put_metric(p, c, &c->metrics[i]);
	page_put(p, "\n");
	for (i = 0; i < json_array_size(c->collectors); i++)
		put_collector(p, json_array_get(c->collectors, i));
}

static void put_fact(struct page *p, const char *what, const char *text)
{
	if (!text)
		return;
	page_putf(p, "| %s | ", what);
	page_words(p, text);
	page_put(p, " |\n");
}

static void put_share(struct page *p, const char *what, double share)
{
	if (isfinite(share))
		page_putf(p, "| %s | %.2f %% |\n", what, 100 * share);
}

static void warn(struct page *p, bool is_so, const char *what)
{
	if (is_so)
		page_putf(p, "- %s\n", what);
}

static void put_warnings(struct page *p, const struct run_result *r)
{
	const struct environment *e = &r->environment;
	size_t before = p->text.len;

	warn(p, e->governor && strcmp(e->governor, "performance"),
	     "The clock follows the load: the governor is not `performance`.");
	warn(p, e->turbo == 1, "Turbo is on: the clock depends on the other cores and on heat.");
	warn(p, r->noise.steal > 0, "The hypervisor took time away (steal).");
	warn(p, r->noise.throttled > 0, "The cgroup's limit of CPU time was hit.");
	warn(p, r->noise.thermal_throttles > 0, "The CPU was throttled by heat.");
	warn(p, e->cgroup_cpus > 0, "A cgroup limits the CPUs.");
	if (p->text.len > before)
		page_put(p, "\n");
}

static void put_machine(struct page *p, const struct run_result *r)
{
	const struct environment *e = &r->environment;
	const struct machine_noise *n = &r->noise;

	page_put(p, "## Machine\n\n");
	put_warnings(p, r);
	page_put(p, "| what | |\n|---|---|\n");
	put_fact(p, "fingerprint", e->fingerprint);
	put_fact(p, "host", e->hostname);
	put_fact(p, "kernel", e->kernel);
	put_fact(p, "CPU", e->cpu_model);
	page_putf(p, "| CPUs online, allowed | %u, %u |\n", e->cpus_online, e->cpus_allowed);
	put_fact(p, "governor", e->governor);
	put_fact(p, "virtualization", e->virtualization);
	put_share(p, "canary drift", run_canary_drift(r));
	put_share(p, "CPU time of others", n->other_cpu);
	put_share(p, "steal", n->steal);
	put_share(p, "pressure: CPU", n->psi_cpu);
	put_share(p, "pressure: I/O", n->psi_io);
	put_share(p, "pressure: memory", n->psi_memory);
	put_share(p, "throttled", n->throttled);
	page_put(p, "\nThe policy ");
	page_code(p, r->policy);
	page_put(p, " says how much of that is too much.\n");
}

int run_report_write(const struct run_result *r, const struct scenario *s, FILE *out)
{
	_cleanup_(page_release) struct page p = { 0 };
	_cleanup_(freep) struct run_slo *slo = NULL;
	size_t i, n_slo;
	int err = run_judge_slo(r, s, &slo, &n_slo);

	if (err)
		return err;
	page_put(&p, "# ");
	page_words(&p, r->scenario);
	page_put(&p, "\n\n");
	if (r->description) {
		page_words(&p, r->description);
		page_put(&p, "\n\n");
	}
	put_verdict(&p, r, slo, n_slo);
	put_limits(&p, r, slo, n_slo);
	for (i = 0; i < r->n_cases; i++)
		put_case(&p, &r->cases[i]);
	put_machine(&p, r);
	return page_write(&p, "report.md", out);
}
