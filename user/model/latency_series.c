/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/latency_series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"

_Static_assert(LATENCY_COLUMNS % 2 == 0, "columns are merged in pairs");
_Static_assert(LATENCY_HEAT_ROWS << LATENCY_HEAT_SHIFT == FT_HIST_SLOTS, "rows of a heat map");

#define HEAT_CELLS ((size_t)LATENCY_COLUMNS * LATENCY_HEAT_ROWS)

void latency_series_release(struct latency_series *s)
{
	size_t i;

	for (i = 0; i < s->n_subjects; i++)
		free(s->subjects[i]);
	free(s->subjects);
	for (i = 0; i < s->n_heats; i++)
		free(s->heats[i].cells);
	*s = (struct latency_series){ 0 };
}

void latency_series_start(struct latency_series *s, uint64_t start_ns)
{
	s->start_ns = start_ns;
	s->ends_ns[0] = start_ns;
	s->n_columns = 1;
	s->column_ticks = 1;
}

static uint32_t add_cells(uint32_t a, uint32_t b)
{
	uint32_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT32_MAX : sum;
}

static void merge_points(struct latency_point *points)
{
	size_t i;

	for (i = 0; i < LATENCY_COLUMNS / 2; i++) {
		const struct latency_point *a = &points[2 * i], *b = &points[2 * i + 1];

		points[i] = (struct latency_point){
			.operations = a->operations + b->operations,
			.read_bytes = a->read_bytes + b->read_bytes,
			.write_bytes = a->write_bytes + b->write_bytes,
			.n_total = a->n_total + b->n_total,
			.total_sum_ns = a->total_sum_ns + b->total_sum_ns,
			.in_flight = b->in_flight,
		};
	}
	memset(points + LATENCY_COLUMNS / 2, 0, LATENCY_COLUMNS / 2 * sizeof(*points));
}

static void merge_cells(uint32_t *cells)
{
	size_t i, row;

	for (i = 0; i < LATENCY_COLUMNS / 2; i++) {
		const uint32_t *a = &cells[2 * i * LATENCY_HEAT_ROWS], *b = a + LATENCY_HEAT_ROWS;

		for (row = 0; row < LATENCY_HEAT_ROWS; row++)
			cells[i * LATENCY_HEAT_ROWS + row] = add_cells(a[row], b[row]);
	}
	memset(cells + HEAT_CELLS / 2, 0, HEAT_CELLS / 2 * sizeof(*cells));
}

static void merge_columns(struct latency_series *s)
{
	size_t i;

	for (i = 0; i < s->n_subjects; i++)
		merge_points(s->subjects[i]->points);
	for (i = 0; i < s->n_heats; i++)
		merge_cells(s->heats[i].cells);
	for (i = 0; i < LATENCY_COLUMNS / 2; i++)
		s->ends_ns[i] = s->ends_ns[2 * i + 1];
	s->n_columns = LATENCY_COLUMNS / 2;
	s->column_ticks *= 2;
}

void latency_series_tick(struct latency_series *s, uint64_t t_ns)
{
	uint64_t *end;

	if (!s->n_columns)
		return;
	end = &s->ends_ns[s->n_columns - 1];
	if (t_ns <= *end)
		return;
	*end = t_ns;
	if (++s->ticks < s->column_ticks)
		return;
	if (s->n_columns == LATENCY_COLUMNS)
		merge_columns(s);
	s->ends_ns[s->n_columns++] = t_ns;
	s->ticks = 0;
}

size_t latency_series_columns(const struct latency_series *s)
{
	size_t n = s->n_columns;

	return n && s->ends_ns[n - 1] == latency_column_start_ns(s, n - 1) ? n - 1 : n;
}

int latency_series_point(struct latency_series *s, uint32_t subject, struct latency_point **ret)
{
	struct latency_subject_series *one;
	size_t i;
	int err;

	*ret = NULL;
	if (!s->n_columns)
		return 0;
	for (i = 0; i < s->n_subjects; i++) {
		if (s->subjects[i]->subject == subject)
			break;
	}
	if (i == s->n_subjects) {
		if (i == LATENCY_MAX_SUBJECTS)
			return 0;
		err = array_reserve(s->subjects, s->subjects_cap, i + 1);
		if (err)
			return err;
		one = calloc(1, sizeof(*one));
		if (!one)
			return -ENOMEM;
		one->subject = subject;
		s->subjects[s->n_subjects++] = one;
	}
	*ret = &s->subjects[i]->points[s->n_columns - 1];
	return 0;
}

/* The heat map's number, or n_heats if there is no room for it. */
static int find_heat(struct latency_series *s, uint32_t operation, unsigned int *ret)
{
	unsigned int i;

	for (i = 0; i < s->n_heats; i++) {
		if (s->heats[i].operation == operation)
			break;
	}
	if (i == s->n_heats && i < LATENCY_MAX_HEATS) {
		s->heats[i].cells = calloc(HEAT_CELLS, sizeof(*s->heats[i].cells));
		if (!s->heats[i].cells)
			return -ENOMEM;
		s->heats[i].operation = operation;
		s->n_heats++;
	}
	*ret = i;
	return 0;
}

static int add_heat(struct latency_series *s, uint32_t operation, uint32_t slot, uint64_t n)
{
	uint32_t *cell;
	unsigned int i;
	int err = find_heat(s, operation, &i);

	if (err || i == s->n_heats)
		return err;
	cell = &s->heats[i].cells[(s->n_columns - 1) * LATENCY_HEAT_ROWS +
				  (slot >> LATENCY_HEAT_SHIFT)];
	*cell = add_cells(*cell, n < UINT32_MAX ? (uint32_t)n : UINT32_MAX);
	return 0;
}

int latency_series_heat(struct latency_series *s, uint32_t operation, uint32_t slot, uint64_t n)
{
	int err;

	if (!s->n_columns || !n)
		return 0;
	if (slot >= FT_HIST_SLOTS)
		slot = FT_HIST_SLOTS - 1;
	err = add_heat(s, 0, slot, n);
	return err || !operation ? err : add_heat(s, operation, slot, n);
}
