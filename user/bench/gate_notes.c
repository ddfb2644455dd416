/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/gate_notes.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "user/base/array.h"
#include "user/bench/page.h"

static int note(struct gate_case *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int note(struct gate_case *c, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (c->n_notes == ARRAY_SIZE(c->notes))
		return 0;
	va_start(ap, fmt);
	n = vasprintf(&c->notes[c->n_notes], fmt, ap);
	va_end(ap);
	if (n < 0) {
		c->notes[c->n_notes] = NULL;
		return -ENOMEM;
	}
	c->n_notes++;
	return 0;
}

const struct metric_comparison *gate_case_metric(const struct gate_case *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_metrics; i++) {
		if (!strcmp(c->metrics[i].name, name))
			return &c->metrics[i];
	}
	return NULL;
}

/* What may explain a change that no function does. */
static int note_others(struct gate_case *c)
{
	static const char *const names[] = { "read_bytes", "written_bytes", "major_faults",
					     "voluntary_switches", "max_rss_bytes" };
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(names) && !err; i++) {
		const struct metric_comparison *m = gate_case_metric(c, names[i]);

		_cleanup_(page_release) struct page text = { 0 };

		if (!m || m->before == m->after || fabs(m->change) < m->limits.min_effect)
			continue;
		page_putf(&text, "%s: ", m->name);
		page_quantity(&text, m->before, m->unit);
		page_put(&text, " before, ");
		page_quantity(&text, m->after, m->unit);
		page_put(&text, " after");
		err = text.err ?: note(c, "%s", str_text(&text.text));
	}
	return err;
}

static int note_case(struct gate_case *c)
{
	const struct metric_comparison *wall = gate_case_metric(c, "wall_ns"),
				       *cpu = gate_case_metric(c, "cpu_ns");
	double waited = wall && cpu ? (wall->after - cpu->after) - (wall->before - cpu->before) : 0;
	size_t i;
	int err = 0;

	if (c->verdict != VERDICT_REGRESSED)
		return 0;
	if (wall && wall->verdict == VERDICT_REGRESSED && waited > (wall->after - wall->before) / 2)
		err = note(c,
			   "waiting: of %.3g ms more wall time %.3g ms are not CPU time, so no "
			   "function on a CPU is to blame for them: sleep, locks or I/O",
			   (wall->after - wall->before) / 1e6, waited / 1e6);
	for (i = 0; i < c->n_functions && !err; i++) {
		const struct functions_comparison *f = c->functions[i].comparison;

		if (f && f->is_unattributed)
			err = note(c,
				   "unattributed: significant functions explain %.0f %% of the "
				   "change of %s",
				   isnan(f->explained) ? 0 : 100 * f->explained, f->value);
	}
	return err ? err : note_others(c);
}

/* --- what was not compared, or not with the same --------------------------------------------- */

static bool is_compared(const struct gate_result *g, const char *name)
{
	size_t i;

	for (i = 0; i < g->n_cases; i++) {
		if (!strcmp(g->cases[i].before_name, name))
			return true;
	}
	return false;
}

/* Of two runs: what the earlier one had and the later one has not. */
static int note_missing(const struct gate_input *in, struct gate_result *g)
{
	const struct run_result *before = in->before.run;
	const char *first = NULL;
	size_t i, missing = 0;

	for (i = 0; i < before->n_cases && !in->before.variant; i++) {
		if (is_compared(g, before->cases[i].name))
			continue;
		first = first ? first : before->cases[i].name;
		missing++;
	}
	if (!missing)
		return 0;
	return note(&g->cases[0],
		    "not judged: %zu of the %zu cases that the run compared with has are not in "
		    "this one, such as '%s'",
		    missing, before->n_cases, first);
}

int gate_notes_add(const struct gate_input *in, struct gate_result *g)
{
	bool is_same = !strcmp(in->before.run->scenario_sha256, in->after.run->scenario_sha256);
	size_t i;
	int err = 0;

	for (i = 0; i < g->n_cases && !err; i++)
		err = note_case(&g->cases[i]);
	if (!err && g->n_cases && in->after.run->profile_failure)
		err = note(&g->cases[0], "not profiled to the end: %s",
			   in->after.run->profile_failure);
	if (!err && g->n_cases && !is_same)
		err = note(&g->cases[0], "the scenario's file has changed between the two runs");
	return err || !g->n_cases ? err : note_missing(in, g);
}
