/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/json_at.h"
#include "tests/unit/schema.h"
#include "tests/unit/some_memory.h"

#include "user/export/histogram_json.h"
#include "user/export/memory_json.h"
#include "user/export/stacks_json.h"

/* As a collector's part of a summary, so that the schema can judge it. */
static json_t *summed(struct memory *m, const struct profile *p)
{
	struct run_summary s = { .span_ns = 5000000000, .exit_status = -1, .n_collectors = 1 };
	json_t *value;

	s.collectors[0].name = "alloc";
	s.collectors[0].memory = m;
	value = summary_json(&s, &p);
	assert_non_null(value);
	return value;
}

#define AT "collectors.0.memory."

static json_int_t whole_at(const json_t *value, const char *path)
{
	assert_true(json_is_integer(at(value, path)));
	return json_integer_value(at(value, path));
}

static void a_memory_is_of_the_schema(void **state)
{
	_cleanup_(profile_freep) struct profile *p = some_memory_profile();
	_cleanup_(memory_freep) struct memory *m = some_memory(p);
	_cleanup_(decrefp) json_t *value = summed(m, p);

	(void)state;
	assert_true(schema_accepts(value, "summary.schema.json"));
	assert_at(value, AT "how", "\"shim\"");
	assert_at(value, AT "interval_bytes", "524288");
	assert_at(value, AT "has_frees", "true");
	assert_at(value, AT "expected_slowdown", "1.02");
	assert_at(value, AT "blocks_full", "7");
	assert_at(value, AT "peak_ns", "2500000000");
	assert_at(value, AT "min_age_ns", "1000000000");
}

/* The estimates are those of the profile; what was sampled is between 0 and several times that. */
static void totals_have_intervals_around_them(void **state)
{
	_cleanup_(profile_freep) struct profile *p = some_memory_profile();
	_cleanup_(memory_freep) struct memory *m = some_memory(p);
	_cleanup_(decrefp) json_t *value = summed(m, p);
	struct memory_sample all = memory_total(m);
	double deviation = sqrt(all.var_alloc_space);
	json_int_t bytes = whole_at(value, AT "totals.alloc.bytes");
	json_int_t lower = whole_at(value, AT "totals.alloc.bytes_interval.lower");
	json_int_t upper = whole_at(value, AT "totals.alloc.bytes_interval.upper");

	(void)state;
	assert_int_equal(bytes, profile_total(p, MEMORY_ALLOC_SPACE));
	assert_at(value, AT "totals.alloc.blocks", "449");
	/* 449 blocks: 1.96 deviations, and a little to the right. */
	assert_true(fabs((double)(bytes - lower) / deviation - 1.96) < 0.1);
	assert_true(fabs((double)(upper - bytes) / deviation - 1.96) < 0.1);
	assert_true(upper - bytes > bytes - lower);
	assert_at(value, AT "totals.inuse.blocks", "15");
	assert_int_equal(whole_at(value, AT "totals.inuse.bytes"),
			 profile_total(p, MEMORY_INUSE_SPACE));
	assert_true(whole_at(value, AT "totals.inuse.objects_interval.lower") <
		    profile_total(p, MEMORY_INUSE_OBJECTS) / 3 * 2);
	assert_true(whole_at(value, AT "totals.inuse.objects_interval.upper") >
		    profile_total(p, MEMORY_INUSE_OBJECTS) / 2 * 3);
	assert_int_equal(whole_at(value, AT "totals.peak.bytes"), m->peak_bytes);
	assert_int_equal(whole_at(value, AT "totals.peak.objects"), m->peak_objects);
	assert_int_equal(whole_at(value, AT "totals.temporary.objects"),
			 profile_total(p, MEMORY_TEMPORARY_OBJECTS));
	assert_int_equal(whole_at(value, AT "totals.leaked.bytes"),
			 profile_total(p, MEMORY_LEAKED_SPACE));
}

