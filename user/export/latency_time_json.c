/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/latency_time_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/json_parts.h"
#include "user/export/latency_json.h"

json_t *latency_rate_json(double amount, double seconds)
{
	return seconds > 0 ? json_real(round(amount / seconds * 1e3) / 1e3) : json_null();
}

/* Columns from 'first' to before 'end' as one. */
static json_t *column_json(const struct latency_series *s, const struct latency_point *points,
			   size_t first, size_t end)
{
	uint64_t start = latency_column_start_ns(s, first), width = s->ends_ns[end - 1] - start;
	struct latency_point sum = { .in_flight = points[end - 1].in_flight };
	double seconds = width / 1e9;
	size_t i;

	for (i = first; i < end; i++) {
		sum.operations += points[i].operations;
		sum.read_bytes += points[i].read_bytes;
		sum.write_bytes += points[i].write_bytes;
		sum.n_total += points[i].n_total;
		sum.total_sum_ns += points[i].total_sum_ns;
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "start_ns",
			 json_part_count(start - s->start_ns), "width_ns", json_part_count(width),
			 "iops", latency_rate_json(sum.operations, seconds), "read_bytes_per_s",
			 latency_rate_json(sum.read_bytes, seconds), "write_bytes_per_s",
			 latency_rate_json(sum.write_bytes, seconds), "queue_depth",
			 latency_rate_json(sum.total_sum_ns / 1e9, seconds), "mean_ns",
			 sum.n_total ? json_part_count(sum.total_sum_ns / sum.n_total)
				     : json_null(),
			 "in_flight", json_part_count(sum.in_flight));
}

static json_t *subject_json(const struct latency *l, const struct latency_subject_series *one)
{
	_cleanup_(json_decrefp) json_t *columns = json_array();
	size_t n = latency_series_columns(&l->series), i;
	size_t step = (n + LATENCY_JSON_COLUMNS - 1) / LATENCY_JSON_COLUMNS;

	for (i = 0; i < n; i += step) {
		size_t end = i + step < n ? i + step : n;

		if (json_array_append_new(columns, column_json(&l->series, one->points, i, end)))
			return NULL;
	}
	return json_pack("{s:o, s:O}", "subject", json_part_text(latency_string(l, one->subject)),
			 "columns", columns);
}

struct rank {
	uint64_t operations;
	const char *name;
	const struct latency_subject_series *series;
};

static int by_operations(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->operations != y->operations)
		return x->operations > y->operations ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* All subjects, also those whose series had no room. */
static int count_subjects(const struct latency *l, uint64_t *ret)
{
	_cleanup_(freep) bool *seen = calloc((size_t)l->strings.n + 1, sizeof(*seen));
	size_t i;

	if (!seen)
		return -1;
	for (i = 0; i < l->by_subject.n; i++)
		seen[l->by_subject.rows[i].subject] = true;
	for (i = 0; i < l->series.n_subjects; i++)
		seen[l->series.subjects[i]->subject] = true;
	*ret = 0;
	for (i = 0; i < l->strings.n; i++)
		*ret += seen[i];
	return 0;
}

int latency_time_json_add(const struct latency *l, json_t *o)
{
	const struct latency_series *s = &l->series;
	_cleanup_(freep) struct rank *ranks = calloc(s->n_subjects + 1, sizeof(*ranks));
	json_t *list = json_array();
	uint64_t subjects;
	size_t i, k;
	int bad = json_object_set_new(o, "over_time", list);

	if (!ranks || bad || count_subjects(l, &subjects))
		return -1;
	for (i = 0; i < s->n_subjects; i++) {
		ranks[i].series = s->subjects[i];
		ranks[i].name = latency_string(l, s->subjects[i]->subject);
		for (k = 0; k < s->n_columns; k++)
			ranks[i].operations += s->subjects[i]->points[k].operations;
	}
	qsort(ranks, s->n_subjects, sizeof(*ranks), by_operations);
	for (i = 0; !bad && i < s->n_subjects && i < LATENCY_JSON_SUBJECTS; i++)
		bad = json_array_append_new(list, subject_json(l, ranks[i].series));
	return bad | json_object_set_new(o, "over_time_other", json_part_count(subjects - i));
}
