/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include <errno.h>
#include <math.h>

#include "flamegraph/differential.h"
#include "user/base/err.h"

struct world {
	struct profile *before, *after;
	struct calltree *tree_before, *tree_after;
	struct flame_tree *tree;
};

static void world_init(struct world *w)
{
	*w = (struct world){ .before = stacks_new("cpu", "nanoseconds"),
			     .after = stacks_new("cpu", "nanoseconds") };
}

static void join(struct world *w, double scale_before, double scale_after, differential_judge judge,
		 void *arg)
{
	const struct view view = { 0 };
	struct differential_side before, after;

	assert_int_equal(calltree_new(w->before, &view, &w->tree_before), 0);
	assert_int_equal(calltree_new(w->after, &view, &w->tree_after), 0);
	before = (struct differential_side){ w->tree_before, scale_before };
	after = (struct differential_side){ w->tree_after, scale_after };
	assert_int_equal(differential_new(&before, &after, judge, arg, &w->tree), 0);
}

static void world_release(struct world *w)
{
	flame_tree_free(w->tree);
	calltree_free(w->tree_before);
	calltree_free(w->tree_after);
	profile_free(w->before);
	profile_free(w->after);
}

static uint32_t find(const struct world *w, const char *name)
{
	uint32_t i;

	for (i = 0; i < w->tree->n_nodes; i++) {
		if (!strcmp(flame_name(w->tree, i), name))
			return i;
	}
	fail_msg("no frame is called '%s'", name);
	return 0;
}

static void some_stacks(struct world *w)
{
	world_init(w);
	stacks_add(w->before, "sh", "main@sh;work@sh", 3000);
	stacks_add(w->before, "sh", "main@sh;work@sh;leaf@libc.so.6", 1000);
	stacks_add(w->before, "sh", "main@sh;old@sh", 1000);
	stacks_add(w->before, "sh", "main@sh;rest@sh", 5000);
	stacks_add(w->before, NULL, "lost", -5);
	stacks_add(w->after, "sh", "main@sh;work@sh", 5000);
	stacks_add(w->after, "sh", "main@sh;work@sh;leaf@libc.so.6", 1000);
	stacks_add(w->after, "sh", "main@sh;rest@sh", 4900);
	stacks_add(w->after, "sh", "main@sh;fresh@sh", 100);
}

static void both_sides_of_a_frame_are_known(void **state)
{
	struct world w;
	uint32_t node;

	(void)state;
	some_stacks(&w);
	join(&w, 0.5, 0.25, NULL, NULL);
	node = find(&w, "work");
	assert_int_equal(w.tree->before[node], 4000);
	assert_int_equal(w.tree->nodes[node].value, 6000);
	assert_int_equal(flame_tree_self_before(w.tree, node), 3000);
	assert_int_equal(flame_tree_self(w.tree, node), 5000);
	node = find(&w, "old");
	assert_int_equal(w.tree->before[node], 1000);
	assert_int_equal(w.tree->nodes[node].value, 0);
	assert_int_equal(w.tree->before[0], 10000);
	assert_int_equal(w.tree->nodes[0].value, 11000);
	assert_true(w.tree->scale_before == 0.5 && w.tree->scale_after == 0.25);
	assert_null(w.tree->verdicts);
	world_release(&w);
}

static void scales_that_compare_nothing_are_refused(void **state)
{
	struct differential_side none = { 0 }, one = { 0 };
	struct flame_tree *tree = NULL;
	struct world w;

	(void)state;
	some_stacks(&w);
	join(&w, 1, 1, NULL, NULL);
	none.tree = one.tree = w.tree_before;
	one.scale = 1;
	assert_int_equal(differential_new(&one, &none, NULL, NULL, &tree), -EINVAL);
	none.scale = INFINITY;
	assert_int_equal(differential_new(&none, &one, NULL, NULL, &tree), -EINVAL);
	none.scale = NAN;
	assert_int_equal(differential_new(&none, &one, NULL, NULL, &tree), -EINVAL);
	assert_non_null(strstr(err_text(), "scales above 0"));
	none.scale = 1e307;
	assert_int_equal(differential_new(&none, &one, NULL, NULL, &tree), -EOVERFLOW);
	assert_null(tree);
	world_release(&w);
}

/* Significant is what is named here; each function is asked for once. */
struct judge {
	const char *name;
	unsigned int n, n_libc;
};

static bool judge_by_name(void *arg, const char *function, const char *module, double *ret_p)
{
	struct judge *judge = arg;
	bool is_it = !strcmp(function, judge->name);

	judge->n++;
	judge->n_libc += !strcmp(module, "libc.so.6");
	if (is_it)
		*ret_p = 0.0078125;
	return is_it;
}

static void functions_are_judged_once(void **state)
{
	struct judge judge = { .name = "work" };
	const struct flame_verdict *verdict;
	struct world w;

	(void)state;
	some_stacks(&w);
	join(&w, 1, 1, judge_by_name, &judge);
	assert_int_equal(judge.n, w.tree->n_frames - 1);
	assert_int_equal(judge.n_libc, 1);
	verdict = &w.tree->verdicts[w.tree->nodes[find(&w, "work")].frame];
	assert_true(verdict->is_significant && verdict->p == 0.0078125);
	verdict = &w.tree->verdicts[w.tree->nodes[find(&w, "rest")].frame];
	assert_false(verdict->is_significant);
	assert_true(isnan(verdict->p));
	assert_true(isnan(w.tree->verdicts[0].p));
	world_release(&w);
}

static void nothing_on_either_side_is_a_tree_all_the_same(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	join(&w, 1, 1, NULL, NULL);
	assert_int_equal(w.tree->n_nodes, 1);
	assert_non_null(w.tree->before);
	world_release(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_of_a_frame_are_known),
		cmocka_unit_test(scales_that_compare_nothing_are_refused),
		cmocka_unit_test(functions_are_judged_once),
		cmocka_unit_test(nothing_on_either_side_is_a_tree_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