static void what_is_counted_block_by_block_is_exact(void **state)
{
	static const struct some_blocks blocks = { "sh", "main", 100, 7, 3, 5, 1, 2 };
	_cleanup_(profile_freep) struct profile *p = some_memory_profile();
	_cleanup_(memory_freep) struct memory *m = some_memory_new(1);
	_cleanup_(decrefp) json_t *value = NULL;

	(void)state;
	m->expected_slowdown = 0;
	some_blocks_add(m, p, &blocks);
	value = summed(m, p);
	assert_true(schema_accepts(value, "summary.schema.json"));
	assert_at(value, AT "expected_slowdown", "null");
	assert_at(value, AT "totals.alloc.objects_interval",
		  "{\n  \"lower\": 7,\n  \"upper\": 7\n}");
	assert_at(value, AT "totals.alloc.bytes_interval",
		  "{\n  \"lower\": 700,\n  \"upper\": 700\n}");
	assert_at(value, AT "totals.inuse.bytes_interval",
		  "{\n  \"lower\": 300,\n  \"upper\": 300\n}");
	assert_at(value, AT "totals.inuse.blocks", "3");
	assert_at(value, AT "sizes.p50_bytes", "100");
	assert_at(value, AT "sizes.p90_bytes", "null");
}

static void without_frees_only_what_was_allocated_is_known(void **state)
{
	_cleanup_(profile_freep) struct profile *p = some_memory_profile();
	_cleanup_(memory_freep) struct memory *m = some_memory(p);
	_cleanup_(decrefp) json_t *value = NULL, *stacks = NULL;
	const struct view view = { 0 };

	(void)state;
	m->has_frees = false;
	value = summed(m, p);
	stacks = stacks_json(m, p, &view, "alloc");
	assert_true(schema_accepts(value, "summary.schema.json"));
	assert_true(schema_accepts(stacks, "stacks.schema.json"));
	assert_at(value, AT "totals.inuse", "null");
	assert_at(value, AT "totals.peak", "null");
	assert_at(value, AT "totals.temporary", "null");
	assert_at(value, AT "totals.leaked", "null");
	assert_at(value, AT "peak_ns", "null");
	assert_at(value, AT "lifetimes", "null");
	assert_true(whole_at(value, AT "totals.alloc.bytes") > 0);
	assert_at(stacks, "stacks.0.values.inuse_space", "null");
	assert_at(stacks, "stacks.0.intervals.inuse_space", "null");
	assert_true(whole_at(stacks, "stacks.0.intervals.alloc_space.lower") > 0);
}

static void sizes_and_lifetimes_are_counted_by_powers_of_two(void **state)
{
	_cleanup_(profile_freep) struct profile *p = some_memory_profile();
	_cleanup_(memory_freep) struct memory *m = some_memory(p);
	_cleanup_(decrefp) json_t *value = summed(m, p);
	const json_t *sizes = at(value, AT "sizes.distribution"), *octave;
	json_int_t sum = 0;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(sizes), 18); /* 64 B to 8 MiB */
	assert_at(value, AT "sizes.distribution.0.lower_bytes", "64");
	assert_at(value, AT "sizes.distribution.0.upper_bytes", "128");
	assert_at(value, AT "sizes.distribution.2.n", "0");
	assert_at(value, AT "sizes.distribution.17.lower_bytes", "8388608");
	assert_at(value, AT "sizes.distribution.17.n", "1");
	json_array_foreach((json_t *)sizes, i, octave) sum +=
		json_integer_value(json_object_get(octave, "n"));
	assert_int_equal(sum, whole_at(value, AT "sizes.n"));
	assert_at(value, AT "sizes.max_bytes", "8388608");
	assert_in_range(whole_at(value, AT "sizes.p50_bytes"), 64, 66);
	assert_at(value, AT "lifetimes.distribution.0.lower_ns", "1024");
	assert_at(value, AT "lifetimes.max_ns", "3000000");
	assert_in_range(whole_at(value, AT "lifetimes.p50_ns"), 1950, 2050);
}

