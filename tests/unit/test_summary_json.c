/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/full_profile.h"
#include "tests/unit/json_at.h"
#include "tests/unit/schema.h"

#include <errno.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/json_parts.h"

static char *words[] = { (char *)"make", (char *)"-j2\n", NULL };

/* Strings are literals: not to be released. */
static struct run_summary full_summary(void)
{
	struct run_summary s = {
		.host = { .kernel = (char *)"6.1.0",
			  .architecture = (char *)"x86_64",
			  .cpu_model = (char *)"a\xff"
					       "CPU",
			  .virtualization = (char *)"none",
			  .fathom_version = (char *)"0.1.0",
			  .cpus_online = 4,
			  .memory_bytes = 1ull << 60 },
		.command = words,
		.target = (char *)"whole machine",
		.start_ns = 1700000000000000042,
		.span_ns = 10000000123,
		.exit_status = 3,
		.usage = { 4000, 3000, 500, 1 << 20 },
		.n_collectors = 1,
	};
	struct collector_summary *c = &s.collectors[0];

	c->name = "cpu";
	c->event = (char *)"cpu-clock";
	c->rate_hz = 99;
	c->ledger.fired = 1000;
	c->ledger.kept = 100;
	ledger_add(&c->ledger, "filtered_idle", 850);
	ledger_add(&c->ledger, "stack_table_full", 50);
	ledger_add(&c->ledger, "throttled", 0);
	c->cost = (struct cost){ .kernel_ns = 123456,
				 .kernel_runs = 1000,
				 .following_ns = 11,
				 .map_bytes = 4096,
				 .loader_cpu_ns = 7,
				 .loader_rss_bytes = 8,
				 .start_ns = 9 };
	c->stacks = (struct stack_quality){ .complete = 99, .truncated = 1, .unnamed = 5 };
	c->stacks.ended[STACK_END_ROOT] = 80;
	c->stacks.ended[STACK_END_NONE] = 20;
	c->ticks_missed = 2;
	c->cpus_sampled = 3;
	c->cpus_failed = 5;
	c->targets_lost = 6;
	c->slot_ns = 20000000;
	c->untimed = 31;
	c->sideband_dropped = 7;
	c->sideband_records = 300;
	c->sideband_lost = 4;
	c->files_failed = 1;
	c->notes[0] = (struct collector_note){ "requeues", 12, NULL };
	c->n_notes = 1;
	c->names = (struct name_quality){ 50, 40, 30, 8, 7, 6, 5, 4, 3, 2 };
	return s;
}

static json_t *summed(const struct run_summary *s, const struct profile *p)
{
	json_t *value = summary_json(s, &p);

	assert_non_null(value);
	return value;
}

static void a_full_summary_is_of_the_schema(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	struct run_summary s = full_summary();
	_cleanup_(decrefp) json_t *value = summed(&s, p);

	(void)state;
	assert_true(schema_accepts(value, "summary.schema.json"));
}

static void a_summary_of_nothing_known_is_of_the_schema(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	struct run_summary s = { .exit_status = -1, .n_collectors = 2 };
	const struct profile *profiles[] = { p, NULL };
	_cleanup_(decrefp) json_t *value = NULL;

	(void)state;
	assert_int_equal(profile_add_value_type(p, "samples", "count"), 0);
	s.collectors[0].name = "cpu";
	s.collectors[0].cost.kernel_ns = -1;
	s.collectors[1] = s.collectors[0];
	s.collectors[1].name = "offcpu";
	value = summary_json(&s, profiles);
	assert_non_null(value);
	assert_true(schema_accepts(value, "summary.schema.json"));
	assert_at(value, "command", "null");
	assert_at(value, "start", "null");
	assert_at(value, "exit_status", "null");
	assert_at(value, "usage", "null");
	assert_at(value, "host.kernel", "null");
	assert_at(value, "host.cpus_online", "null");
	assert_at(value, "collectors.0.cost.kernel_ns", "null");
	assert_at(value, "collectors.0.cost.kernel_ns_per_event", "null");
	assert_at(value, "collectors.0.cost.map_bytes", "null");
	assert_at(value, "collectors.0.stacks.complete_share", "null");
	assert_at(value, "collectors.0.processes", "[]");
	assert_at(value, "collectors.0.top", "[]");
	assert_null(json_object_get(at(value, "collectors.1"), "values"));
}

