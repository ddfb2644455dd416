/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/gate.h"

#include <math.h>

#include "user/bench/page.h"

#define MAX_FUNCTIONS 20

static void put_metric(struct page *p, const struct metric_comparison *m)
{
	bool is_points = m->limits.is_points;

	page_put(p, "| ");
	page_code(p, m->name);
	page_put(p, m->is_gated ? " | " : " (not gated) | ");
	page_quantity(p, m->before, m->unit);
	page_put(p, " | ");
	page_quantity(p, m->after, m->unit);
	page_put(p, " | ");
	page_change(p, m->change, is_points);
	page_put(p, " | ");
	page_change(p, m->low, is_points);
	page_put(p, " to ");
	page_change(p, m->high, is_points);
	page_putf(p, " | %zu | ", m->n);
	if (isfinite(m->p_adjusted))
		page_putf(p, "%.2g", m->p_adjusted);
	else
		page_put(p, "-");
	page_put(p, " | ");
	page_change(p, m->detectable, is_points);
	page_putf(p, m->verdict == VERDICT_REGRESSED ? " | **%s**: " : " | %s: ",
		  verdict_names[m->verdict]);
	page_words(p, m->reason);
	page_put(p, m->is_flagged ? ", flagged for a person |\n" : " |\n");
}

static void put_function(struct page *p, const struct function_change *f, const char *unit)
{
	page_putf(p, "| %s | ", function_class_names[f->class]);
	page_code(p, f->function);
	if (f->class == FUNCTION_MOVED && f->counterpart) {
		page_put(p, f->delta > 0 ? " from " : " to ");
		page_code(p, f->counterpart);
	}
	if (f->class == FUNCTION_MOVED && f->caller) {
		page_put(p, " within ");
		page_code(p, f->caller);
	}
	page_put(p, " | ");
	page_words(p, f->module);
	page_put(p, " | ");
	page_quantity(p, f->before, unit);
	page_put(p, " | ");
	page_quantity(p, f->after, unit);
	page_put(p, " | ");
	page_change(p, f->contribution, false);
	if (isfinite(f->p_adjusted))
		page_putf(p, " | %.2g |\n", f->p_adjusted);
	else
		page_put(p, " | - |\n");
}

static void put_functions(struct page *p, const struct gate_functions *f)
{
	const struct functions_comparison *c = f->comparison;
	size_t i, shown = 0;

	page_put(p, "\nBy ");
	page_code(p, f->collector);
	if (!c) {
		page_put(p, ", functions could not be compared: ");
		page_words(p, f->reason);
		page_put(p, "\n");
		return;
	}
	page_put(p, ", an iteration took ");
	page_quantity(p, c->before, c->unit);
	page_put(p, ", and now takes ");
	page_quantity(p, c->after, c->unit);
	page_put(p, ".");
	if (c->is_unattributed)
		page_put(p, " **Unattributed:** significant functions explain less than half of "
			    "that.");
	page_put(p, "\n\n| | function | module | before | after | of the change | p |\n"
		    "|---|---|---|--:|--:|--:|--:|\n");
	for (i = 0; i < c->n_changes && shown < MAX_FUNCTIONS; i++) {
		if (c->changes[i].class == FUNCTION_SAME)
			continue;
		put_function(p, &c->changes[i], c->unit);
		shown++;
	}
	if (!shown)
		page_put(p, "| | none has changed beyond noise | | | | | |\n");
}

static void put_case(struct page *p, const struct gate_case *c)
{
	size_t i;

	page_put(p, "\n### ");
	page_words(p, c->cell);
	page_put(p, c->cell && *c->cell ? ": " : "");
	page_words(p, c->before_name);
	page_put(p, " → ");
	page_words(p, c->after_name);
	page_putf(p, ": %s\n\n", verdict_names[c->verdict]);
	page_put(p,
		 "| metric | before | after | worse by | 95 % interval | pairs | p | detectable | "
		 "verdict |\n|---|--:|--:|--:|---|--:|--:|--:|---|\n");
	for (i = 0; i < c->n_metrics; i++)
		put_metric(p, &c->metrics[i]);
	for (i = 0; i < c->n_functions; i++)
		put_functions(p, &c->functions[i]);
	for (i = 0; i < c->n_notes; i++) {
		page_put(p, i ? "- " : "\n- ");
		page_words(p, c->notes[i]);
		page_put(p, "\n");
	}
	for (i = 0; i < c->n_evidence; i++) {
		page_put(p, i || c->n_notes ? "- " : "\n- ");
		page_code(p, c->evidence[i]);
		page_put(p, "\n");
	}
}

int gate_report_write(const struct gate_result *g, FILE *out)
{
	_cleanup_(page_release) struct page p = { 0 };
	size_t i;

	page_putf(&p, "## Gate: %s\n\n", verdict_names[g->verdict]);
	page_words(&p, g->explanation);
	page_put(&p, "\n\n| | |\n|---|---|\n| reason | ");
	page_code(&p, g->reason);
	page_put(&p, " |\n| before | ");
	page_code(&p, g->before_path);
	page_put(&p, " |\n| after | ");
	page_code(&p, g->after_path);
	page_put(&p, " |\n| policy | ");
	page_code(&p, g->policy);
	page_put(&p, " |\n");
	if (g->retry_note) {
		page_put(&p, "| retry | ");
		page_words(&p, g->retry_note);
		page_put(&p, " |\n");
	}
	for (i = 0; i < g->n_cases; i++)
		put_case(&p, &g->cases[i]);
	if (g->next_command) {
		page_put(&p, "\nNext: ");
		page_code(&p, g->next_command);
		page_put(&p, "\n");
	}
	return page_write(&p, "the gate's report", out);
}
