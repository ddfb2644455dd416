/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/latency_heatmap.h"

int latency_heatmap_write(const struct latency *l, unsigned int heat,
			  const struct heatmap_options *options, FILE *out)
{
	const struct latency_series *s = &l->series;
	uint64_t lowers[LATENCY_HEAT_ROWS + 1];
	struct heatmap map = {
		.start_ns = s->start_ns,
		.ends_ns = s->ends_ns,
		.lowers_ns = lowers,
		.n_rows = LATENCY_HEAT_ROWS,
	};
	uint32_t i;

	for (i = 0; i <= LATENCY_HEAT_ROWS; i++)
		lowers[i] = latency_heat_lower_ns(i);
	if (heat < s->n_heats) {
		map.n_columns = latency_series_columns(s);
		map.cells = s->heats[heat].cells;
	}
	return heatmap_write(&map, options, out);
}
