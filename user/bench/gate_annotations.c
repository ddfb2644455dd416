/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/gate.h"

#include <math.h>

#include "user/bench/page.h"

#define MAX_FUNCTIONS 3 /* in a line */

/* Up to the message. */
static void open_command(struct page *p, const char *level, const char *file,
			 const struct gate_result *g, const struct gate_case *c)
{
	page_putf(p, "::%s ", level);
	if (file) {
		page_put(p, "file=");
		page_property(p, file);
		page_put(p, ",");
	}
	page_put(p, "title=");
	page_property(p, g->scenario);
	if (c && c->cell && *c->cell) {
		page_put(p, " ");
		page_property(p, c->cell);
	}
	page_put(p, "::");
}

static void put_functions(struct page *p, const struct functions_comparison *f)
{
	size_t i, shown = 0;

	for (i = 0; i < f->n_changes && shown < MAX_FUNCTIONS; i++) {
		const struct function_change *c = &f->changes[i];

		if (c->class != FUNCTION_GROWN && c->class != FUNCTION_NEW)
			continue;
		page_put(p, shown++ ? ", " : "; dearer: ");
		page_message(p, c->function);
		if (isfinite(c->contribution))
			page_putf(p, " (%.0f%%25 of the change)", 100 * c->contribution);
	}
}

static void put_percent(struct page *p, double change, bool is_points)
{
	_cleanup_(page_release) struct page text = { 0 };

	page_change(&text, change, is_points);
	p->err = p->err ?: text.err;
	page_message(p, str_text(&text.text));
}

static void put_metric(struct page *p, const char *file, const struct gate_result *g,
		       const struct gate_case *c, const struct metric_comparison *m)
{
	size_t i;

	open_command(p, m->verdict == VERDICT_REGRESSED ? "error" : "warning", file, g, c);
	page_message(p, m->name);
	page_put(p, " is worse by ");
	put_percent(p, m->change, m->limits.is_points);
	page_put(p, " (");
	put_percent(p, m->low, m->limits.is_points);
	page_put(p, " to ");
	put_percent(p, m->high, m->limits.is_points);
	page_put(p, ")");
	for (i = 0; i < c->n_functions; i++) {
		if (c->functions[i].comparison)
			put_functions(p, c->functions[i].comparison);
	}
	page_put(p, "\n");
}

int gate_annotations_write(const struct gate_result *g, const char *file, FILE *out)
{
	_cleanup_(page_release) struct page p = { 0 };
	size_t i, k;

	open_command(&p,
		     g->verdict == VERDICT_REGRESSED ? "error"
		     : g->exit_code		     ? "warning"
						     : "notice",
		     file, g, NULL);
	page_putf(&p, "%s: ", verdict_names[g->verdict]);
	page_message(&p, g->explanation);
	page_put(&p, "\n");
	for (i = 0; i < g->n_cases; i++) {
		const struct gate_case *c = &g->cases[i];

		for (k = 0; k < c->n_metrics; k++) {
			const struct metric_comparison *m = &c->metrics[k];

			if ((m->is_gated && m->verdict == VERDICT_REGRESSED) || m->is_flagged)
				put_metric(&p, file, g, c, m);
		}
	}
	return page_write(&p, "annotations", out);
}