/* A schema that accepts everything would let the tests above pass. */
static void the_schema_refuses_what_is_wrong(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	struct run_summary s = full_summary();
	_cleanup_(decrefp) json_t *value = summed(&s, p);
	json_t *ledger = (json_t *)at(value, "collectors.0.ledger");

	(void)state;
	assert_int_equal(json_object_set_new(ledger, "surprise", json_true()), 0);
	assert_false(schema_accepts(value, "summary.schema.json"));
	assert_int_equal(json_object_del(ledger, "surprise"), 0);
	assert_true(schema_accepts(value, "summary.schema.json"));
	assert_int_equal(json_object_set_new(ledger, "kept", json_string("100")), 0);
	assert_false(schema_accepts(value, "summary.schema.json"));
	assert_int_equal(json_object_del(ledger, "kept"), 0);
	assert_false(schema_accepts(value, "summary.schema.json"));
}

static void the_run_is_described(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	struct run_summary s = full_summary();
	_cleanup_(decrefp) json_t *value = summed(&s, p);

	(void)state;
	assert_at(value, "schema", "\"fathom.summary/1\"");
	assert_at(value, "host.kernel", "\"6.1.0\"");
	assert_at(value, "host.cpu_model",
		  "\"a\xef\xbf\xbd"
		  "CPU\"");
	assert_at(value, "host.governor", "null");
	assert_at(value, "host.memory_bytes", "1152921504606846976"); /* beyond 2^53 */
	assert_at(value, "target", "\"whole machine\"");
	assert_at(value, "command.0", "\"make\"");
	assert_at(value, "command.1", "\"-j2?\"");
	assert_at(value, "start", "\"2023-11-14T22:13:20.000000042Z\"");
	assert_at(value, "span_ns", "10000000123");
	assert_at(value, "exit_status", "3");
	assert_at(value, "usage.user_ns", "3000");
	assert_at(value, "usage.max_rss_bytes", "1048576");
}

static void the_ledger_is_closed_in_the_summary(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	struct run_summary s = full_summary();
	_cleanup_(decrefp) json_t *value = summed(&s, p);
	json_int_t sum = 0;
	const char *key;
	json_t *n;

	(void)state;
	assert_at(value, "collectors.0.ledger.fired", "1000");
	assert_at(value, "collectors.0.ledger.kept", "100");
	assert_at(value, "collectors.0.ledger.lost.filtered_idle", "850");
	assert_at(value, "collectors.0.ledger.lost.throttled", "0");
	assert_at(value, "collectors.0.ledger.filtered", "850");
	assert_at(value, "collectors.0.ledger.loss_share", "0.333333");
	json_object_foreach((json_t *)at(value, "collectors.0.ledger.lost"), key, n) sum +=
		json_integer_value(n);
	assert_int_equal(sum, 900);
}