/* 449 blocks were sampled, but few of them stand for nearly all objects: 45 count as 38. */
static void a_quantile_rests_on_blocks_and_not_on_what_they_stand_for(void **state)
{
	_cleanup_(profile_freep) struct profile *p = some_memory_profile();
	_cleanup_(memory_freep) struct memory *m = some_memory(p);
	_cleanup_(decrefp) json_t *value = summed(m, p);

	(void)state;
	assert_true(whole_at(value, AT "sizes.n") > 300000);
	assert_true(json_is_integer(at(value, AT "sizes.p95_bytes"))); /* wants 20 */
	assert_at(value, AT "sizes.p99_bytes", "null");		       /* wants 100 */
	assert_at(value, AT "lifetimes.p99_ns", "null");
}

static void small_sizes_have_their_own_powers_of_two(void **state)
{
	struct histogram h = { 0 };
	_cleanup_(decrefp) json_t *o = NULL;
	uint64_t v;

	(void)state;
	for (v = 0; v < 5; v++)
		assert_int_equal(histogram_add_ns(&h, v), 0);
	assert_int_equal(histogram_add_ns(&h, UINT64_MAX), 0);
	o = histogram_json(&h, HISTOGRAM_BYTES, 6);
	assert_int_equal(json_array_size(at(o, "distribution")), HISTOGRAM_JSON_OCTAVES - 1);
	assert_at(o, "distribution.0.lower_bytes", "0");
	assert_at(o, "distribution.0.upper_bytes", "1");
	assert_at(o, "distribution.0.n", "1");
	assert_at(o, "distribution.1.upper_bytes", "2");
	assert_at(o, "distribution.2.n", "2");
	assert_at(o, "distribution.3.lower_bytes", "4");
	assert_at(o, "distribution.3.n", "1");
	assert_at(o, "distribution.4.n", "0");
	assert_at(o, "distribution.37.n", "1");
	histogram_release(&h);
}

/* --- stacks ----------------------------------------------------------------------------------- */

static void stacks_are_those_of_the_folded_file(void **state)
{
	_cleanup_(profile_freep) struct profile *p = some_memory_profile();
	_cleanup_(memory_freep) struct memory *m = some_memory(p);
	const struct view view = { 0 }, bare = { .no_comm = true };
	_cleanup_(decrefp) json_t *o = stacks_json(m, p, &view, "alloc");
	_cleanup_(decrefp) json_t *again = stacks_json(m, p, &bare, "kmem");

	(void)state;
	assert_true(schema_accepts(o, "stacks.schema.json"));
	assert_at(o, "schema", "\"fathom.stacks/1\"");
	assert_at(o, "collector", "\"alloc\"");
	assert_at(o, "interval_bytes", "524288");
	assert_at(o, "confidence", "0.95");
	assert_int_equal(json_array_size(at(o, "stacks")), 4);
	assert_at(o, "stacks.0.stack", "\"sh;main;read;grow\"");
	assert_at(o, "stacks.1.stack", "\"sh;main;parse;node\"");
	assert_at(o, "stacks.2.stack", "\"sh;main;load\"");
	assert_at(o, "stacks.3.stack", "\"ls;main;list\"");
	assert_at(o, "stacks_other.stacks", "0");
	assert_true(schema_accepts(again, "stacks.schema.json"));
	assert_at(again, "stacks.1.stack", "\"main;parse;node\"");
}

/* Two samples are one stack: values, blocks and variances are sums. */
static void stacks_that_read_the_same_are_added_up(void **state)
{
	_cleanup_(profile_freep) struct profile *p = some_memory_profile();
	_cleanup_(memory_freep) struct memory *m = some_memory(p);
	const struct view view = { 0 };
	_cleanup_(decrefp) json_t *o = stacks_json(m, p, &view, "alloc");
	const int64_t *first = profile_values_at(p, 0), *second = profile_values_at(p, 4);
	struct memory_sample known = m->samples[0];
	struct interval i;
	unsigned int v;
	char path[64];

	(void)state;
	for (v = 0; v < MEMORY_VALUES; v++) {
		snprintf(path, sizeof(path), "stacks.1.values.%s", memory_value_name(v));
		assert_int_equal(whole_at(o, path), first[v] + second[v]);
	}
	memory_sample_add(&known, &m->samples[4]);
	i = interval_of_total(45, (double)(first[MEMORY_ALLOC_SPACE] + second[MEMORY_ALLOC_SPACE]),
			      known.var_alloc_space);
	assert_int_equal(whole_at(o, "stacks.1.intervals.alloc_space.lower"), floor(i.lower));
	assert_int_equal(whole_at(o, "stacks.1.intervals.alloc_space.upper"), ceil(i.upper));
	i = interval_of_total(10, (double)first[MEMORY_INUSE_OBJECTS], known.var_inuse_objects);
	assert_int_equal(whole_at(o, "stacks.1.intervals.inuse_objects.lower"), floor(i.lower));
	assert_int_equal(whole_at(o, "stacks.1.intervals.inuse_objects.upper"), ceil(i.upper));
}

