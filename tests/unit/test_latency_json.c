/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/json_at.h"
#include "tests/unit/schema.h"
#include "tests/unit/some_latency.h"

#include "user/export/latency_json.h"

/* As a collector's part of a summary, so that the schema can judge it. */
static json_t *summed(struct latency *l)
{
	struct run_summary s = { .span_ns = 200 * MS, .exit_status = -1, .n_collectors = 1 };
	const struct profile *none = NULL;
	json_t *value;

	s.collectors[0].name = "io";
	s.collectors[0].latency = l;
	value = summary_json(&s, &none);
	assert_non_null(value);
	return value;
}

#define AT "collectors.0.latency."

static void a_latency_is_of_the_schema(void **state)
{
	_cleanup_(latency_freep) struct latency *l = some_latency();
	_cleanup_(decrefp) json_t *value = summed(l);

	(void)state;
	assert_true(schema_accepts(value, "summary.schema.json"));
	assert_at(value, AT "subject", "\"device\"");
	assert_at(value, AT "stages.2", "\"total\"");
	assert_at(value, AT "in_flight_start", "3");
	assert_at(value, AT "in_flight_end", "4");
}

static void a_latency_of_nothing_is_of_the_schema(void **state)
{
	const struct latency_description d = { .subject = "filesystem",
					       .stages = { "total" },
					       .n_stages = 1 };
	_cleanup_(latency_freep) struct latency *l = NULL;
	_cleanup_(decrefp) json_t *value = NULL, *slow = NULL;

	(void)state;
	assert_int_equal(latency_new(&d, &l), 0);
	value = summed(l);
	slow = latency_slow_json(l, "file");
	assert_true(schema_accepts(value, "summary.schema.json"));
	assert_true(schema_accepts(slow, "slow.schema.json"));
	assert_at(value, AT "outliers", "null");
	assert_int_equal(json_array_size(at(value, AT "groups")), 0);
}

static void a_collector_without_latencies_has_none(void **state)
{
	_cleanup_(decrefp) json_t *value = summed(NULL);

	(void)state;
	assert_null(json_object_get(at(value, "collectors.0"), "latency"));
}

static void groups_have_rates_and_quantiles_of_each_stage(void **state)
{
	_cleanup_(latency_freep) struct latency *l = some_latency();
	_cleanup_(decrefp) json_t *value = summed(l);

	(void)state;
	assert_at(value, AT "groups.0.subject", "\"vda\"");
	assert_at(value, AT "groups.0.operation", "\"read\"");
	assert_at(value, AT "groups.0.operations", "1000");
	assert_at(value, AT "groups.0.bytes", "4096000");
	assert_at(value, AT "groups.0.iops", "5000.0");
	assert_at(value, AT "groups.0.bytes_per_s", "20480000.0");
	assert_at(value, AT "groups.0.queue_depth", "0.75"); /* 149.95 ms in 200 ms */
	assert_at(value, AT "groups.0.touched", "null");
	assert_at(value, AT "groups.0.inferred_bytes", "0");
	assert_at(value, AT "groups.0.stages.0.stage", "\"queue\"");
	assert_at(value, AT "groups.0.stages.0.mean_ns", "10000");
	assert_at(value, AT "groups.0.stages.0.p99_9_ns", "10000");
	assert_at(value, AT "groups.0.stages.2.n", "1000");
	assert_at(value, AT "groups.0.stages.2.mean_ns", "149950");
	assert_at(value, AT "groups.0.stages.2.max_ns", "199900");
	/* Exact ones: 149,900 and 198,900. */
	assert_in_range(json_integer_value(at(value, AT "groups.0.stages.2.p50_ns")), 147000,
			153000);
	assert_in_range(json_integer_value(at(value, AT "groups.0.stages.2.p99_ns")), 196000,
			199900);
}

static void a_quantile_without_enough_observations_is_null(void **state)
{
	_cleanup_(latency_freep) struct latency *l = some_latency();
	_cleanup_(decrefp) json_t *value = summed(l);

	(void)state;
	assert_at(value, AT "groups.1.operation", "\"write\"");
	assert_at(value, AT "groups.1.stages.2.n", "20");
	assert_at(value, AT "groups.1.stages.2.p95_ns", "5000000");
	assert_at(value, AT "groups.1.stages.2.p99_ns", "null");
	assert_at(value, AT "groups.1.stages.2.p99_9_ns", "null");
	assert_at(value, AT "groups.1.stages.2.max_ns", "5000000");
	assert_at(value, AT "groups.2.operation", "\"flush\"");
	assert_at(value, AT "groups.2.errors", "1");
	assert_at(value, AT "groups.2.stages.2.mean_ns", "null");
	assert_at(value, AT "groups.2.stages.2.p50_ns", "null");
	assert_at(value, AT "groups.2.stages.2.max_ns", "null");
}

