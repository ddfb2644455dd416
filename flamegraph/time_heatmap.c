/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/time_heatmap.h"

#include <errno.h>
#include <stdlib.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/model/timeline.h"

#define COLUMN_NS   1000000000ull /* longer ones if there were too many */
#define MAX_COLUMNS 10000
#define MAX_ROWS    1000

struct table {
	uint64_t column_ns, row_ns;
	size_t n_columns, n_rows;
	uint64_t *ends_ns, *lowers_ns;
	uint32_t *cells;
};

static void table_release(struct table *t)
{
	free(t->ends_ns);
	free(t->lowers_ns);
	free(t->cells);
}

static int table_make(struct table *t, const struct timeline *timeline)
{
	uint64_t span = timeline->n_slots * timeline->slot_ns;
	size_t i;

	t->column_ns = COLUMN_NS;
	while (span / t->column_ns >= MAX_COLUMNS)
		t->column_ns *= 10;
	t->row_ns = timeline->slot_ns < t->column_ns ? timeline->slot_ns : t->column_ns;
	if (t->column_ns / t->row_ns > MAX_ROWS)
		t->row_ns = t->column_ns / MAX_ROWS;
	t->n_columns = (span + t->column_ns - 1) / t->column_ns;
	t->n_rows = (t->column_ns + t->row_ns - 1) / t->row_ns;
	t->ends_ns = calloc(t->n_columns, sizeof(*t->ends_ns));
	t->lowers_ns = calloc(t->n_rows + 1, sizeof(*t->lowers_ns));
	t->cells = calloc(t->n_columns * t->n_rows, sizeof(*t->cells));
	if (!t->ends_ns || !t->lowers_ns || !t->cells)
		return errf(-ENOMEM, "no memory for the heat map");
	for (i = 0; i < t->n_columns; i++)
		t->ends_ns[i] = (i + 1) * t->column_ns;
	for (i = 0; i < t->n_rows; i++)
		t->lowers_ns[i] = i * t->row_ns;
	t->lowers_ns[t->n_rows] = t->column_ns;
	return 0;
}

static void table_add(struct table *t, uint64_t at_ns, int64_t value)
{
	uint32_t *cell =
		&t->cells[at_ns / t->column_ns * t->n_rows + at_ns % t->column_ns / t->row_ns];

	if (value > 0)
		*cell = (uint64_t)value < UINT32_MAX - *cell ? *cell + (uint32_t)value : UINT32_MAX;
}

int time_heatmap_write(const struct profile *p, unsigned int value,
		       const struct heatmap_options *options, FILE *out)
{
	_cleanup_(timeline_freep) struct timeline *timeline = NULL;
	_cleanup_(table_release) struct table t = { 0 };
	struct heatmap_options o = *options;
	int err = timeline_new(p, &timeline);
	uint32_t i;

	if (err)
		return err;
	if (!timeline->slot_ns)
		return errf(-EINVAL, "a heat map needs samples in time: record with --timeline");
	err = table_make(&t, timeline);
	if (err)
		return err;
	for (i = 0; i < p->samples.n; i++) {
		if (timeline->slots[i] != TIMELINE_NONE)
			table_add(&t, timeline->slots[i] * timeline->slot_ns,
				  profile_values_at(p, i)[value]);
	}
	o.title = o.title ? o.title : "Samples over time";
	o.latency = o.latency ? o.latency : "within a second";
	if (t.column_ns != COLUMN_NS)
		o.latency = "within a column";
	o.value = o.value ? o.value : profile_string(p, p->value_types[value].type);
	return heatmap_write(&(struct heatmap){ .ends_ns = t.ends_ns,
						.n_columns = t.n_columns,
						.lowers_ns = t.lowers_ns,
						.n_rows = t.n_rows,
						.is_linear = true,
						.cells = t.cells },
			     &o, out);
}