static void too_many_stacks_are_summed_up(void **state)
{
	_cleanup_(profile_freep) struct profile *p = some_memory_profile();
	_cleanup_(memory_freep) struct memory *m = some_memory_new(1);
	const struct view view = { 0 };
	_cleanup_(decrefp) json_t *o = NULL;
	char stack[32];
	unsigned int i;

	(void)state;
	for (i = 0; i < STACKS_JSON_MAX + 3; i++) {
		struct some_blocks b = { "sh", stack, 1 + i, 2, 1, 0, 0, 0 };

		snprintf(stack, sizeof(stack), "f%u", i);
		some_blocks_add(m, p, &b);
	}
	o = stacks_json(m, p, &view, "alloc");
	assert_int_equal(json_array_size(at(o, "stacks")), STACKS_JSON_MAX);
	assert_at(o, "stacks.0.stack", "\"sh;f10002\"");
	assert_at(o, "stacks.9999.stack", "\"sh;f3\"");
	assert_at(o, "stacks_other.stacks", "3");
	assert_at(o, "stacks_other.values.alloc_space", "12"); /* 2 * (1 + 2 + 3) */
	assert_at(o, "stacks_other.values.inuse_objects", "3");
}

static void a_memory_of_nothing_is_of_the_schemas(void **state)
{
	_cleanup_(profile_freep) struct profile *p = some_memory_profile();
	_cleanup_(memory_freep) struct memory *m = some_memory_new(SOME_INTERVAL);
	const struct view view = { 0 };
	_cleanup_(decrefp) json_t *value = summed(m, p);
	_cleanup_(decrefp) json_t *stacks = stacks_json(m, p, &view, "kmem");

	(void)state;
	assert_true(schema_accepts(value, "summary.schema.json"));
	assert_true(schema_accepts(stacks, "stacks.schema.json"));
	assert_at(value, AT "totals.alloc.bytes_interval", "null");
	assert_at(value, AT "sizes.max_bytes", "null");
	assert_int_equal(json_array_size(at(stacks, "stacks")), 0);
}

static void a_collector_without_memory_has_none(void **state)
{
	_cleanup_(profile_freep) struct profile *p = some_memory_profile();
	_cleanup_(decrefp) json_t *value = summed(NULL, p);

	(void)state;
	assert_null(json_object_get(at(value, "collectors.0"), "memory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_memory_is_of_the_schema),
		cmocka_unit_test(totals_have_intervals_around_them),
		cmocka_unit_test(what_is_counted_block_by_block_is_exact),
		cmocka_unit_test(without_frees_only_what_was_allocated_is_known),
		cmocka_unit_test(sizes_and_lifetimes_are_counted_by_powers_of_two),
		cmocka_unit_test(a_quantile_rests_on_blocks_and_not_on_what_they_stand_for),
		cmocka_unit_test(small_sizes_have_their_own_powers_of_two),
		cmocka_unit_test(stacks_are_those_of_the_folded_file),
		cmocka_unit_test(stacks_that_read_the_same_are_added_up),
		cmocka_unit_test(too_many_stacks_are_summed_up),
		cmocka_unit_test(a_memory_of_nothing_is_of_the_schemas),
		cmocka_unit_test(a_collector_without_memory_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
