/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/report_json.h"

#include <errno.h>

#include "user/base/json_parts.h"
#include "user/export/memory_sites.h"

static const char *kind_name(uint32_t kind)
{
	switch (kind) {
	case FRAME_KERNEL:
		return "kernel";
	case FRAME_INLINED:
		return "inlined";
	case FRAME_INTERPRETED:
		return "interpreted";
	case FRAME_SYNTHETIC:
		return "synthetic";
	default:
		return "user";
	}
}

static json_t *value_types(const struct report *r)
{
	_cleanup_(json_decrefp) json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < r->profile->n_values; i++) {
		const struct profile_value_type *t = &r->profile->value_types[i];
		json_t *one = json_pack("{s:o, s:o, s:I}", "type",
					json_part_text(profile_string(r->profile, t->type)), "unit",
					json_part_text(profile_string(r->profile, t->unit)),
					"total", (json_int_t)profile_total(r->profile, i));

		if (json_array_append_new(list, one))
			return NULL;
	}
	return take(list);
}

static json_t *recording(const struct recording *rec)
{
	_cleanup_(json_decrefp) json_t *causes = json_object();
	size_t i;

	if (!rec)
		return json_null();
	for (i = 0; i < rec->n_causes; i++) {
		if (json_object_set_new(causes, rec->causes[i].name,
					json_part_count(rec->causes[i].n)))
			return NULL;
	}
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:o},"
		" s:{s:o, s:o, s:o, s:o, s:O}, s:f, s:{s:o, s:o, s:o}}",
		"collector", json_part_text(rec->collector), "target", json_part_text(rec->target),
		"event", json_part_text(rec->event), "rate_hz", json_part_known(rec->rate_hz),
		"span_ns", json_part_known(rec->span_ns), "host", "kernel",
		json_part_text(rec->kernel), "architecture", json_part_text(rec->architecture),
		"cpu_model", json_part_text(rec->cpu_model), "cpus_online",
		json_part_known(rec->cpus_online), "ledger", "fired", json_part_count(rec->fired),
		"kept", json_part_count(rec->kept), "filtered", json_part_count(rec->filtered),
		"lost", json_part_count(rec->lost), "causes", causes, "loss_share",
		recording_loss_share(rec), "stacks", "complete", json_part_count(rec->complete),
		"truncated", json_part_count(rec->truncated), "unnamed",
		json_part_count(rec->unnamed));
}

static json_t *latency(const struct recording *rec)
{
	return rec && rec->latency ? json_incref(rec->latency) : json_null();
}

static json_t *memory(const struct recording *rec)
{
	return rec && rec->memory ? json_incref(rec->memory) : json_null();
}

static json_t *sites_list(const struct memory_sites *s, uint64_t *ret_others, int64_t *ret_value)
{
	_cleanup_(json_decrefp) json_t *list = json_array();
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (i < REPORT_JSON_SITES) {
			if (json_array_append(list, (json_t *)s->list[i]))
				return NULL;
			continue;
		}
		(*ret_others)++;
		if (__builtin_add_overflow(*ret_value, memory_site_value(s, s->list[i]), ret_value))
			*ret_value = INT64_MAX;
	}
	return take(list);
}

static json_t *sites(const struct report *r)
{
	_cleanup_(memory_sites_freep) struct memory_sites *s = NULL;
	uint64_t others;
	int64_t value;
	json_t *list;

	if (memory_sites_new(r, &s))
		return NULL;
	if (!s)
		return json_null();
	others = s->others;
	value = s->others_value;
	list = sites_list(s, &others, &value);
	return json_pack("{s:s, s:o, s:{s:o, s:o}}", "value", s->value, "stacks", list,
			 "stacks_other", "stacks", json_part_count(others), "value",
			 json_integer(value));
}

static json_t *range_json(const struct time_range *range)
{
	return json_pack("{s:o, s:o}", "from_ns", json_part_count(range->from_ns), "to_ns",
			 range->to_ns == UINT64_MAX ? json_null() : json_part_count(range->to_ns));
}

/* What all modes have. */
static json_t *heading(const struct report *r, const char *mode)
{
	json_t *o = json_pack(
		"{s:s, s:o, s:s, s:{s:o, s:o}, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
		" s:o, s:o}",
		"schema", "fathom.report/1", "source", json_part_text(r->source), "mode", mode,
		"value", "type", json_part_text(report_type(r)), "unit",
		json_part_text(report_unit(r)), "total", (json_int_t)r->tree->nodes[0].total,
		"values", value_types(r), "stacks", json_part_count(r->profile->samples.n),
		"start_ns", json_part_known(r->profile->start_ns), "duration_ns",
		json_part_known(r->profile->duration_ns), "period_ns",
		json_part_known(r->profile->period_ns), "recording", recording(r->recording),
		"latency", r->range ? json_null() : latency(r->recording), "memory",
		r->range ? json_null() : memory(r->recording), "sites",
		r->range ? json_null() : sites(r));

	if (o && r->range && json_object_set_new(o, "range", range_json(r->range))) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *line_number(uint32_t line)
{
	return line ? json_integer(line) : json_null();
}

static json_t *row(const struct report *r, const struct top_row *row)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:I, s:f, s:I, s:f}", "function",
			 json_part_text(row->function), "module", json_part_text(row->module),
			 "kind", kind_name(row->kind), "file", json_part_text(row->file), "line",
			 line_number(row->line), "self", (json_int_t)row->self, "self_share",
			 report_share(r, row->self), "total", (json_int_t)row->total, "total_share",
			 report_share(r, row->total));
}

