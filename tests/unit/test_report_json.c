/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include <stdio.h>

#include "user/export/report_json.h"

struct fixture {
	struct profile *profile;
	struct view view;
	struct calltree *tree;
	struct report report;
};

static void fixture_init(struct fixture *f, struct profile *p)
{
	*f = (struct fixture){ .profile = p };
	assert_int_equal(calltree_new(p, &f->view, &f->tree), 0);
	f->report =
		(struct report){ .source = "run", .profile = p, .view = &f->view, .tree = f->tree };
}

static void fixture_release(struct fixture *f)
{
	calltree_free(f->tree);
	profile_free(f->profile);
}

static json_t *top_json(struct fixture *f, size_t rows)
{
	_cleanup_(top_freep) struct top *top = NULL;
	json_t *report;

	assert_int_equal(top_new(f->tree, &top), 0);
	report = report_json_top(&f->report, top, rows, "self");
	assert_non_null(report);
	return report;
}

static json_t *tree_json(struct fixture *f, double min_share)
{
	_cleanup_(report_tree_freep) struct report_tree *t = NULL;
	json_t *report;

	assert_int_equal(report_tree_new(f->tree, min_share, &t), 0);
	report = report_json_tree(&f->report, t, min_share);
	assert_non_null(report);
	return report;
}

static const char *string_at(json_t *list, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(list, i), key));
}

