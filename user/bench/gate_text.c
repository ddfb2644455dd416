/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/gate.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "user/bench/page.h"

#define MAX_FUNCTIONS 10

/* Of ECMA-48: bold red, green, yellow. */
static const char *const colors[] = {
	[VERDICT_PASSED] = "\x1b[1;32m",
	[VERDICT_IMPROVED] = "\x1b[1;32m",
	[VERDICT_REGRESSED] = "\x1b[1;31m",
	[VERDICT_INCONCLUSIVE] = "\x1b[1;33m",
};

static void put_verdict(struct page *p, enum verdict verdict, bool color)
{
	const char *name;

	page_put(p, color ? colors[verdict] : "");
	for (name = verdict_names[verdict]; *name; name++)
		page_putf(p, "%c", toupper((unsigned char)*name));
	page_put(p, color ? "\x1b[0m" : "");
}

/* As a column. Half a unit is worse than none; the report and the JSON have it. */
static void put_quantity(struct page *p, double value, const char *unit, unsigned int width)
{
	_cleanup_(page_release) struct page whole = { 0 }, number = { 0 };
	bool fits;

	page_quantity(&whole, value, unit);
	page_quantity(&number, value, "");
	fits = whole.text.len <= width;
	p->err = p->err ?: whole.err ?: number.err;
	page_column(p, str_text(fits ? &whole.text : &number.text), width);
	page_put(p, " ");
}

static void put_change(struct page *p, double change, bool is_points, unsigned int width)
{
	_cleanup_(page_release) struct page cell = { 0 };

	page_change(&cell, change, is_points);
	p->err = p->err ?: cell.err;
	page_column(p, str_text(&cell.text), width);
	page_put(p, " ");
}

static void put_metric(struct page *p, const struct metric_comparison *m, bool color)
{
	_cleanup_(page_release) struct page interval = { 0 };
	bool is_points = m->limits.is_points;

	page_put(p, "  ");
	page_column(p, m->name, 24);
	page_put(p, " ");
	put_quantity(p, m->before, m->unit, 11);
	put_quantity(p, m->after, m->unit, 11);
	put_change(p, m->change, is_points, 13);
	if (is_points && isfinite(m->low)) /* the unit once, or it is wider than its column */
		page_putf(&interval, "%+.1f", 100 * m->low);
	else
		page_change(&interval, m->low, is_points);
	page_put(&interval, " .. ");
	page_change(&interval, m->high, is_points);
	p->err = p->err ?: interval.err;
	page_column(p, str_text(&interval.text), 22);
	page_put(p, " ");
	put_verdict(p, m->verdict, color);
	page_put(p, " ");
	page_clean(p, m->reason);
	if (m->verdict == VERDICT_INCONCLUSIVE && isfinite(m->detectable)) {
		page_put(p, " (");
		page_change(p, m->detectable, is_points);
		page_put(p, " would have been seen)");
	}
	if (m->is_flagged)
		page_put(p, " (flagged for a person)");
	page_put(p, "\n");
}

static void put_metrics(struct page *p, const struct gate_case *c, bool color)
{
	size_t i, others = 0;

	/* 'change' is for the worse, whichever direction that is. */
	page_put(
		p,
		"  metric                   before      after       worse by      95 % interval    "
		"      verdict\n");
	for (i = 0; i < c->n_metrics; i++) {
		if (c->metrics[i].is_gated || c->metrics[i].is_flagged)
			put_metric(p, &c->metrics[i], color);
		else
			others++;
	}
	if (others)
		page_putf(p, "  %zu more are not gated: --json has them\n", others);
}

static void put_function(struct page *p, const struct function_change *f, const char *unit)
{
	page_put(p, "    ");
	page_column(p, function_class_names[f->class], 9);
	page_clean(p, f->function);
	page_put(p, f->module && *f->module ? " (" : "");
	page_clean(p, f->module);
	page_put(p, f->module && *f->module ? "): " : ": ");
	page_quantity(p, f->before, unit);
	page_put(p, " -> ");
	page_quantity(p, f->after, unit);
	if (isfinite(f->contribution))
		page_putf(p, ", %.0f %% of the change", 100 * f->contribution);
	if (f->class == FUNCTION_MOVED && f->counterpart) {
		page_put(p, f->delta > 0 ? ", from " : ", to ");
		page_clean(p, f->counterpart);
	}
	if (f->class == FUNCTION_MOVED && f->caller) {
		page_put(p, " within ");
		page_clean(p, f->caller);
	}
	page_put(p, "\n");
}

static void put_functions(struct page *p, const struct gate_functions *f)
{
	const struct functions_comparison *c = f->comparison;
	size_t i, shown = 0;

	page_put(p, "  functions by ");
	page_clean(p, f->collector);
	if (!c) {
		page_put(p, ": not compared: ");
		page_clean(p, f->reason);
		page_put(p, "\n");
		return;
	}
	page_put(p, ", per iteration: ");
	page_quantity(p, c->before, c->unit);
	page_put(p, " -> ");
	page_quantity(p, c->after, c->unit);
	page_put(p, "\n");
	for (i = 0; i < c->n_changes && shown < MAX_FUNCTIONS; i++) {
		if (c->changes[i].class == FUNCTION_SAME)
			continue;
		put_function(p, &c->changes[i], c->unit);
		shown++;
	}
	if (!shown)
		page_put(p, "    none has changed beyond noise\n");
	if (c->is_unattributed)
		page_put(p, "    unattributed: these explain less than half of the change\n");
}

static void put_case(struct page *p, const struct gate_case *c, bool color)
{
	size_t i;

	page_put(p, "\n");
	page_clean(p, c->before_name);
	if (c->before_name && c->after_name && strcmp(c->before_name, c->after_name)) {
		page_put(p, " -> ");
		page_clean(p, c->after_name);
	}
	page_put(p, c->after_name && *c->after_name ? "  " : "");
	put_verdict(p, c->verdict, color);
	page_put(p, "\n");
	put_metrics(p, c, color);
	for (i = 0; i < c->n_functions; i++)
		put_functions(p, &c->functions[i]);
	for (i = 0; i < c->n_notes; i++) {
		page_put(p, "  note: ");
		page_clean(p, c->notes[i]);
		page_put(p, "\n");
	}
	for (i = 0; i < c->n_evidence; i++) {
		page_put(p, "  evidence: ");
		page_clean(p, c->evidence[i]);
		page_put(p, "\n");
	}
}

int gate_text_write(const struct gate_result *g, bool color, FILE *out)
{
	_cleanup_(page_release) struct page p = { 0 };
	size_t i;

	put_verdict(&p, g->verdict, color);
	page_put(&p, "  ");
	page_clean(&p, g->scenario);
	page_put(&p, ": ");
	page_clean(&p, g->explanation);
	page_put(&p, " [");
	page_clean(&p, g->reason);
	page_put(&p, "]\n");
	if (g->retry_note) {
		page_put(&p, "retry: ");
		page_clean(&p, g->retry_note);
		page_put(&p, "\n");
	}
	for (i = 0; i < g->n_cases; i++)
		put_case(&p, &g->cases[i], color);
	if (g->next_command) {
		page_put(&p, "\nnext: ");
		page_clean(&p, g->next_command);
		page_put(&p, "\n");
	}
	return page_write(&p, "the verdict", out);
}
