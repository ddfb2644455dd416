/* SPDX-License-Identifier: BSD-2-Clause */
/* heat_axis: where the axes of a heat map have labels, and what these say. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Labels at 0, step_ns, 2 * step_ns, ..., in a unit, with so many digits behind the point. */
struct heat_unit {
	uint64_t step_ns; /* 0: there is no time to label */
	uint64_t unit_ns;
	unsigned int digits;
	const char *name; /* "ms", "s", "min", "h" */
};

/* The narrowest round step of which at most 'n' fit into the span. */
struct heat_unit heat_time_unit(uint64_t span_ns, unsigned int n);

/* A round latency (1, 2 or 5 times a power of ten) as "20 us". */
uint64_t heat_latency_number(uint64_t ns);
const char *heat_latency_unit(uint64_t ns);

/* The round latency after this one: the next power of ten, or the next of 1, 2, 5. */
uint64_t heat_next_label(uint64_t ns, bool fine);

/* Whether at most 'n' labels stand between two latencies if they are fine. */
bool heat_has_room_for_fine(uint64_t from_ns, uint64_t to_ns, unsigned int n);
