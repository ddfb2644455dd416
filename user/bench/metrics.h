/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics: the scenario's own metrics, out of what a repetition has written. That is hostile: it is
 * bounded, and what is no finite number is refused.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/bench/run_result.h"
#include "user/bench/scenario.h"

#define METRICS_LINE_MAX   8192	       /* what is behind that in a line is not looked at */
#define METRICS_VALUES_MAX (4u << 20)  /* of one metric in one repetition */
#define METRICS_FILE_MAX   (64u << 20) /* bytes */

/* Where to look. */
struct metrics_source {
	const struct scenario_case *c;
	const char *out;   /* path of what it wrote to stdout */
	uint64_t since_ns; /* wall clock: files of before are another repetition's; 0: any file */
};

/*
 * One metric: the aggregate of all its values, in the metric's unit; times and sizes that a line
 * gives in another unit are converted. -EINVAL with a sentence if it is not there, is no finite
 * number, is in a unit that cannot be converted or has too many values; -ENOMEM.
 *
 * If it is a latency (metrics_is_latency()) and 'latency' is not NULL, all of its values go there,
 * in ns.
 */
int metrics_read(const struct scenario_metric *m, const struct metrics_source *source,
		 struct run_latency *latency, double *ret);

/* The name, or the name in lines, is "latency", and the unit is one of time. */
bool metrics_is_latency(const struct scenario_metric *m);

/* Adds to the observations, or to those that were dropped. 0 or -ENOMEM. */
int latency_add(struct run_latency *l, double ns);
