/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/flame_text.h"
#include "tests/unit/timed.h"

#include <errno.h>

#include "flamegraph/flame_profile.h"
#include "user/base/err.h"

static const struct view plain = { 0 };
/* "slot:path=value ..." in the order of the list. */
static void assert_moments(const struct flame_tree *tree, const struct flame_moments *m,
			   const char *expected)
{
	_cleanup_(str_release) struct str text = { 0 };
	size_t i;

	assert_ptr_equal(m->time.moments, m->moments);
	for (i = 0; i < m->time.n; i++) {
		const struct flame_moment *one = &m->moments[i];
		uint32_t path[16], n = 0, node;

		assert_int_equal(str_addf(&text, "%s%d:", i ? " " : "", (int)one->slot), 0);
		for (node = one->node; node; node = tree->nodes[node].parent)
			path[n++] = node;
		while (n--)
			assert_int_equal(
				str_addf(&text, "%s%s", flame_name(tree, path[n]), n ? ";" : ""),
				0);
		assert_int_equal(str_addf(&text, "=%d", (int)one->value), 0);
	}
	assert_string_equal(str_text(&text), expected);
}

static void assert_chart(const struct view *view, const char *expected)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;

	assert_int_equal(flame_chart_of_profile(p, view, &tree), 0);
	assert_true(tree->is_chart);
	assert_flame_text(tree, expected);
}

static void the_tree_is_that_of_all_slots(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	_cleanup_(flame_moments_freep) struct flame_moments *moments = NULL;

	(void)state;
	p->start_ns = 77;
	timed_add(p, "sh", 40, "main;g", 1);
	timed_add(p, "sh", 0, "main;f", 2);
	timed_add(p, "sh", 20, "main", 4);
	timed_add(p, "sh", 40, "main;f", 8);
	timed_add(p, "sh", NO_TIME, "main;f", 16);
	assert_int_equal(flame_tree_of_profile(p, &plain, &tree, &moments), 0);
	assert_flame_text(tree, "all(0/31)[sh_[4](0/31)[main(4/31)[f(26/26) g(1/1)]]]");
	assert_int_equal(moments->time.slot_ns, 20000000);
	assert_int_equal(moments->time.start_ns, 77);
	assert_moments(tree, moments, "0:sh;main;f=2 1:sh;main=4 2:sh;main;g=1 2:sh;main;f=8");
}

/* Frames at other addresses, or of other threads, may be one node. */
static void samples_of_one_node_and_slot_are_one_moment(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	_cleanup_(flame_moments_freep) struct flame_moments *moments = NULL;
	const struct view view = { .no_comm = true };

	(void)state;
	timed_add(p, "b", 20, "main;f", INT64_MAX);
	timed_add(p, "a", 20, "main;f", 4);
	timed_add(p, "a", 0, "main;f", -4);
	timed_add(p, "b", 0, "main;f", 3);
	timed_add(p, "b", 20, "main;g", 0);
	assert_int_equal(flame_tree_of_profile(p, &view, &tree, &moments), 0);
	assert_int_equal(moments->time.n, 2);
	assert_int_equal(moments->moments[0].value, 3);
	assert_int_equal(moments->moments[1].value, INT64_MAX);
	assert_int_equal(moments->moments[0].node, moments->moments[1].node);
}

static void a_profile_without_times_has_no_moments(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL, *other = NULL;
	struct flame_moments *moments = (void *)1;

	(void)state;
	timed_add(p, "sh", NO_TIME, "main", 1);
	assert_int_equal(flame_tree_of_profile(p, &plain, &tree, &moments), 0);
	assert_null(moments);
	assert_int_equal(flame_tree_of_profile(p, &plain, &other, NULL), 0);
	assert_flame_text(other, "all(0/1)[sh_[4](0/1)[main(1/1)]]");
}

static void a_chart_goes_from_slot_to_slot(void **state)
{
	(void)state;
	timed_add(p, "sh", 60, "main;f", 1);
	timed_add(p, "sh", 0, "main;f;x", 2);
	timed_add(p, "sh", 20, "main;g", 4);
	timed_add(p, "sh", 40, "main;f", 8);
	assert_chart(&plain, "all(0/15)[sh_[4](0/15)[main(0/15)[f(0/2)[x(2/2)] g(4/4) f(9/9)]]]");
}

