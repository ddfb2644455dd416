/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/latency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"

static void rows_release(struct latency_rows *rows)
{
	unsigned int k;
	size_t i;

	for (k = 0; k < LATENCY_MAX_STAGES; k++) {
		for (i = 0; i < rows->n; i++)
			histogram_release(&rows->rows[i].stages[k]);
		histogram_release(&rows->other.stages[k]);
	}
	free(rows->rows);
	keyset_release(&rows->keys);
}

static void device_release(struct latency_device *d)
{
	size_t i;

	free(d->name);
	free(d->number);
	free(d->kind);
	free(d->text);
	for (i = 0; i < d->n_lower; i++)
		free(d->lower[i]);
	free(d->lower);
}

void latency_free(struct latency *l)
{
	size_t i;

	if (!l)
		return;
	rows_release(&l->by_subject);
	rows_release(&l->by_path);
	latency_series_release(&l->series);
	latency_outliers_release(&l->outliers);
	for (i = 0; i < l->n_devices; i++)
		device_release(&l->devices[i]);
	free(l->devices);
	keyset_release(&l->route_keys);
	free(l->routes);
	strtab_release(&l->strings);
	free(l);
}

int latency_new(const struct latency_description *description, struct latency **ret)
{
	struct latency *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	if (strtab_init(&l->strings)) {
		free(l);
		return -ENOMEM;
	}
	l->description = *description;
	keyset_init(&l->by_subject.keys, 4 * sizeof(uint32_t));
	keyset_init(&l->by_path.keys, 4 * sizeof(uint32_t));
	keyset_init(&l->route_keys, 2 * sizeof(uint32_t));
	l->by_subject.max = LATENCY_MAX_ROWS;
	l->by_path.max = LATENCY_MAX_PATHS;
	latency_outliers_init(&l->outliers, description->outlier_threshold_ns,
			      description->max_outliers, description->n_stages - 1);
	*ret = l;
	return 0;
}

void latency_start(struct latency *l, uint64_t t_ns)
{
	latency_series_start(&l->series, t_ns);
}

void latency_tick(struct latency *l, uint64_t t_ns)
{
	latency_series_tick(&l->series, t_ns);
}

static struct latency_rows *rows_of(struct latency *l, enum latency_list list)
{
	return list == LATENCY_BY_PATH ? &l->by_path : &l->by_subject;
}

/* The numbers of n strings, which are added if 'may_add'. -ENOENT if one is not there. */
static int number_strings(struct latency *l, const char *const *texts, size_t n, bool may_add,
			  uint32_t *ret)
{
	size_t i;
	int err;

	for (i = 0; i < n; i++) {
		const char *text = texts[i] ? texts[i] : "";

		ret[i] = strtab_find(&l->strings, text);
		if (ret[i] != UINT32_MAX)
			continue;
		if (!may_add)
			return -ENOENT;
		err = strtab_add(&l->strings, text, &ret[i]);
		if (err)
			return err;
	}
	return 0;
}

int latency_row(struct latency *l, enum latency_list list, const struct latency_key *key,
		uint32_t *ret)
{
	const char *const texts[] = { key->subject, key->operation, key->flags, key->size_class };
	struct latency_rows *rows = rows_of(l, list);
	bool has_room = rows->n < rows->max;
	uint32_t numbers[4], i;
	int err;

	err = number_strings(l, texts, ARRAY_SIZE(texts), has_room, numbers);
	if (err && err != -ENOENT)
		return err;
	if (!has_room) {
		i = err ? KEYSET_NONE : keyset_find(&rows->keys, numbers);
		*ret = i == KEYSET_NONE ? LATENCY_OTHER : i;
		return 0;
	}
	err = array_reserve(rows->rows, rows->cap, rows->n + 1);
	if (err)
		return err;
	err = keyset_add(&rows->keys, numbers, &i);
	if (err < 0)
		return err;
	if (err == 1) {
		rows->rows[i] = (struct latency_row){ .subject = numbers[0],
						      .operation = numbers[1],
						      .flags = numbers[2],
						      .size_class = numbers[3],
						      .direction = key->direction,
						      .is_apart = key->is_apart };
		rows->n++;
	}
	*ret = i;
	return 0;
}

static struct latency_row *row_at(struct latency *l, enum latency_list list, uint32_t row)
{
	struct latency_rows *rows = rows_of(l, list);

	return row < rows->n ? &rows->rows[row] : &rows->other;
}

/* The open column's point of the row's subject, or NULL if the row is in no series. */
static int point_of(struct latency *l, enum latency_list list, uint32_t row,
		    struct latency_point **ret)
{
	if (list == LATENCY_BY_SUBJECT && row < l->by_subject.n)
		return latency_series_point(&l->series, l->by_subject.rows[row].subject, ret);
	*ret = NULL;
	return 0;
}

void latency_counts_add(struct latency_counts *counts, const struct latency_counts *more)
{
	counts->operations += more->operations;
	counts->bytes += more->bytes;
	counts->errors += more->errors;
	counts->touched += more->touched;
	counts->inferred_bytes += more->inferred_bytes;
}

