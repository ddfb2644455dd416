/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * time_heatmap: the heat map of a profile's samples over time: a column for each second, and
 * upwards in it the slots of that second, as FlameScope has it. What happens once a second is a
 * row.
 */
#pragma once

#include <stdio.h>

#include "flamegraph/heatmap.h"
#include "user/model/profile.h"

/*
 * Of one of the profile's values, which are counts. -EINVAL with a sentence if no sample has a time
 * (see user/model/timeline.h); other errors as heatmap_write().
 */
int time_heatmap_write(const struct profile *p, unsigned int value,
		       const struct heatmap_options *options, FILE *out);
