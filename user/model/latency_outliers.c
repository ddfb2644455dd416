/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/latency_outliers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"

static void outlier_release(struct latency_outlier *one)
{
	free(one->subject);
	free(one->operation);
	free(one->flags);
	free(one->comm);
	free(one->cgroup);
	free(one->path);
	free(one->stack);
}

void latency_outliers_init(struct latency_outliers *o, uint64_t threshold_ns, size_t max,
			   unsigned int total_stage)
{
	*o = (struct latency_outliers){
		.threshold_ns = threshold_ns,
		.max = max ? max : LATENCY_OUTLIERS_DEFAULT,
		.total_stage = total_stage < LATENCY_MAX_STAGES ? total_stage : 0,
	};
}

void latency_outliers_release(struct latency_outliers *o)
{
	size_t i;

	for (i = 0; i < o->n; i++)
		outlier_release(&o->list[i]);
	free(o->list);
	*o = (struct latency_outliers){ 0 };
}

/* Whether a goes before b: it is faster, or as fast and came later. */
static bool goes_first(const struct latency_outliers *o, const struct latency_outlier *a,
		       const struct latency_outlier *b)
{
	uint64_t x = a->stage_ns[o->total_stage], y = b->stage_ns[o->total_stage];

	return x < y || (x == y && a->order > b->order);
}

static void swap(struct latency_outliers *o, size_t i, size_t k)
{
	struct latency_outlier one = o->list[i];

	o->list[i] = o->list[k];
	o->list[k] = one;
}

static void sift_up(struct latency_outliers *o, size_t i)
{
	for (; i && goes_first(o, &o->list[i], &o->list[(i - 1) / 2]); i = (i - 1) / 2)
		swap(o, i, (i - 1) / 2);
}

static void sift_down(struct latency_outliers *o, size_t i)
{
	size_t child;

	while ((child = 2 * i + 1) < o->n) {
		if (child + 1 < o->n && goes_first(o, &o->list[child + 1], &o->list[child]))
			child++;
		if (!goes_first(o, &o->list[child], &o->list[i]))
			return;
		swap(o, i, child);
		i = child;
	}
}

static int copy_string(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

static int copy(const struct latency_outlier *one, struct latency_outlier *ret)
{
	*ret = *one;
	/* All of them, so that each is the copy's own whatever fails. */
	if (copy_string(one->subject, &ret->subject) |
	    copy_string(one->operation, &ret->operation) | copy_string(one->flags, &ret->flags) |
	    copy_string(one->comm, &ret->comm) | copy_string(one->cgroup, &ret->cgroup) |
	    copy_string(one->path, &ret->path) | copy_string(one->stack, &ret->stack)) {
		outlier_release(ret);
		return -ENOMEM;
	}
	return 0;
}

uint64_t latency_outliers_floor_ns(const struct latency_outliers *o)
{
	return o->n < o->max ? 0 : o->list[0].stage_ns[o->total_stage];
}

bool latency_outliers_wants(const struct latency_outliers *o, uint64_t total_ns)
{
	return o->n < o->max || total_ns > latency_outliers_floor_ns(o);
}

int latency_outliers_add(struct latency_outliers *o, const struct latency_outlier *one)
{
	struct latency_outlier mine;
	int err;

	if (!latency_outliers_wants(o, one->stage_ns[o->total_stage])) {
		o->n_faster++;
		return 0;
	}
	if (o->n < o->max) {
		err = array_reserve(o->list, o->cap, o->n + 1);
		if (err)
			return err;
	}
	err = copy(one, &mine);
	if (err)
		return err;
	mine.order = o->n_added++;
	if (o->n < o->max) {
		o->list[o->n++] = mine;
		sift_up(o, o->n - 1);
		return 0;
	}
	outlier_release(&o->list[0]);
	o->list[0] = mine;
	o->n_faster++;
	sift_down(o, 0);
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct latency_outlier *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

void latency_outliers_sort(struct latency_outliers *o)
{
	if (o->n)
		qsort(o->list, o->n, sizeof(*o->list), by_time);
}
