/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/histogram_json.h"

#include <stdio.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/json_parts.h"

static int set(json_t *o, const char *name, enum histogram_unit unit, json_t *value)
{
	char key[32];

	snprintf(key, sizeof(key), "%s_%s", name, unit == HISTOGRAM_BYTES ? "bytes" : "ns");
	return json_object_set_new(o, key, value);
}

/* The power of two that a value is of: 0 for 0, 1 for 1, 2 for 2 and 3. */
static unsigned int octave_of(uint64_t v)
{
	return v ? 64 - (unsigned int)__builtin_clzll(v) : 0;
}

static json_t *octave_json(unsigned int octave, uint64_t n, enum histogram_unit unit)
{
	_cleanup_(json_decrefp) json_t *o = json_object();

	if (set(o, "lower", unit, json_part_count(octave ? 1ull << (octave - 1) : 0)) ||
	    set(o, "upper", unit, json_part_count(1ull << octave)) ||
	    json_object_set_new(o, "n", json_part_count(n)))
		return NULL;
	return take(o);
}

static json_t *distribution(const struct histogram *h, enum histogram_unit unit)
{
	_cleanup_(json_decrefp) json_t *list = json_array();
	uint64_t n[HISTOGRAM_JSON_OCTAVES] = { 0 };
	unsigned int i, first, last;

	if (!h->width)
		return take(list);
	for (i = 0; i < h->width; i++)
		n[octave_of(ft_hist_lower_ns(h->first + i))] += h->counts[i];
	first = octave_of(ft_hist_lower_ns(h->first));
	last = octave_of(ft_hist_lower_ns(h->first + h->width - 1));
	for (i = first; i <= last; i++) {
		if (json_array_append_new(list, octave_json(i, n[i], unit)))
			return NULL;
	}
	return take(list);
}

json_t *histogram_json(const struct histogram *h, enum histogram_unit unit, uint64_t observations)
{
	static const struct {
		const char *name;
		unsigned int permille;
	} quantiles[] = {
		{ "p50", 500 }, { "p90", 900 }, { "p95", 950 }, { "p99", 990 }, { "p99_9", 999 }
	};
	const struct histogram rests_on = { .n = observations };
	_cleanup_(json_decrefp) json_t *o = json_object();
	size_t i;
	int bad = json_object_set_new(o, "n", json_part_count(h->n));

	bad |= set(o, "mean", unit, h->n ? json_part_count(histogram_mean_ns(h)) : json_null());
	for (i = 0; i < ARRAY_SIZE(quantiles); i++) {
		unsigned int q = quantiles[i].permille;
		bool known = h->n && histogram_has_quantile(&rests_on, q);

		bad |= set(o, quantiles[i].name, unit,
			   known ? json_part_count(histogram_quantile_ns(h, q)) : json_null());
	}
	bad |= set(o, "max", unit, h->n ? json_part_count(h->max_ns) : json_null());
	bad |= json_object_set_new(o, "distribution", distribution(h, unit));
	return bad ? NULL : take(o);
}
