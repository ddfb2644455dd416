/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/heat_axis.h"

#include <stddef.h>

#include "user/base/array.h"

#define US   1000ull
#define MS   1000000ull
#define S    1000000000ull
#define MIN  (60 * S)
#define HOUR (60 * MIN)

/* Milliseconds only where all of it is less than a second. */
static void name_unit(struct heat_unit *unit, uint64_t span_ns)
{
	if (unit->step_ns >= HOUR) {
		unit->unit_ns = HOUR;
		unit->name = "h";
	} else if (unit->step_ns >= MIN) {
		unit->unit_ns = MIN;
		unit->name = "min";
	} else if (span_ns >= S) {
		unit->unit_ns = S;
		unit->name = "s";
		unit->digits = unit->step_ns >= S	   ? 0
			       : unit->step_ns >= 100 * MS ? 1
			       : unit->step_ns >= 10 * MS  ? 2
							   : 3;
	} else {
		unit->unit_ns = MS;
		unit->name = "ms";
	}
}

struct heat_unit heat_time_unit(uint64_t span_ns, unsigned int n)
{
	static const uint64_t steps[] = {
		1 * MS,	  2 * MS,   5 * MS,   10 * MS,	20 * MS,   50 * MS,  100 * MS,
		200 * MS, 500 * MS, 1 * S,    2 * S,	5 * S,	   10 * S,   20 * S,
		30 * S,	  1 * MIN,  2 * MIN,  5 * MIN,	10 * MIN,  20 * MIN, 30 * MIN,
		1 * HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
	};
	struct heat_unit unit = { 0 };
	size_t i;

	if (!span_ns || !n)
		return unit;
	for (i = 0; i + 1 < ARRAY_SIZE(steps) && span_ns / steps[i] > n; i++)
		continue;
	unit.step_ns = steps[i];
	while (span_ns / unit.step_ns > n)
		unit.step_ns *= 2;
	name_unit(&unit, span_ns);
	return unit;
}

uint64_t heat_latency_number(uint64_t ns)
{
	return ns >= S ? ns / S : ns >= MS ? ns / MS : ns >= US ? ns / US : ns;
}

const char *heat_latency_unit(uint64_t ns)
{
	return ns >= S ? "s" : ns >= MS ? "ms" : ns >= US ? "us" : "ns";
}

uint64_t heat_next_label(uint64_t ns, bool fine)
{
	uint64_t first = ns;

	if (!fine)
		return ns * 10;
	while (first >= 10)
		first /= 10;
	return first == 2 ? ns / 2 * 5 : ns * 2;
}

bool heat_has_room_for_fine(uint64_t from_ns, uint64_t to_ns, unsigned int n)
{
	unsigned int labels = 0;
	uint64_t ns;

	for (ns = 1; ns <= to_ns && ns < UINT64_MAX / 10; ns = heat_next_label(ns, true))
		labels += ns >= from_ns;
	return labels <= n;
}