/* f and g in each of three slots: f | g g | f f | g, not f | g | f | g | f | g. */
static void frames_go_on_from_one_slot_into_the_next(void **state)
{
	int64_t ms;

	(void)state;
	for (ms = 0; ms < 60; ms += 20) {
		timed_add(p, "sh", ms, "main;g", 1);
		timed_add(p, "sh", ms, "main;f", 1);
	}
	assert_chart(&plain, "all(0/6)[sh_[4](0/6)[main(0/6)[f(1/1) g(2/2) f(2/2) g(1/1)]]]");
}

static void each_process_has_a_chart_of_its_own(void **state)
{
	const struct view joined = { .no_comm = true };

	(void)state;
	timed_add(p, "late", 20, "main;f", 1);
	timed_add(p, "early", 0, "main;g", 2);
	timed_add(p, "late", 40, "main;g", 4);
	timed_add(p, "early", 60, "main;f", 8);
	assert_chart(&plain, "all(0/15)[early_[4](0/10)[main(0/10)[g(2/2) f(8/8)]] "
			     "late_[4](0/5)[main(0/5)[f(1/1) g(4/4)]]]");
	assert_chart(&joined, "all(0/15)[main(0/15)[g(2/2) f(1/1) g(4/4) f(8/8)]]");
}

static void what_has_no_time_comes_last(void **state)
{
	(void)state;
	timed_add(p, "sh", NO_TIME, "main;a", 1);
	timed_add(p, "other", NO_TIME, "main", 2);
	timed_add(p, "sh", 20, "main;b", 4);
	timed_add(p, "sh", 0, "main;c", 0);
	assert_chart(&plain, "all(0/7)[sh_[4](0/5)[main(0/5)[b(4/4) a(1/1)]] "
			     "other_[4](0/2)[main(2/2)]]");
}

static void stacks_without_frames_and_processes_are_in_the_chart(void **state)
{
	(void)state;
	timed_add(p, NULL, 0, "", 1);
	timed_add(p, NULL, 20, "main", 2);
	timed_add(p, NULL, 40, "", 4);
	timed_add(p, NULL, 60, "main", 8);
	timed_add(p, NULL, 60, "other", 8);
	assert_chart(&plain, "all(5/23)[main(2/2) other(8/8) main(8/8)]");
}

static void a_chart_without_times_is_refused(void **state)
{
	struct flame_tree *tree = NULL;

	(void)state;
	timed_add(p, "sh", NO_TIME, "main", 1);
	assert_int_equal(flame_chart_of_profile(p, &plain, &tree), -EINVAL);
	assert_non_null(strstr(err_text(), "--timeline"));
	assert_null(tree);
}

/* Whatever the order, nothing is lost: the amounts below each root are those of the tree. */
static void a_chart_of_deep_and_many_stacks_adds_up(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL, *chart = NULL;
	char stack[2 * PROFILE_MAX_DEPTH + 1];
	int i;

	(void)state;
	for (i = 0; i < PROFILE_MAX_DEPTH; i++)
		memcpy(stack + 2 * i, i % 7 ? "f;" : "g;", 2);
	stack[2 * PROFILE_MAX_DEPTH - 1] = '\0';
	timed_add(p, "deep", 0, stack, 3);
	for (i = 0; i < 2000; i++)
		timed_add(p, i % 3 ? "a" : "b", i * 37 % 400,
			  &stack[2 * (PROFILE_MAX_DEPTH - i % 60 - 1)], 1 + i % 5);
	assert_int_equal(flame_tree_of_profile(p, &plain, &tree, NULL), 0);
	assert_int_equal(flame_chart_of_profile(p, &plain, &chart), 0);
	assert_int_equal(tree->nodes[0].value, profile_total(p, 0));
	assert_int_equal(chart->nodes[0].value, profile_total(p, 0));
	assert_true(chart->n_nodes > tree->n_nodes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_tree_is_that_of_all_slots),
		TEST(samples_of_one_node_and_slot_are_one_moment),
		TEST(a_profile_without_times_has_no_moments),
		TEST(a_chart_goes_from_slot_to_slot),
		TEST(frames_go_on_from_one_slot_into_the_next),
		TEST(each_process_has_a_chart_of_its_own),
		TEST(what_has_no_time_comes_last),
		TEST(stacks_without_frames_and_processes_are_in_the_chart),
		TEST(a_chart_without_times_is_refused),
		TEST(a_chart_of_deep_and_many_stacks_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