static void the_distribution_sums_up_to_all_observations(void **state)
{
	_cleanup_(latency_freep) struct latency *l = some_latency();
	_cleanup_(decrefp) json_t *value = summed(l);
	const json_t *lower = at(value, AT "groups.0.slots.lower_ns");
	const json_t *counts = at(value, AT "groups.0.slots.n");
	json_int_t sum = 0;
	size_t i;

	(void)state;
	/* 100,000 to 199,900 ns: two octaves. */
	assert_int_equal(json_array_size(at(value, AT "groups.0.distribution")), 2);
	assert_at(value, AT "groups.0.distribution.0.lower_ns", "65536");
	assert_at(value, AT "groups.0.distribution.0.upper_ns", "131072");
	assert_at(value, AT "groups.0.distribution.0.n", "311");
	assert_at(value, AT "groups.0.distribution.1.lower_ns", "131072");
	assert_at(value, AT "groups.0.distribution.1.n", "689");
	assert_int_equal(json_array_size(lower), json_array_size(counts));
	for (i = 0; i < json_array_size(counts); i++)
		sum += json_integer_value(json_array_get(counts, i));
	assert_int_equal(sum, 1000);
	assert_at(value, AT "groups.0.slots.lower_ns.0", "98304");
}

static void short_times_are_one_octave(void **state)
{
	const struct latency_key key = { .subject = "x" };
	_cleanup_(latency_freep) struct latency *l = some_latency();
	_cleanup_(decrefp) json_t *value = NULL;

	(void)state;
	some_operation(l, &key, 1, 0, 0);
	some_operation(l, &key, 1, 0, 31);
	some_operation(l, &key, 1, 0, 32);
	value = summed(l);
	assert_at(value, AT "groups.2.subject", "\"x\"");
	assert_at(value, AT "groups.2.distribution.0.lower_ns", "0");
	assert_at(value, AT "groups.2.distribution.0.upper_ns", "32");
	assert_at(value, AT "groups.2.distribution.0.n", "2");
	assert_at(value, AT "groups.2.distribution.1.n", "1");
	assert_at(value, AT "groups.2.stages.0.max_ns", "0"); /* all are 0: that is known */
}

static void rows_devices_and_routes_are_there(void **state)
{
	_cleanup_(latency_freep) struct latency *l = some_latency();
	_cleanup_(decrefp) json_t *value = summed(l);

	(void)state;
	assert_at(value, AT "breakdown.1.flags", "\"sync meta\"");
	assert_at(value, AT "breakdown.1.size_class", "\"64K\"");
	assert_at(value, AT "breakdown.1.operations", "20");
	assert_at(value, AT "breakdown.1.p50_ns", "5000000");
	assert_at(value, AT "breakdown.1.p99_ns", "null");
	assert_at(value, AT "breakdown_other.operations", "0");
	assert_at(value, AT "paths.0.path", "\"/var/lib/a\"");
	assert_at(value, AT "paths.0.sum_ns", "70");
	assert_at(value, AT "paths.0.max_ns", "70");
	assert_at(value, AT "devices.0.name", "\"dm-0\"");
	assert_at(value, AT "devices.0.number", "\"253:0\"");
	assert_at(value, AT "devices.0.kind", "\"dm\"");
	assert_at(value, AT "devices.0.text", "\"ro?ot\"");
	assert_at(value, AT "devices.0.lower.0", "\"vda\"");
	assert_at(value, AT "routes.0.subject", "\"vda\"");
	assert_at(value, AT "routes.0.origin", "\"dm-0\"");
	assert_at(value, AT "routes.0.requests", "20");
	assert_at(value, AT "outliers.threshold_ns", "10000000");
	assert_at(value, AT "outliers.kept", "1");
}

static void over_time_depth_is_by_littles_law(void **state)
{
	_cleanup_(latency_freep) struct latency *l = some_latency();
	_cleanup_(decrefp) json_t *value = summed(l);

	(void)state;
	assert_int_equal(json_array_size(at(value, AT "over_time.0.columns")), 2);
	assert_at(value, AT "over_time.0.columns.0.start_ns", "0");
	assert_at(value, AT "over_time.0.columns.0.width_ns", "100000000");
	assert_at(value, AT "over_time.0.columns.0.iops", "10000.0");
	assert_at(value, AT "over_time.0.columns.0.read_bytes_per_s", "40960000.0");
	assert_at(value, AT "over_time.0.columns.0.in_flight", "2");
	assert_at(value, AT "over_time.0.columns.1.start_ns", "100000000");
	assert_at(value, AT "over_time.0.columns.1.write_bytes_per_s", "13107200.0");
	assert_at(value, AT "over_time.0.columns.1.queue_depth", "1.0"); /* 20 * 5 ms in 100 ms */
	assert_at(value, AT "over_time.0.columns.1.mean_ns", "5000000");
}