static void cost_and_stacks_are_there(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	struct run_summary s = full_summary();
	_cleanup_(decrefp) json_t *value = summed(&s, p);

	(void)state;
	assert_at(value, "collectors.0.cost.kernel_ns", "123456");
	assert_at(value, "collectors.0.cost.kernel_runs", "1000");
	assert_at(value, "collectors.0.cost.kernel_ns_per_event", "823.0");
	assert_at(value, "collectors.0.cost.following_ns", "11");
	assert_at(value, "collectors.0.cost.map_bytes", "4096");
	assert_at(value, "collectors.0.cost.loader_cpu_ns", "7");
	assert_at(value, "collectors.0.cost.loader_rss_bytes", "8");
	assert_at(value, "collectors.0.cost.start_ns", "9");
	assert_at(value, "collectors.0.stacks.complete_share", "0.99");
	assert_at(value, "collectors.0.stacks.unnamed_share", "0.05");
	assert_at(value, "collectors.0.stacks.ended.root_reached", "80");
	assert_at(value, "collectors.0.stacks.ended.no_cfi", "0");
	assert_int_equal(json_object_size(at(value, "collectors.0.stacks.ended")), STACK_ENDS);
	assert_at(value, "collectors.0.sideband.records", "300");
	assert_at(value, "collectors.0.sideband.lost", "4");
	assert_at(value, "collectors.0.sideband.dropped", "7");
	assert_at(value, "collectors.0.cpus_sampled", "3");
	assert_at(value, "collectors.0.cpus_failed", "5");
	assert_at(value, "collectors.0.targets_lost", "6");
	assert_at(value, "collectors.0.timeline.slot_ns", "20000000");
	assert_at(value, "collectors.0.timeline.untimed", "31");
	assert_at(value, "collectors.0.ticks_missed", "2");
	assert_at(value, "collectors.0.files_failed", "1");
	assert_at(value, "collectors.0.notes.requeues", "12");
	assert_at(value, "collectors.0.names.addresses", "50");
	assert_at(value, "collectors.0.names.with_lines", "40");
	assert_at(value, "collectors.0.names.with_inlined", "30");
	assert_at(value, "collectors.0.names.over_budget", "8");
	assert_at(value, "collectors.0.names.debuginfod.found", "7");
	assert_at(value, "collectors.0.names.debuginfod.missing", "6");
	assert_at(value, "collectors.0.names.debuginfod.failed", "5");
	assert_at(value, "collectors.0.names.java.maps", "4");
	assert_at(value, "collectors.0.names.java.failed", "3");
}

static void processes_and_functions_are_summed_by_the_default_value(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	struct run_summary s = full_summary();
	_cleanup_(decrefp) json_t *value = summed(&s, p);

	(void)state;
	assert_at(value, "collectors.0.values.0.type", "\"samples\"");
	assert_at(value, "collectors.0.values.0.total", "100");
	assert_at(value, "collectors.0.values.1.total", "1010101000");
	assert_at(value, "collectors.0.ranked_by.type", "\"cpu\"");
	assert_at(value, "collectors.0.processes.0.process", "\"burn\"");
	assert_at(value, "collectors.0.processes.0.pid", "12");
	assert_at(value, "collectors.0.processes.0.value", "868686860");
	assert_at(value, "collectors.0.processes.0.share", "0.86");
	assert_at(value, "collectors.0.processes.1.process", "\"swapper\"");
	assert_at(value, "collectors.0.processes.1.pid", "0");
	assert_at(value, "collectors.0.processes.2.process", "\"node\"");
	assert_at(value, "collectors.0.processes.3.process", "null"); /* without labels */
	assert_at(value, "collectors.0.processes.3.pid", "null");
	assert_at(value, "collectors.0.processes.3.share", "0.03");
	assert_int_equal(json_array_size(at(value, "collectors.0.processes")), 4);
	assert_at(value, "collectors.0.processes_other.processes", "0");
	assert_at(value, "collectors.0.top.0.function", "\"hot(int, char const*)\"");
	assert_at(value, "collectors.0.top.0.module", "\"burn\"");
	assert_at(value, "collectors.0.top.0.kind", "\"user\"");
	assert_at(value, "collectors.0.top.0.self", "606060600");
	assert_at(value, "collectors.0.top.0.self_share", "0.6");
	assert_at(value, "collectors.0.top.0.total_share", "0.7");
	assert_at(value, "collectors.0.top.1.kind", "\"kernel\"");
	assert_true(json_equal(at(value, "collectors.0.top"), at(value, "collectors.0.top_self")));
	assert_at(value, "collectors.0.top_total.0.function", "\"main\"");
	assert_at(value, "collectors.0.top_total.0.total_share", "0.86");
}