/* A caller or callee: what passed along the edge. */
static json_t *edge(const struct report *r, const struct top_row *row)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:I, s:f}", "function",
			 json_part_text(row->function), "module", json_part_text(row->module),
			 "kind", kind_name(row->kind), "file", json_part_text(row->file), "line",
			 line_number(row->line), "total", (json_int_t)row->total, "total_share",
			 report_share(r, row->total));
}

static json_t *rows_of(const struct report *r, const struct top_row *rows, size_t n, size_t limit,
		       json_t *(*one)(const struct report *r, const struct top_row *row))
{
	_cleanup_(json_decrefp) json_t *list = json_array();
	size_t i;

	for (i = 0; i < n && (!limit || i < limit); i++) {
		if (json_array_append_new(list, one(r, &rows[i])))
			return NULL;
	}
	return take(list);
}

json_t *report_json_top(const struct report *r, const struct top *top, size_t rows,
			const char *sort)
{
	_cleanup_(json_decrefp) json_t *report = heading(r, "top");

	if (json_object_set_new(report, "sort", json_string(sort)) ||
	    json_object_set_new(report, "n_functions", json_part_count(top->n)) ||
	    json_object_set_new(report, "functions", rows_of(r, top->rows, top->n, rows, row)))
		return NULL;
	return take(report);
}

static json_t *tree_line(const struct report *r, const struct report_line *l)
{
	const struct calltree_node *node = &r->tree->nodes[l->node];
	json_t *parent = l->parent == PROFILE_NONE ? json_null() : json_integer(l->parent);

	return json_pack("{s:o, s:i, s:o, s:o, s:s, s:o, s:o, s:I, s:f, s:I, s:f}", "parent",
			 parent, "depth", (int)node->depth, "function",
			 json_part_text(calltree_name(r->tree, l->node)), "module",
			 json_part_text(calltree_module(r->tree, l->node)), "kind",
			 kind_name(node->kind), "file",
			 json_part_text(calltree_file(r->tree, l->node)), "line",
			 line_number(node->line), "self", (json_int_t)node->self, "self_share",
			 report_share(r, node->self), "total", (json_int_t)node->total,
			 "total_share", report_share(r, node->total));
}

json_t *report_json_tree(const struct report *r, const struct report_tree *t, double min_share)
{
	_cleanup_(json_decrefp) json_t *report = heading(r, "tree"), *nodes = json_array();
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (json_array_append_new(nodes, tree_line(r, &t->lines[i])))
			return NULL;
	}
	if (json_object_set_new(report, "min_share", json_real(min_share)) ||
	    json_object_set_new(report, "pruned",
				json_pack("{s:o, s:I}", "branches", json_part_count(t->pruned),
					  "total", (json_int_t)t->pruned_total)) ||
	    json_object_set(report, "nodes", nodes))
		return NULL;
	return take(report);
}

json_t *report_json_function(const struct report *r, const char *function,
			     const struct top_neighbours *n, size_t rows)
{
	_cleanup_(json_decrefp) json_t *report = heading(r, "function");

	if (json_object_set_new(
		    report, "function",
		    json_pack("{s:o, s:I, s:f, s:I, s:f}", "name", json_part_text(function), "self",
			      (json_int_t)n->self, "self_share", report_share(r, n->self), "total",
			      (json_int_t)n->total, "total_share", report_share(r, n->total))) ||
	    json_object_set_new(report, "n_callers", json_part_count(n->n_callers)) ||
	    json_object_set_new(report, "callers",
				rows_of(r, n->callers, n->n_callers, rows, edge)) ||
	    json_object_set_new(report, "n_callees", json_part_count(n->n_callees)) ||
	    json_object_set_new(report, "callees",
				rows_of(r, n->callees, n->n_callees, rows, edge)))
		return NULL;
	return take(report);
}

int report_json_add_repairs(json_t *report, uint64_t count, const char *text)
{
	json_t *repairs = json_pack("{s:o, s:o}", "count", json_part_count(count), "text",
				    json_part_text(text));

	return json_object_set_new(report, "repairs", repairs) ? -ENOMEM : 0;
}