static void long_lists_end_and_say_what_is_left(void **state)
{
	const struct latency_counts one = { .operations = 1, .bytes = 10 };
	_cleanup_(latency_freep) struct latency *l = some_latency();
	_cleanup_(decrefp) json_t *value = NULL;
	struct latency_key key = { .operation = "read" };
	struct latency_device d = { 0 };
	char name[32];
	uint32_t row;
	int i;

	(void)state;
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "sd%d", i);
		key.subject = d.name = name;
		some_operation(l, &key, 1, 1, 1);
		some_path(l, name, 1);
		assert_int_equal(latency_add_device(l, &d), 0);
		assert_int_equal(latency_add_route(l, name, "x", 2, 3), 0);
		assert_int_equal(latency_in_flight(l, "vda", i), 0);
		latency_tick(l, (5300 + i) * MS);
	}
	assert_int_equal(latency_row(l, LATENCY_BY_PATH, &key, &row), 0);
	assert_int_equal(latency_add_counts(l, LATENCY_BY_PATH, LATENCY_OTHER, &one), 0);
	value = summed(l);
	assert_true(schema_accepts(value, "summary.schema.json"));
	assert_int_equal(json_array_size(at(value, AT "groups")), 128);
	assert_at(value, AT "groups_other.rows", "175");
	assert_at(value, AT "groups_other.operations", "175"); /* the flush is the last but none */
	assert_int_equal(json_array_size(at(value, AT "breakdown")), 256);
	assert_at(value, AT "breakdown_other.rows", "47");
	assert_int_equal(json_array_size(at(value, AT "paths")), 256);
	assert_at(value, AT "paths_other.rows", "45");
	assert_at(value, AT "paths_other.operations", "46");
	assert_at(value, AT "paths_other.bytes", "4510");
	assert_int_equal(json_array_size(at(value, AT "devices")), 256);
	assert_at(value, AT "devices_other", "45");
	assert_at(value, AT "routes_other.requests", "90");
	assert_at(value, AT "routes_other.bytes", "135");
	assert_int_equal(json_array_size(at(value, AT "over_time")), 32);
	assert_at(value, AT "over_time_other", "269");
	assert_at(value, AT "over_time.0.subject", "\"vda\"");
	/* 302 columns, three by three. */
	assert_int_equal(json_array_size(at(value, AT "over_time.0.columns")), 101);
	assert_at(value, AT "over_time.0.columns.0.width_ns", "300000000");
	assert_at(value, AT "over_time.0.columns.1.width_ns", "3000000");
	assert_at(value, AT "over_time.0.columns.1.in_flight", "3"); /* at its end */
}

static void slow_operations_are_a_document_of_their_own(void **state)
{
	_cleanup_(latency_freep) struct latency *l = some_latency();
	_cleanup_(decrefp) json_t *value = NULL;

	(void)state;
	l->outliers.n_lost = 7;
	value = latency_slow_json(l, "io");
	assert_non_null(value);
	assert_true(schema_accepts(value, "slow.schema.json"));
	assert_at(value, "schema", "\"fathom.slow/1\"");
	assert_at(value, "threshold_ns", "10000000");
	assert_at(value, "kept", "1");
	assert_at(value, "faster", "0");
	assert_at(value, "lost", "7");
	assert_at(value, "slow.0.time", "\"2023-11-14T22:13:20.000000042Z\"");
	assert_at(value, "slow.0.stage_ns.device", "30000000");
	assert_at(value, "slow.0.process", "\"po?stgres\"");
	assert_at(value, "slow.0.pid", "12");
	assert_at(value, "slow.0.tid", "null");
	assert_at(value, "slow.0.error", "5");
	assert_at(value, "slow.0.path", "\"/var/lib/b\xef\xbf\xbd\"");
	assert_at(value, "slow.0.cgroup", "null");
	assert_at(value, "slow.0.stack", "\"a;b_[k]\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_latency_is_of_the_schema),
		cmocka_unit_test(a_latency_of_nothing_is_of_the_schema),
		cmocka_unit_test(a_collector_without_latencies_has_none),
		cmocka_unit_test(groups_have_rates_and_quantiles_of_each_stage),
		cmocka_unit_test(a_quantile_without_enough_observations_is_null),
		cmocka_unit_test(the_distribution_sums_up_to_all_observations),
		cmocka_unit_test(short_times_are_one_octave),
		cmocka_unit_test(rows_devices_and_routes_are_there),
		cmocka_unit_test(over_time_depth_is_by_littles_law),
		cmocka_unit_test(long_lists_end_and_say_what_is_left),
		cmocka_unit_test(slow_operations_are_a_document_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
