/* SPDX-License-Identifier: BSD-2-Clause */
/* The JUnit XML of Jenkins and GitLab: testsuites, testsuite, testcase, failure. */
#include "user/bench/run_files.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "user/bench/page.h"

static const struct run_repetition *first_bad(const struct run_case *c)
{
	size_t i;

	for (i = 0; i < c->n_repetitions; i++) {
		if (c->repetitions[i].outcome != REPETITION_OK)
			return &c->repetitions[i];
	}
	return NULL;
}

static bool is_measured(const struct run_case *c)
{
	size_t i;

	for (i = 0; i < c->n_repetitions; i++) {
		if (!c->repetitions[i].is_warmup && !c->repetitions[i].is_profile)
			return true;
	}
	return false;
}

static const struct run_slo *first_broken(const struct run_case *c, const struct run_slo *slo,
					  size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!slo[i].is_kept && !strcmp(slo[i].case_name, c->name))
			return &slo[i];
	}
	return NULL;
}

static double wall_s(const struct run_case *c)
{
	int at = run_case_metric(c, "wall_ns");
	double sum = 0;
	size_t i;

	for (i = 0; at >= 0 && i < c->n_repetitions; i++) {
		if (isfinite(c->repetitions[i].values[at]))
			sum += c->repetitions[i].values[at] / 1e9;
	}
	return sum;
}

static void put_broken(struct page *p, const struct run_slo *slo)
{
	page_put(p, "      <failure type=\"limit\" message=\"");
	page_xml(p, slo->metric);
	page_limits(p, slo->value, slo->min, slo->max);
	page_put(p, "\"/>\n");
}

static void put_bad(struct page *p, const struct run_repetition *r)
{
	page_putf(p, "      <failure type=\"%s\" message=\"repetition %u",
		  repetition_outcome_names[r->outcome], r->number);
	page_put(p, r->message ? ": " : "");
	page_xml(p, r->message);
	page_put(p, "\"/>\n");
}

static void open_case(struct page *p, const struct run_result *r, const char *name, double seconds)
{
	page_put(p, "    <testcase classname=\"fathom.");
	page_xml(p, r->scenario);
	page_put(p, "\" name=\"");
	page_xml(p, name);
	page_putf(p, "\" time=\"%.3f\">\n", seconds);
}

/* The schema that is usual knows one failure of a testcase: what voids it counts before limits. */
static void put_case(struct page *p, const struct run_result *r, const struct run_case *c,
		     const struct run_slo *slo, size_t n_slo)
{
	const struct run_repetition *bad = first_bad(c);
	const struct run_slo *broken = first_broken(c, slo, n_slo);

	open_case(p, r, *c->name ? c->name : r->scenario, wall_s(c));
	if (bad)
		put_bad(p, bad);
	else if (!is_measured(c))
		page_put(p, "      <skipped message=\"not measured\"/>\n");
	else if (broken)
		put_broken(p, broken);
	page_put(p, "    </testcase>\n");
}

static void put_abort(struct page *p, const struct run_result *r)
{
	open_case(p, r, "(the whole run)", r->span_ns / 1e9);
	page_put(p, "      <failure type=\"abort\" message=\"");
	page_xml(p, r->abort);
	page_put(p, "\"/>\n    </testcase>\n");
}

/* 'skipped' is an attribute of a suite alone. */
static void put_counts(struct page *p, const struct run_result *r, const struct run_slo *slo,
		       size_t n_slo, bool of_suite)
{
	size_t i, failures = r->abort != NULL, skipped = 0;

	for (i = 0; i < r->n_cases; i++) {
		const struct run_case *c = &r->cases[i];

		if (first_bad(c))
			failures++;
		else if (!is_measured(c))
			skipped++;
		else if (first_broken(c, slo, n_slo))
			failures++;
	}
	page_putf(p, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" time=\"%.3f\"",
		  r->n_cases + (r->abort != NULL), failures, r->span_ns / 1e9);
	if (of_suite)
		page_putf(p, " skipped=\"%zu\"", skipped);
}

static void put_start(struct page *p, const struct run_result *r)
{
	time_t seconds = r->start_ns / 1000000000;
	char text[32];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	page_putf(p, " timestamp=\"%s\"", text);
}

int run_junit_write(const struct run_result *r, const struct scenario *s, FILE *out)
{
	_cleanup_(page_release) struct page p = { 0 };
	_cleanup_(freep) struct run_slo *slo = NULL;
	size_t i, n_slo;
	int err = run_judge_slo(r, s, &slo, &n_slo);

	if (err)
		return err;
	page_put(&p, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"fathom\"");
	put_counts(&p, r, slo, n_slo, false);
	page_put(&p, ">\n  <testsuite name=\"");
	page_xml(&p, r->scenario);
	page_put(&p, "\"");
	put_counts(&p, r, slo, n_slo, true);
	put_start(&p, r);
	page_put(&p, " hostname=\"");
	page_xml(&p, r->environment.hostname);
	page_put(&p, "\">\n");
	for (i = 0; i < r->n_cases; i++)
		put_case(&p, r, &r->cases[i], slo, n_slo);
	if (r->abort)
		put_abort(&p, r);
	page_put(&p, "  </testsuite>\n</testsuites>\n");
	return page_write(&p, "junit.xml", out);
}
