/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/latency_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is sorted by, whatever is sorted. */
struct rank {
	const struct latency *l;
	bool is_apart;
	uint64_t time_ns, operations;
	uint32_t names[4];
	uint32_t number;
};

static int by_rank(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;
	int order, i;

	if (x->is_apart != y->is_apart)
		return x->is_apart ? 1 : -1;
	if (x->time_ns != y->time_ns)
		return x->time_ns > y->time_ns ? -1 : 1;
	if (x->operations != y->operations)
		return x->operations > y->operations ? -1 : 1;
	for (i = 0; i < 4; i++) {
		order = strcmp(latency_string(x->l, x->names[i]),
			       latency_string(y->l, y->names[i]));
		if (order)
			return order;
	}
	return 0;
}

static uint64_t total_ns(const struct latency *l, const struct histogram *stages)
{
	return stages[l->description.n_stages - 1].sum_ns;
}

static const struct latency_rows *rows_of(const struct latency *l, enum latency_list list)
{
	return list == LATENCY_BY_PATH ? &l->by_path : &l->by_subject;
}

int latency_rows_order(const struct latency *l, enum latency_list list, uint32_t **ret)
{
	const struct latency_rows *rows = rows_of(l, list);
	_cleanup_(freep) struct rank *ranks = calloc(rows->n + 1, sizeof(*ranks));
	uint32_t *order = calloc(rows->n + 1, sizeof(*order));
	uint32_t i;

	if (!ranks || !order) {
		free(order);
		return -ENOMEM;
	}
	for (i = 0; i < rows->n; i++) {
		const struct latency_row *r = &rows->rows[i];

		ranks[i] = (struct rank){
			.l = l,
			.is_apart = r->is_apart,
			.time_ns = total_ns(l, r->stages),
			.operations = r->counts.operations,
			.names = { r->subject, r->operation, r->flags, r->size_class },
			.number = i,
		};
	}
	qsort(ranks, rows->n, sizeof(*ranks), by_rank);
	for (i = 0; i < rows->n; i++)
		order[i] = ranks[i].number;
	*ret = order;
	return 0;
}

void latency_groups_free(struct latency_groups *g)
{
	unsigned int k;
	size_t i;

	if (!g)
		return;
	for (i = 0; g->groups && i < g->n; i++) {
		for (k = 0; k < LATENCY_MAX_STAGES; k++)
			histogram_release(&g->groups[i].stages[k]);
	}
	free(g->groups);
	free(g);
}

static int add_row(const struct latency *l, struct latency_group *group,
		   const struct latency_row *row)
{
	unsigned int k;
	int err;

	group->subject = row->subject;
	group->operation = row->operation;
	group->is_apart = row->is_apart;
	latency_counts_add(&group->counts, &row->counts);
	for (k = 0; k < l->description.n_stages; k++) {
		err = histogram_merge(&group->stages[k], &row->stages[k]);
		if (err)
			return err;
	}
	return 0;
}

/* Groups in the order of their first row. */
static int merge(const struct latency *l, const struct latency_rows *rows, struct keyset *keys,
		 struct latency_groups *g)
{
	uint32_t i, number;
	int err;

	g->groups = calloc(rows->n + 1, sizeof(*g->groups));
	if (!g->groups)
		return -ENOMEM;
	for (i = 0; i < rows->n; i++) {
		const uint32_t key[] = { rows->rows[i].subject, rows->rows[i].operation };

		err = keyset_add(keys, key, &number);
		if (err < 0)
			return err;
		g->n = keys->n;
		err = add_row(l, &g->groups[number], &rows->rows[i]);
		if (err)
			return err;
	}
	return 0;
}

static int sort(const struct latency *l, struct latency_groups *g)
{
	_cleanup_(freep) struct rank *ranks = calloc(g->n + 1, sizeof(*ranks));
	struct latency_group *sorted = calloc(g->n + 1, sizeof(*sorted));
	uint32_t i;

	if (!ranks || !sorted) {
		free(sorted);
		return -ENOMEM;
	}
	for (i = 0; i < g->n; i++) {
		const struct latency_group *one = &g->groups[i];

		ranks[i] = (struct rank){ .l = l,
					  .is_apart = one->is_apart,
					  .time_ns = total_ns(l, one->stages),
					  .operations = one->counts.operations,
					  .names = { one->subject, one->operation },
					  .number = i };
	}
	qsort(ranks, g->n, sizeof(*ranks), by_rank);
	for (i = 0; i < g->n; i++)
		sorted[i] = g->groups[ranks[i].number];
	free(g->groups);
	g->groups = sorted;
	return 0;
}

int latency_groups_new(const struct latency *l, enum latency_list list, struct latency_groups **ret)
{
	_cleanup_(latency_groups_freep) struct latency_groups *g = calloc(1, sizeof(*g));
	struct keyset keys;
	int err;

	if (!g)
		return -ENOMEM;
	keyset_init(&keys, 2 * sizeof(uint32_t));
	err = merge(l, rows_of(l, list), &keys, g);
	keyset_release(&keys);
	if (!err)
		err = sort(l, g);
	if (!err)
		*ret = take(g);
	return err;
}
