/* SPDX-License-Identifier: BSD-2-Clause */
/* latency_heatmap: a latency's heat maps, drawn. */
#pragma once

#include "flamegraph/heatmap.h"
#include "user/model/latency.h"

/*
 * Draws heat map number 'heat' of l->series.heats (0: of everything); one that is not there is an
 * empty one. 0 or -errno with a sentence.
 */
int latency_heatmap_write(const struct latency *l, unsigned int heat,
			  const struct heatmap_options *options, FILE *out);