int latency_add_counts(struct latency *l, enum latency_list list, uint32_t row,
		       const struct latency_counts *more)
{
	struct latency_row *r = row_at(l, list, row);
	struct latency_point *point;
	int err = point_of(l, list, row, &point);

	if (err)
		return err;
	latency_counts_add(&r->counts, more);
	if (!point)
		return 0;
	point->operations += more->operations;
	if (r->direction == LATENCY_READ)
		point->read_bytes += more->bytes;
	else if (r->direction == LATENCY_WRITE)
		point->write_bytes += more->bytes;
	return 0;
}

static bool is_total(const struct latency *l, unsigned int stage)
{
	return stage + 1 == l->description.n_stages;
}

int latency_add_slot(struct latency *l, enum latency_list list, uint32_t row, unsigned int stage,
		     uint32_t slot, uint64_t n)
{
	struct latency_row *r = row_at(l, list, row);
	struct latency_point *point;
	int err;

	if (stage >= l->description.n_stages)
		return 0;
	err = histogram_add(&r->stages[stage], slot, n);
	if (err || !is_total(l, stage) || list != LATENCY_BY_SUBJECT)
		return err;
	err = point_of(l, list, row, &point);
	if (err)
		return err;
	if (point)
		point->n_total += n;
	if (r->is_apart)
		return 0;
	return latency_series_heat(&l->series, r->operation, slot, n);
}

int latency_add_sum(struct latency *l, enum latency_list list, uint32_t row, unsigned int stage,
		    uint64_t sum_ns, uint64_t max_ns)
{
	struct latency_point *point;
	int err;

	if (stage >= l->description.n_stages)
		return 0;
	histogram_add_sum(&row_at(l, list, row)->stages[stage], sum_ns, max_ns);
	if (!is_total(l, stage))
		return 0;
	err = point_of(l, list, row, &point);
	if (!err && point)
		point->total_sum_ns += sum_ns;
	return err;
}

int latency_add_ns(struct latency *l, enum latency_list list, uint32_t row, unsigned int stage,
		   uint64_t ns)
{
	int err = latency_add_slot(l, list, row, stage, ft_hist_slot(ns), 1);

	return err ? err : latency_add_sum(l, list, row, stage, ns, ns);
}

int latency_in_flight(struct latency *l, const char *subject, uint64_t n)
{
	struct latency_point *point;
	uint32_t number;
	int err = number_strings(l, &subject, 1, true, &number);

	if (!err)
		err = latency_series_point(&l->series, number, &point);
	if (!err && point)
		point->in_flight = n;
	return err;
}

/* --- devices and routes -------------------------------------------------------------------- */

static int copy_string(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

static int copy_device(const struct latency_device *d, struct latency_device *ret)
{
	struct latency_device copy = { 0 };
	int bad = copy_string(d->name, &copy.name) | copy_string(d->number, &copy.number) |
		  copy_string(d->kind, &copy.kind) | copy_string(d->text, &copy.text);

	copy.lower = calloc(d->n_lower + 1, sizeof(*copy.lower));
	if (!copy.lower)
		bad = -ENOMEM;
	while (!bad && copy.n_lower < d->n_lower) {
		bad = copy_string(d->lower[copy.n_lower], &copy.lower[copy.n_lower]);
		copy.n_lower++;
	}
	if (bad) {
		device_release(&copy);
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

int latency_add_device(struct latency *l, const struct latency_device *device)
{
	int err;

	if (l->n_devices == LATENCY_MAX_DEVICES) {
		l->devices_left_out++;
		return 0;
	}
	err = array_reserve(l->devices, l->devices_cap, l->n_devices + 1);
	if (!err)
		err = copy_device(device, &l->devices[l->n_devices]);
	if (!err)
		l->n_devices++;
	return err;
}

/* The number of the route, or KEYSET_NONE if there is no room for it. */
static int find_route(struct latency *l, const char *subject, const char *origin, uint32_t *ret)
{
	const char *const texts[] = { subject, origin };
	bool has_room = l->n_routes < LATENCY_MAX_ROUTES;
	uint32_t numbers[2];
	int err = number_strings(l, texts, ARRAY_SIZE(texts), has_room, numbers);

	*ret = KEYSET_NONE;
	if (!has_room) {
		if (!err)
			*ret = keyset_find(&l->route_keys, numbers);
		return err == -ENOENT ? 0 : err;
	}
	if (!err)
		err = array_reserve(l->routes, l->routes_cap, l->n_routes + 1);
	if (!err)
		err = keyset_add(&l->route_keys, numbers, ret);
	if (err == 1)
		l->routes[l->n_routes++] =
			(struct latency_route){ .subject = numbers[0], .origin = numbers[1] };
	return err < 0 ? err : 0;
}

int latency_add_route(struct latency *l, const char *subject, const char *origin, uint64_t requests,
		      uint64_t bytes)
{
	uint32_t i;
	int err = find_route(l, subject, origin, &i);

	if (err)
		return err;
	if (i == KEYSET_NONE) {
		l->routes_other.operations += requests;
		l->routes_other.bytes += bytes;
		return 0;
	}
	l->routes[i].requests += requests;
	l->routes[i].bytes += bytes;
	return 0;
}