static json_int_t integer_at(json_t *list, size_t i, const char *key)
{
	json_t *value = json_object_get(json_array_get(list, i), key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static void values_are_exact_and_shares_are_of_the_total(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(json_decrefp) json_t *report = NULL;
	struct profile *p = stacks_new("cpu", "nanoseconds");
	json_t *rows;

	(void)state;
	stacks_add(p, "sh", "main@prog;schedule@[kernel]", 9007199254740993); /* 2^53 + 1 */
	fixture_init(&f, p);
	report = top_json(&f, 0);
	assert_string_equal(json_string_value(json_object_get(report, "schema")),
			    "fathom.report/1");
	assert_string_equal(json_string_value(json_object_get(report, "mode")), "top");
	assert_true(json_integer_value(json_object_get(report, "total")) == 9007199254740993);
	assert_true(json_is_null(json_object_get(report, "recording")));
	assert_true(json_is_null(json_object_get(report, "start_ns")));
	rows = json_object_get(report, "functions");
	assert_int_equal(json_array_size(rows), 2);
	assert_string_equal(string_at(rows, 0, "function"), "schedule");
	assert_string_equal(string_at(rows, 0, "module"), "[kernel]");
	assert_string_equal(string_at(rows, 0, "kind"), "kernel");
	assert_true(integer_at(rows, 0, "self") == 9007199254740993);
	assert_true(json_real_value(json_object_get(json_array_get(rows, 0), "self_share")) == 1);
	assert_string_equal(string_at(rows, 1, "kind"), "user");
	assert_true(integer_at(rows, 1, "self") == 0);
}

static void a_limit_leaves_the_number_of_all_rows(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(json_decrefp) json_t *report = NULL;
	struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, NULL, "a;b;c;d", 1);
	fixture_init(&f, p);
	report = top_json(&f, 3);
	assert_int_equal(json_array_size(json_object_get(report, "functions")), 3);
	assert_int_equal(json_integer_value(json_object_get(report, "n_functions")), 4);
}

static void names_that_are_no_utf8_are_mended(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(json_decrefp) json_t *report = NULL;
	struct profile *p = stacks_new("samples\xff", "co\nunt");
	json_t *value;

	(void)state;
	stacks_add(p, "a\xc0", "f\xed\xa0\x80@m\xff", 1);
	fixture_init(&f, p);
	f.report.source = "run\xff";
	report = top_json(&f, 0);
	value = json_object_get(report, "value");
	assert_string_equal(json_string_value(json_object_get(value, "type")), "samples\uFFFD");
	assert_string_equal(json_string_value(json_object_get(value, "unit")), "co?unt");
	assert_string_equal(json_string_value(json_object_get(report, "source")), "run\uFFFD");
	assert_string_equal(string_at(json_object_get(report, "functions"), 0, "module"),
			    "m\uFFFD");
}

static void the_tree_is_a_flat_list_with_parents_first(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(json_decrefp) json_t *report = NULL;
	struct profile *p = stacks_new("samples", "count");
	json_t *nodes;
	size_t i;
	static const struct {
		const char *name;
		int parent, total;
	} wanted[] = {
		{ "all", -1, 10 }, { "sh", 0, 10 },  { "main", 1, 10 },
		{ "b", 2, 7 },	   { "leaf", 3, 4 }, { "a", 2, 3 },
	};

	(void)state;
	stacks_add(p, "sh", "main;a", 3);
	stacks_add(p, "sh", "main;b", 3);
	stacks_add(p, "sh", "main;b;leaf", 4);
	fixture_init(&f, p);
	report = tree_json(&f, 0);
	nodes = json_object_get(report, "nodes");
	assert_int_equal(json_array_size(nodes), 6);
	for (i = 0; i < 6; i++) {
		assert_string_equal(string_at(nodes, i, "function"), wanted[i].name);
		assert_int_equal(integer_at(nodes, i, "total"), wanted[i].total);
		if (i)
			assert_int_equal(integer_at(nodes, i, "parent"), wanted[i].parent);
	}
	assert_true(json_is_null(json_object_get(json_array_get(nodes, 0), "parent")));
	assert_string_equal(string_at(nodes, 1, "kind"), "synthetic");
	assert_int_equal(integer_at(nodes, 4, "depth"), 4);
}

static void pruned_branches_are_counted_with_their_value(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(json_decrefp) json_t *report = NULL;
	struct profile *p = stacks_new("samples", "count");
	json_t *pruned;

	(void)state;
	stacks_add(p, NULL, "main;a", 90);
	stacks_add(p, NULL, "main;b;c;d", 6);
	stacks_add(p, NULL, "e", 4);
	fixture_init(&f, p);
	report = tree_json(&f, 0.1);
	pruned = json_object_get(report, "pruned");
	assert_int_equal(json_array_size(json_object_get(report, "nodes")), 3);
	assert_int_equal(json_integer_value(json_object_get(pruned, "branches")), 2);
	assert_int_equal(json_integer_value(json_object_get(pruned, "total")), 10);
}

static void the_deepest_tree_is_read_back(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(json_decrefp) json_t *report = NULL, *again = NULL;
	_cleanup_(freep) char *stack = malloc(PROFILE_MAX_DEPTH * 2 + 1), *text = NULL;
	struct profile *p = stacks_new("samples", "count");
	json_error_t where;
	int i;

	(void)state;
	assert_non_null(stack);
	for (i = 0; i < PROFILE_MAX_DEPTH; i++)
		memcpy(stack + i * 2, "a;", 3);
	stacks_add(p, NULL, stack, 1);
	fixture_init(&f, p);
	report = tree_json(&f, 0);
	text = json_dumps(report, 0);
	assert_non_null(text);
	again = json_loads(text, 0, &where);
	assert_non_null(again);
	assert_int_equal(json_array_size(json_object_get(again, "nodes")), PROFILE_MAX_DEPTH + 1);
}

static void callers_and_callees_stand_beside_the_function(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(top_neighbours_freep) struct top_neighbours *n = NULL;
	_cleanup_(json_decrefp) json_t *report = NULL;
	struct profile *p = stacks_new("samples", "count");
	json_t *function;

	(void)state;
	stacks_add(p, NULL, "a;f;x", 3);
	stacks_add(p, NULL, "b;f", 1);
	fixture_init(&f, p);
	assert_int_equal(top_neighbours_new(f.tree, "f", &n), 0);
	report = report_json_function(&f.report, "f", n, 1);
	function = json_object_get(report, "function");
	assert_string_equal(json_string_value(json_object_get(function, "name")), "f");
	assert_int_equal(json_integer_value(json_object_get(function, "self")), 1);
	assert_int_equal(json_integer_value(json_object_get(function, "total")), 4);
	assert_true(json_real_value(json_object_get(function, "self_share")) == 0.25);
	assert_int_equal(json_array_size(json_object_get(report, "callers")), 1);
	assert_int_equal(json_integer_value(json_object_get(report, "n_callers")), 2);
	assert_string_equal(string_at(json_object_get(report, "callers"), 0, "function"), "a");
	assert_string_equal(string_at(json_object_get(report, "callees"), 0, "function"), "x");
	assert_int_equal(integer_at(json_object_get(report, "callees"), 0, "total"), 3);
}

static void the_ledger_of_a_recording_is_whole(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(json_decrefp) json_t *report = NULL;
	struct recording rec = {
		.collector = "cpu",
		.fired = 100,
		.kept = 80,
		.filtered = 15,
		.lost = 5,
		.causes = { { "counts_full", 5 } },
		.n_causes = 1,
	};
	json_t *ledger;

	(void)state;
	fixture_init(&f, stacks_new("samples", "count"));
	f.report.recording = &rec;
	report = top_json(&f, 0);
	ledger = json_object_get(json_object_get(report, "recording"), "ledger");
	assert_int_equal(json_integer_value(json_object_get(ledger, "fired")), 100);
	assert_int_equal(json_integer_value(json_object_get(ledger, "kept")), 80);
	assert_int_equal(json_integer_value(json_object_get(ledger, "filtered")), 15);
	assert_int_equal(json_integer_value(json_object_get(ledger, "lost")), 5);
	assert_int_equal(json_integer_value(
				 json_object_get(json_object_get(ledger, "causes"), "counts_full")),
			 5);
}

static void repairs_of_the_input_are_told(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(json_decrefp) json_t *report = NULL;
	json_t *repairs;

	(void)state;
	fixture_init(&f, stacks_new("samples", "count"));
	report = top_json(&f, 0);
	assert_int_equal(report_json_add_repairs(report, 3, "3 lines were left out"), 0);
	repairs = json_object_get(report, "repairs");
	assert_int_equal(json_integer_value(json_object_get(repairs, "count")), 3);
	assert_string_equal(json_string_value(json_object_get(repairs, "text")),
			    "3 lines were left out");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_exact_and_shares_are_of_the_total),
		cmocka_unit_test(a_limit_leaves_the_number_of_all_rows),
		cmocka_unit_test(names_that_are_no_utf8_are_mended),
		cmocka_unit_test(the_tree_is_a_flat_list_with_parents_first),
		cmocka_unit_test(pruned_branches_are_counted_with_their_value),
		cmocka_unit_test(the_deepest_tree_is_read_back),
		cmocka_unit_test(callers_and_callees_stand_beside_the_function),
		cmocka_unit_test(the_ledger_of_a_recording_is_whole),
		cmocka_unit_test(repairs_of_the_input_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
