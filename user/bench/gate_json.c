/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/gate.h"

#include "user/base/json_parts.h"

static const char *const better_names[] = { [BETTER_LOWER] = "lower", [BETTER_HIGHER] = "higher" };

static json_t *limits_json(const struct policy_limits *l)
{
	return json_pack("{s:o, s:o, s:o, s:b, s:b}", "min_effect", json_part_number(l->min_effect),
			 "alert", json_part_number(l->alert), "limit", json_part_number(l->limit),
			 "is_points", l->is_points, "flags_only", l->flags_only);
}

static json_t *metric_json(const struct metric_comparison *m)
{
	json_t *o = json_object();
	int bad = 0;

	bad |= json_object_set_new(o, "name", json_part_text(m->name));
	bad |= json_object_set_new(o, "unit", json_part_text(m->unit));
	bad |= json_object_set_new(o, "better", json_string(better_names[m->better]));
	bad |= json_object_set_new(o, "is_gated", json_boolean(m->is_gated));
	bad |= json_object_set_new(o, "is_flagged", json_boolean(m->is_flagged));
	bad |= json_object_set_new(o, "verdict", json_string(verdict_names[m->verdict]));
	bad |= json_object_set_new(o, "reason", json_part_text(m->reason));
	bad |= json_object_set_new(o, "pairs", json_part_count(m->n));
	bad |= json_object_set_new(o, "before", json_part_number(m->before));
	bad |= json_object_set_new(o, "after", json_part_number(m->after));
	bad |= json_object_set_new(o, "change", json_part_number(m->change));
	bad |= json_object_set_new(o, "low", json_part_number(m->low));
	bad |= json_object_set_new(o, "high", json_part_number(m->high));
	bad |= json_object_set_new(o, "p", json_part_number(m->p));
	bad |= json_object_set_new(o, "p_adjusted", json_part_number(m->p_adjusted));
	bad |= json_object_set_new(o, "p_improved", json_part_number(m->p_improved));
	bad |= json_object_set_new(o, "p_improved_adjusted",
				   json_part_number(m->p_improved_adjusted));
	bad |= json_object_set_new(o, "detectable", json_part_number(m->detectable));
	bad |= json_object_set_new(o, "limits", limits_json(&m->limits));
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *collector_json(const struct gate_functions *f)
{
	return json_pack("{s:o, s:o, s:o}", "collector", json_part_text(f->collector), "reason",
			 json_part_text(f->reason), "comparison",
			 f->comparison ? functions_json(f->comparison) : json_null());
}

static json_t *texts_json(char *const *texts, size_t n)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < n; i++) {
		if (!json_array_append_new(list, json_part_text(texts[i])))
			continue;
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *case_json(const struct gate_case *c)
{
	json_t *o = json_object(), *metrics = json_array(), *functions = json_array();
	int bad = 0;
	size_t i;

	bad |= json_object_set_new(o, "cell", json_part_text(c->cell));
	bad |= json_object_set_new(o, "before", json_part_text(c->before_name));
	bad |= json_object_set_new(o, "after", json_part_text(c->after_name));
	bad |= json_object_set_new(o, "verdict", json_string(verdict_names[c->verdict]));
	bad |= json_object_set_new(o, "metrics", metrics);
	for (i = 0; i < c->n_metrics; i++)
		bad |= json_array_append_new(metrics, metric_json(&c->metrics[i]));
	bad |= json_object_set_new(o, "functions", functions);
	for (i = 0; i < c->n_functions; i++)
		bad |= json_array_append_new(functions, collector_json(&c->functions[i]));
	bad |= json_object_set_new(o, "evidence", texts_json(c->evidence, c->n_evidence));
	bad |= json_object_set_new(o, "notes", texts_json(c->notes, c->n_notes));
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *before_json(const struct gate_result *g)
{
	return json_pack("{s:o, s:o, s:o}", "path", json_part_text(g->before_path), "fingerprint",
			 json_part_text(g->before_fingerprint), "baseline",
			 json_part_text(g->baseline_id));
}

static json_t *after_json(const struct gate_result *g)
{
	return json_pack("{s:o, s:o}", "path", json_part_text(g->after_path), "fingerprint",
			 json_part_text(g->after_fingerprint));
}

static json_t *policy_json(const struct gate_result *g)
{
	return json_pack("{s:o, s:o, s:o}", "profile", json_part_text(g->policy), "version",
			 json_part_text(g->policy_version), "preset", json_part_text(g->preset));
}

static json_t *retry_json(const struct gate_result *g)
{
	return json_pack("{s:b, s:b, s:o}", "was_retried", g->was_retried, "is_confirmed",
			 g->is_confirmed, "note", json_part_text(g->retry_note));
}

json_t *gate_json(const struct gate_result *g)
{
	json_t *o = json_object(), *cases = json_array();
	int bad = 0;
	size_t i;

	bad |= json_object_set_new(o, "schema", json_string(GATE_SCHEMA));
	bad |= json_object_set_new(o, "verdict", json_string(verdict_names[g->verdict]));
	bad |= json_object_set_new(o, "reason", json_part_text(g->reason));
	bad |= json_object_set_new(o, "exit_code", json_integer(g->exit_code));
	bad |= json_object_set_new(o, "explanation", json_part_text(g->explanation));
	bad |= json_object_set_new(o, "next_command", json_part_text(g->next_command));
	bad |= json_object_set_new(o, "scenario", json_part_text(g->scenario));
	bad |= json_object_set_new(o, "policy", policy_json(g));
	bad |= json_object_set_new(o, "before", before_json(g));
	bad |= json_object_set_new(o, "after", after_json(g));
	bad |= json_object_set_new(o, "retry", retry_json(g));
	bad |= json_object_set_new(o, "cases", cases);
	for (i = 0; i < g->n_cases; i++)
		bad |= json_array_append_new(cases, case_json(&g->cases[i]));
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}
