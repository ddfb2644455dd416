/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/memory_json.h"

#include <math.h>

#include "user/base/cleanup.h"
#include "user/export/histogram_json.h"
#include "user/base/json_parts.h"

static json_t *whole(double v)
{
	return json_integer(v < 0x1p63 ? (json_int_t)v : INT64_MAX);
}

json_t *memory_interval_json(const struct memory *m, uint64_t blocks, struct interval interval)
{
	if (!blocks && m->interval_bytes != 1)
		return json_null();
	return json_pack("{s:o, s:o}", "lower", whole(floor(interval.lower)), "upper",
			 whole(ceil(interval.upper)));
}

static json_t *objects_and_bytes(uint64_t objects, uint64_t bytes)
{
	return json_pack("{s:o, s:o}", "objects", json_part_count(objects), "bytes",
			 json_part_count(bytes));
}

static uint64_t total(const struct profile *p, enum memory_value value)
{
	int64_t v = profile_total(p, value);

	return v > 0 ? (uint64_t)v : 0;
}

static json_t *sum_of(const struct profile *p, enum memory_value objects, enum memory_value bytes)
{
	return objects_and_bytes(total(p, objects), total(p, bytes));
}

/* With the intervals of both, and how many blocks they rest on. */
static json_t *estimate_of(const struct memory *m, const struct profile *p, uint64_t blocks,
			   enum memory_value objects, double var_objects, enum memory_value bytes,
			   double var_bytes)
{
	double n_objects = (double)total(p, objects), n_bytes = (double)total(p, bytes);
	struct interval of_objects = interval_of_total(blocks, n_objects, var_objects);
	struct interval of_bytes = interval_of_total(blocks, n_bytes, var_bytes);
	_cleanup_(json_decrefp) json_t *o = sum_of(p, objects, bytes);

	if (json_object_set_new(o, "objects_interval",
				memory_interval_json(m, blocks, of_objects)) ||
	    json_object_set_new(o, "bytes_interval", memory_interval_json(m, blocks, of_bytes)) ||
	    json_object_set_new(o, "blocks", json_part_count(blocks)))
		return NULL;
	return take(o);
}

static int add_totals(const struct memory *m, const struct profile *p,
		      const struct memory_sample *all, json_t *o)
{
	json_t *totals = json_object();
	int bad = json_object_set_new(o, "totals", totals);

	if (bad)
		return bad;
	bad |= json_object_set_new(totals, "alloc",
				   estimate_of(m, p, all->blocks_made, MEMORY_ALLOC_OBJECTS,
					       all->var_alloc_objects, MEMORY_ALLOC_SPACE,
					       all->var_alloc_space));
	if (!m->has_frees)
		return bad | json_object_set_new(totals, "inuse", json_null()) |
		       json_object_set_new(totals, "peak", json_null()) |
		       json_object_set_new(totals, "temporary", json_null()) |
		       json_object_set_new(totals, "leaked", json_null());
	bad |= json_object_set_new(totals, "inuse",
				   estimate_of(m, p, all->blocks_in_use, MEMORY_INUSE_OBJECTS,
					       all->var_inuse_objects, MEMORY_INUSE_SPACE,
					       all->var_inuse_space));
	bad |= json_object_set_new(totals, "peak",
				   objects_and_bytes(m->peak_objects, m->peak_bytes));
	bad |= json_object_set_new(
		totals, "temporary",
		m->has_temporary ? sum_of(p, MEMORY_TEMPORARY_OBJECTS, MEMORY_TEMPORARY_SPACE)
				 : json_null());
	return bad | json_object_set_new(totals, "leaked",
					 sum_of(p, MEMORY_LEAKED_OBJECTS, MEMORY_LEAKED_SPACE));
}

/*
 * How many blocks alike would tell as much as those that were sampled, of which one stands for w
 * others: (sum w)^2 / sum w^2 (Kish, 1965). The sum of (1 - p) w^2 is the variance, that of p w^2
 * the sum of w.
 */
static double effective(double objects, double var_objects)
{
	return objects > 0 ? objects * objects / (var_objects + objects) : 0;
}

static int add_histograms(const struct memory *m, const struct profile *p,
			  const struct memory_sample *all, json_t *o)
{
	double made = (double)all->blocks_made;
	double sizes = effective((double)total(p, MEMORY_ALLOC_OBJECTS), all->var_alloc_objects);
	double freed = all->blocks_made > all->blocks_in_use
			       ? (double)(all->blocks_made - all->blocks_in_use)
			       : 0;
	double lifetimes = made > 0 ? sizes * freed / made : 0;
	int bad = json_object_set_new(
		o, "sizes", histogram_json(&m->sizes, HISTOGRAM_BYTES, (uint64_t)round(sizes)));

	return bad | json_object_set_new(o, "lifetimes",
					 m->has_frees ? histogram_json(&m->lifetimes, HISTOGRAM_NS,
								       (uint64_t)round(lifetimes))
						      : json_null());
}

json_t *memory_json(const struct memory *m, const struct profile *p)
{
	struct memory_sample all = memory_total(m);
	_cleanup_(json_decrefp) json_t *o = json_object();
	int bad = 0;

	bad |= json_object_set_new(o, "how", json_part_text(m->how));
	bad |= json_object_set_new(o, "interval_bytes", json_part_count(m->interval_bytes));
	bad |= json_object_set_new(o, "has_frees", json_boolean(m->has_frees));
	bad |= json_object_set_new(o, "expected_slowdown",
				   m->expected_slowdown > 0
					   ? json_real(round(m->expected_slowdown * 1e3) / 1e3)
					   : json_null());
	bad |= json_object_set_new(o, "blocks_full", json_part_count(m->blocks_full));
	bad |= add_totals(m, p, &all, o);
	bad |= json_object_set_new(o, "peak_ns",
				   m->has_frees ? json_part_count(m->peak_ns) : json_null());
	bad |= json_object_set_new(o, "min_age_ns",
				   m->has_frees ? json_part_count(m->min_age_ns) : json_null());
	bad |= add_histograms(m, p, &all, o);
	return bad ? NULL : take(o);
}
