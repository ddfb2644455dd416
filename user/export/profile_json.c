/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/profile_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/json_parts.h"
#include "user/base/saturate.h"
#include "user/model/calltree.h"
#include "user/model/top.h"

static int put_value_types(const struct profile *p, json_t *into)
{
	json_t *list = json_array(), *o;
	unsigned int i;
	int bad = !list;

	for (i = 0; i < p->n_values; i++) {
		o = json_pack("{s:o, s:o, s:I}", "type",
			      json_part_text(profile_string(p, p->value_types[i].type)), "unit",
			      json_part_text(profile_string(p, p->value_types[i].unit)), "total",
			      (json_int_t)profile_total(p, i));
		bad |= json_array_append_new(list, o);
	}
	bad |= json_object_set_new(into, "values", list);
	return bad ? -ENOMEM : 0;
}

static int put_ranked_by(const struct profile *p, json_t *into)
{
	const struct profile_value_type *type = &p->value_types[p->default_value];
	json_t *o = json_pack("{s:o, s:o}", "type", json_part_text(profile_string(p, type->type)),
			      "unit", json_part_text(profile_string(p, type->unit)));

	return json_object_set_new(into, "ranked_by", o) ? -ENOMEM : 0;
}

/* --- processes ----------------------------------------------------------------------------- */

#define HAS_PID	 1u
#define HAS_NAME 2u

/* One process under one name. A PID that was used again is another process. */
struct process_key {
	int64_t pid, start_ns;
	uint32_t name;	 /* string */
	uint32_t labels; /* HAS_* */
};

struct process {
	const struct profile *p;
	struct process_key key;
	int64_t value;
};

static struct process_key process_of(const struct profile *p, uint32_t labels)
{
	const struct profile_label *name = profile_label(p, labels, LABEL_PROCESS);
	const struct profile_label *pid = profile_label(p, labels, LABEL_PID);
	const struct profile_label *start = profile_label(p, labels, LABEL_PROCESS_START);

	return (struct process_key){
		.pid = pid ? pid->num : 0,
		.start_ns = start ? start->num : 0,
		.name = name ? name->str : 0,
		.labels = (pid ? HAS_PID : 0) | (name ? HAS_NAME : 0),
	};
}

static int by_value(const void *a, const void *b)
{
	const struct process *x = a, *y = b;
	int order;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	order = strcmp(profile_string(x->p, x->key.name), profile_string(y->p, y->key.name));
	if (order)
		return order;
	if (x->key.pid != y->key.pid)
		return x->key.pid < y->key.pid ? -1 : 1;
	return (x->key.start_ns > y->key.start_ns) - (x->key.start_ns < y->key.start_ns);
}

/* Sums by process, the largest first; the block is the caller's. */
static int sum_processes(const struct profile *p, struct process **ret, size_t *ret_n)
{
	_cleanup_(freep) struct process *sums = calloc(p->n_label_sets, sizeof(*sums));
	_cleanup_(keyset_release) struct keyset keys;
	struct process_key key;
	uint32_t i, at;

	keyset_init(&keys, sizeof(key));
	if (!sums)
		return -ENOMEM;
	for (i = 0; i < p->samples.n; i++) {
		key = process_of(p, profile_sample_at(p, i)->labels);
		if (keyset_add(&keys, &key, &at) < 0)
			return -ENOMEM;
		sums[at].p = p;
		sums[at].key = key;
		add_saturating(&sums[at].value, profile_values_at(p, i)[p->default_value]);
	}
	qsort(sums, keys.n, sizeof(*sums), by_value);
	*ret_n = keys.n;
	*ret = take(sums);
	return 0;
}

static json_t *process_json(const struct process *process, double total)
{
	const struct process_key *key = &process->key;

	return json_pack(
		"{s:o, s:o, s:I, s:o}", "process",
		json_part_text(key->labels & HAS_NAME ? profile_string(process->p, key->name)
						      : NULL),
		"pid", key->labels & HAS_PID ? json_integer(key->pid) : json_null(), "value",
		(json_int_t)process->value, "share", json_part_share(process->value, total));
}

static int put_processes(const struct profile *p, json_t *into)
{
	_cleanup_(freep) struct process *sums = NULL;
	double total = profile_total(p, p->default_value);
	json_t *list = json_array(), *other;
	int64_t rest = 0;
	size_t n = 0, i;
	int bad;

	bad = sum_processes(p, &sums, &n);
	for (i = 0; i < n && i < SUMMARY_PROCESSES; i++)
		bad |= json_array_append_new(list, process_json(&sums[i], total));
	for (; i < n; i++)
		add_saturating(&rest, sums[i].value);
	other = json_pack("{s:I, s:I, s:o}", "processes",
			  (json_int_t)(n > SUMMARY_PROCESSES ? n - SUMMARY_PROCESSES : 0), "value",
			  (json_int_t)rest, "share", json_part_share(rest, total));
	bad |= json_object_set_new(into, "processes", list);
	bad |= json_object_set_new(into, "processes_other", other);
	return bad ? -ENOMEM : 0;
}

/* --- functions ----------------------------------------------------------------------------- */

static json_t *row_json(const struct top_row *row, double total)
{
	static const char *const kinds[] = { "user", "kernel", "inlined", "interpreted",
					     "synthetic" };

	return json_pack("{s:o, s:o, s:s, s:I, s:I, s:o, s:o}", "function",
			 json_part_text(row->function), "module", json_part_text(row->module),
			 "kind", kinds[row->kind], "self", (json_int_t)row->self, "total",
			 (json_int_t)row->total, "self_share", json_part_share(row->self, total),
			 "total_share", json_part_share(row->total, total));
}

static json_t *rows_json(const struct top *top)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < top->n && i < SUMMARY_FUNCTIONS; i++) {
		if (json_array_append_new(list, row_json(&top->rows[i], top->total))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static int put_top(const struct profile *p, json_t *into)
{
	struct view view = { .value = p->default_value };
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	_cleanup_(top_freep) struct top *top = NULL;
	json_t *rows;
	int err, bad = 0;

	err = calltree_new(p, &view, &tree);
	if (!err)
		err = top_new(tree, &top);
	if (err)
		return err;
	rows = rows_json(top);
	bad |= json_object_set(into, "top", rows);
	bad |= json_object_set_new(into, "top_self", rows);
	top_sort_by_total(top);
	bad |= json_object_set_new(into, "top_total", rows_json(top));
	return bad ? -ENOMEM : 0;
}

int profile_json(const struct profile *p, json_t *into)
{
	int err;

	if (p->default_value >= p->n_values)
		return errf(-EINVAL, "cannot sum up a profile without values");
	err = put_value_types(p, into);
	if (!err)
		err = put_ranked_by(p, into);
	if (!err)
		err = put_processes(p, into);
	if (!err)
		err = put_top(p, into);
	return err ? errf(err, "cannot sum up a profile: %s", strerror(-err)) : 0;
}
