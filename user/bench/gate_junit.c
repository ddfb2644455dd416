/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JUnit XML: a testcase for the verdict and one for each gated metric. What regressed is a failure;
 * a metric of which nothing can be said is skipped; a whole of which nothing can be said is an
 * error, since a suite that was skipped is green.
 */
#include "user/bench/gate.h"

#include <string.h>

#include "user/bench/page.h"

/* 'skipped' is an attribute of a suite alone. */
static void put_counts(struct page *p, const struct gate_result *g, bool of_suite)
{
	size_t i, k, tests = 1, failures = g->verdict == VERDICT_REGRESSED, skipped = 0;

	for (i = 0; i < g->n_cases; i++) {
		for (k = 0; k < g->cases[i].n_metrics; k++) {
			const struct metric_comparison *m = &g->cases[i].metrics[k];

			if (!m->is_gated)
				continue;
			tests++;
			failures += m->verdict == VERDICT_REGRESSED;
			skipped += m->verdict == VERDICT_INCONCLUSIVE;
		}
	}
	page_putf(p, " tests=\"%zu\" failures=\"%zu\" errors=\"%d\" time=\"0\"", tests, failures,
		  g->exit_code && g->verdict != VERDICT_REGRESSED);
	if (of_suite)
		page_putf(p, " skipped=\"%zu\"", skipped);
}

static void put_verdict(struct page *p, const struct gate_result *g)
{
	const char *element = g->verdict == VERDICT_REGRESSED ? "failure" : "error";

	page_put(p, "    <testcase classname=\"fathom.gate.");
	page_xml(p, g->scenario);
	page_put(p, "\" name=\"verdict\" time=\"0\">\n");
	if (g->exit_code || g->verdict == VERDICT_REGRESSED) {
		page_putf(p, "      <%s type=\"", element);
		page_xml(p, g->reason);
		page_put(p, "\" message=\"");
		page_xml(p, g->explanation);
		page_put(p, "\"/>\n");
	}
	page_put(p, "    </testcase>\n");
}

static void put_change(struct page *p, const struct metric_comparison *m)
{
	page_quantity(p, m->before, NULL);
	page_put(p, " -> ");
	page_quantity(p, m->after, NULL);
	page_put(p, " ");
	page_xml(p, m->unit);
	page_put(p, ", worse by ");
	page_change(p, m->change, m->limits.is_points);
}

static void put_grown(struct page *p, const struct gate_case *c)
{
	size_t i, k;

	for (i = 0; i < c->n_functions; i++) {
		const struct functions_comparison *f = c->functions[i].comparison;

		for (k = 0; f && k < f->n_changes; k++) {
			const struct function_change *change = &f->changes[k];

			if (change->class != FUNCTION_GROWN && change->class != FUNCTION_NEW)
				continue;
			page_putf(p, "%s: ", function_class_names[change->class]);
			page_xml(p, change->function);
			page_put(p, "\n");
		}
	}
}

static void put_metric(struct page *p, const struct gate_result *g, const struct gate_case *c,
		       const struct metric_comparison *m)
{
	page_put(p, "    <testcase classname=\"fathom.gate.");
	page_xml(p, g->scenario);
	page_put(p, c->cell && *c->cell ? "." : "");
	page_xml(p, c->cell);
	page_put(p, "\" name=\"");
	page_xml(p, m->name);
	page_put(p, "\" time=\"0\">\n");
	if (m->verdict == VERDICT_REGRESSED) {
		page_put(p, "      <failure type=\"");
		page_xml(p, m->reason);
		page_put(p, "\" message=\"");
		put_change(p, m);
		page_put(p, "\">");
		put_grown(p, c);
		page_put(p, "</failure>\n");
	} else if (m->verdict == VERDICT_INCONCLUSIVE) {
		page_put(p, "      <skipped message=\"inconclusive: ");
		page_xml(p, m->reason);
		page_put(p, "\"/>\n");
	}
	page_put(p, "    </testcase>\n");
}

int gate_junit_write(const struct gate_result *g, FILE *out)
{
	_cleanup_(page_release) struct page p = { 0 };
	size_t i, k;

	page_put(&p,
		 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"fathom gate\"");
	put_counts(&p, g, false);
	page_put(&p, ">\n  <testsuite name=\"");
	page_xml(&p, g->scenario);
	page_put(&p, "\"");
	put_counts(&p, g, true);
	page_put(&p, ">\n");
	put_verdict(&p, g);
	for (i = 0; i < g->n_cases; i++) {
		for (k = 0; k < g->cases[i].n_metrics; k++) {
			if (g->cases[i].metrics[k].is_gated)
				put_metric(&p, g, &g->cases[i], &g->cases[i].metrics[k]);
		}
	}
	page_put(&p, "  </testsuite>\n</testsuites>\n");
	return page_write(&p, "the gate's JUnit file", out);
}