static void long_lists_end_and_say_what_is_left(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	struct run_summary s = full_summary();
	_cleanup_(decrefp) json_t *value = NULL;
	char name[32];
	int i;

	(void)state;
	assert_int_equal(profile_add_value_type(p, "samples", "count"), 0);
	assert_int_equal(profile_add_value_type(p, "cpu", "nanoseconds"), 0);
	for (i = 0; i < 250; i++) {
		snprintf(name, sizeof(name), "f%03d", i);
		FULL_ADD(p, "sh", 1000 + i, 1000 - i,
			 { name, NULL, "/bin/sh", NULL, 0x1000 + i, 0, FRAME_USER, 0 });
	}
	/* The same PID again, at another time: the start is PID * 1000 in this helper. */
	value = summed(&s, p);
	assert_int_equal(json_array_size(at(value, "collectors.0.processes")), 200);
	assert_at(value, "collectors.0.processes.199.pid", "1199");
	assert_at(value, "collectors.0.processes_other.processes", "50");
	assert_at(value, "collectors.0.processes_other.value", "38775"); /* 800 + ... + 751 */
	assert_int_equal(json_array_size(at(value, "collectors.0.top")), 50);
	assert_int_equal(json_array_size(at(value, "collectors.0.top_total")), 50);
	assert_at(value, "collectors.0.top.49.function", "\"f049\"");
	assert_true(schema_accepts(value, "summary.schema.json"));
}

static void keys_stand_in_one_order(void **state)
{
	static const char *const top[] = { "schema",  "host",	     "target", "command",   "start",
					   "span_ns", "exit_status", "usage",  "collectors" };
	_cleanup_(profile_freep) struct profile *p = full_profile();
	struct run_summary s = full_summary();
	_cleanup_(decrefp) json_t *value = summed(&s, p), *again = summed(&s, p);
	_cleanup_(freep) char *one = json_text(value), *other = json_text(again);
	const char *key;
	json_t *member;
	size_t i = 0;

	(void)state;
	assert_string_equal(one, other);
	assert_int_equal(one[strlen(one) - 1], '\n');
	json_object_foreach(value, key, member)
	{
		assert_true(i < sizeof(top) / sizeof(top[0]));
		assert_string_equal(key, top[i++]);
	}
	assert_int_equal(i, 9);
}

static void shares_have_no_noise_behind_them(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	struct run_summary s = full_summary();
	_cleanup_(decrefp) json_t *value = NULL;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	s.collectors[0].stacks.complete = 1;
	s.collectors[0].stacks.truncated = 2;
	s.collectors[0].stacks.unnamed = 2;
	value = summed(&s, p);
	text = json_text(value);
	assert_non_null(strstr(text, "\"complete_share\": 0.333333,"));
	assert_non_null(strstr(text, "\"unnamed_share\": 0.666667,"));
}

static void a_profile_without_values_is_refused(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	struct run_summary s = full_summary();
	const struct profile *profiles[] = { p };

	(void)state;
	assert_null(summary_json(&s, profiles));
	assert_non_null(strstr(err_text(), "cannot sum up a profile"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_summary_is_of_the_schema),
		cmocka_unit_test(a_summary_of_nothing_known_is_of_the_schema),
		cmocka_unit_test(the_schema_refuses_what_is_wrong),
		cmocka_unit_test(the_run_is_described),
		cmocka_unit_test(the_ledger_is_closed_in_the_summary),
		cmocka_unit_test(cost_and_stacks_are_there),
		cmocka_unit_test(processes_and_functions_are_summed_by_the_default_value),
		cmocka_unit_test(long_lists_end_and_say_what_is_left),
		cmocka_unit_test(keys_stand_in_one_order),
		cmocka_unit_test(shares_have_no_noise_behind_them),
		cmocka_unit_test(a_profile_without_values_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
