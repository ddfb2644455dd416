/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "flamegraph/flamegraph.h"
#include "user/base/array.h"

/* A tree by hand: nodes are added parents first, siblings in the order of their appearance. */
static struct flame_tree *tree_new(int64_t self)
{
	struct flame_tree *tree = calloc(1, sizeof(*tree));

	assert_non_null(tree);
	assert_int_equal(strtab_init(&tree->names), 0);
	assert_int_equal(array_reserve(tree->nodes, tree->nodes_cap, 1), 0);
	tree->nodes[tree->n_nodes++] = (struct flame_node){
		.value = self,
		.parent = PROFILE_NONE,
		.first_child = PROFILE_NONE,
		.next = PROFILE_NONE,
	};
	tree->scale_before = tree->scale_after = 1;
	return tree;
}

static uint32_t add(struct flame_tree *tree, uint32_t parent, int64_t self)
{
	uint32_t node = tree->n_nodes, *link;

	assert_int_equal(array_reserve(tree->nodes, tree->nodes_cap, tree->n_nodes + 1), 0);
	tree->nodes[tree->n_nodes++] = (struct flame_node){
		.value = self,
		.parent = parent,
		.first_child = PROFILE_NONE,
		.next = PROFILE_NONE,
	};
	for (link = &tree->nodes[parent].first_child; *link != PROFILE_NONE;
	     link = &tree->nodes[*link].next)
		;
	*link = node;
	return node;
}

/* Values are with all below from now on. */
static void add_up(struct flame_tree *tree)
{
	size_t i;

	for (i = tree->n_nodes; --i;) {
		int64_t *sum = &tree->nodes[tree->nodes[i].parent].value;

		if (__builtin_add_overflow(*sum, tree->nodes[i].value, sum))
			*sum = INT64_MAX;
	}
}

static void add_up_before(struct flame_tree *tree)
{
	size_t i;

	for (i = tree->n_nodes; --i;)
		tree->before[tree->nodes[i].parent] += tree->before[i];
}

static int64_t random_self(unsigned int *seed)
{
	if (rand_r(seed) % 2)
		return 0;
	return rand_r(seed) % 10 ? rand_r(seed) % 20 : rand_r(seed) % 5000;
}

static struct flame_tree *random_tree(unsigned int *seed, size_t n)
{
	struct flame_tree *tree = tree_new(rand_r(seed) % 5);

	while (tree->n_nodes < n) {
		/* Near the end of the nodes makes it deep, anywhere makes it wide. */
		uint32_t back = rand_r(seed) % 3 ? rand_r(seed) % 4 : rand_r(seed);

		add(tree, tree->n_nodes - 1 - back % tree->n_nodes, random_self(seed));
	}
	add_up(tree);
	return tree;
}

/* The same with other values before. */
static struct flame_tree *random_pair(unsigned int *seed, size_t n)
{
	struct flame_tree *tree = random_tree(seed, n);
	size_t i;

	tree->before = calloc(tree->n_nodes, sizeof(*tree->before));
	assert_non_null(tree->before);
	for (i = 0; i < tree->n_nodes; i++)
		tree->before[i] = random_self(seed);
	add_up_before(tree);
	tree->scale_before = 0.25 * (1 + rand_r(seed) % 8);
	return tree;
}

/* What the children of a node leave of its width. */
static int64_t own_width(const struct flame_layout *l, uint32_t node)
{
	int64_t own = flame_width(l, node);
	uint32_t child;

	for (child = l->tree->nodes[node].first_child; child != PROFILE_NONE;
	     child = l->tree->nodes[child].next)
		own -= flame_width(l, child);
	return own;
}

/* All that must hold of any layout whose values do not overflow. */
static void check(const struct flame_layout *l)
{
	int64_t *below = calloc(l->n, sizeof(*below));
	size_t i, wide = 0, shown = 0, hidden = 0;

	assert_non_null(below);
	for (i = 0; i < l->n; i++) {
		const struct flame_box *box = &l->boxes[i], *before = box - 1, *parent;

		shown += box->node != PROFILE_NONE;
		hidden += box->hidden;
		assert_true(box->hidden ? box->node == PROFILE_NONE : box->node < l->tree->n_nodes);
		if (!i)
			continue;
		assert_true(box->parent < i);
		parent = &l->boxes[box->parent];
		assert_true(box->width > 0);
		assert_true(box->x >= parent->x);
		assert_true(box->x + box->width <= parent->x + parent->width);
		assert_int_equal(box->depth, parent->depth + 1);
		assert_true(box->hidden || box->width >= l->narrow);
		assert_true(before->depth <= box->depth);
		if (before->depth == box->depth)
			assert_true(before->x + before->width <= box->x);
		below[box->parent] += box->width;
	}
	for (i = 0; i < l->n; i++) {
		uint32_t node = l->boxes[i].node;

		if (node != PROFILE_NONE) {
			assert_true(own_width(l, node) >= 0);
			assert_true(l->boxes[i].width == own_width(l, node) + below[i]);
		}
	}
	for (i = 0; i < l->tree->n_nodes; i++)
		wide += i == 0 || flame_width(l, i) > 0;
	assert_int_equal(shown + hidden, wide);
	assert_true(l->boxes[0].width <= l->total);
	assert_int_equal(l->boxes[l->n - 1].depth + 1, l->rows);
	free(below);
}

static struct flame_layout *lay_out(const struct flame_tree *tree, double min_share)
{
	const struct flame_layout_options o = { .min_share = min_share };
	struct flame_layout *l = NULL;

	assert_int_equal(flame_layout_new(tree, &o, &l), 0);
	return l;
}

static struct flame_layout *lay_out_bounded(const struct flame_tree *tree, double min_share)
{
	const struct flame_layout_options o = { .min_share = min_share };
	struct flame_layout *l = NULL;

	assert_int_equal(flame_layout_new_bounded(tree, &o, &l), 0);
	return l;
}

static const double shares[] = { 0, 0.0001, 0.001, 0.01, 0.2, 1 };

static void boxes_stay_inside_their_parents_and_add_up(void **state)
{
	unsigned int seed, s;
	size_t i;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		unsigned int random = s = seed;
		struct flame_tree *tree = random_tree(&random, 1 + rand_r(&s) % 400);

		for (i = 0; i < ARRAY_SIZE(shares); i++) {
			struct flame_layout *l = lay_out(tree, shares[i]);

			check(l);
			assert_int_equal(l->boxes[0].width, tree->nodes[0].value);
			flame_layout_free(l);
		}
		flame_tree_free(tree);
	}
}

static void sides_of_two_profiles_add_up_on_one_scale(void **state)
{
	static const enum flame_side sides[] = { FLAME_JOINED, FLAME_BEFORE, FLAME_AFTER };
	unsigned int seed, s;
	size_t i, k;

	(void)state;
	for (seed = 1; seed <= 100; seed++) {
		unsigned int random = s = seed;
		struct flame_tree *tree = random_pair(&random, 2 + rand_r(&s) % 400);
		double before = tree->before[0] * tree->scale_before;
		double after = tree->nodes[0].value, most = before > after ? before : after;

		for (i = 0; i < ARRAY_SIZE(sides) * ARRAY_SIZE(shares); i++) {
			struct flame_layout_options o = { .side = sides[i % 3],
							  .min_share = shares[i / 3] };
			struct flame_layout *l = NULL;

			assert_int_equal(flame_layout_new(tree, &o, &l), 0);
			check(l);
			for (k = 0; k < tree->n_nodes && most > 0; k++) {
				double b = tree->before[k] * tree->scale_before;
				double a = tree->nodes[k].value, least;

				least = (o.side == FLAME_BEFORE ? b : a) / most * FLAME_FULL_WIDTH;
				if (o.side == FLAME_JOINED && k && a == 0)
					least = b / most * FLAME_FULL_WIDTH;
				assert_true(flame_width(l, k) > least - 1e4);
				if (o.side != FLAME_JOINED)
					assert_true(flame_width(l, k) < least + 1e4);
			}
			if (o.side != FLAME_JOINED && most > 0)
				assert_true(l->total >= FLAME_FULL_WIDTH &&
					    l->total < FLAME_FULL_WIDTH + 10000);
			flame_layout_free(l);
		}
		flame_tree_free(tree);
	}
}

static void what_vanished_keeps_its_width_before_and_widens_its_callers(void **state)
{
	struct flame_tree *tree = tree_new(0);
	uint32_t main_of = add(tree, 0, 10), old = add(tree, main_of, 0), kept, deeper;
	struct flame_layout *l;

	(void)state;
	deeper = add(tree, old, 0);
	kept = add(tree, main_of, 90);
	tree->before = calloc(tree->n_nodes, sizeof(*tree->before));
	assert_non_null(tree->before);
	tree->before[old] = 5;
	tree->before[deeper] = 15;
	tree->before[kept] = 30;
	add_up(tree);
	add_up_before(tree);
	l = lay_out(tree, 0);
	assert_true(flame_is_vanished(tree, old) && flame_is_vanished(tree, deeper));
	assert_false(flame_is_vanished(tree, kept) || flame_is_vanished(tree, 0));
	assert_int_equal(flame_width(l, deeper), FLAME_FULL_WIDTH * 15 / 100);
	assert_int_equal(flame_width(l, old), FLAME_FULL_WIDTH * 20 / 100);
	assert_int_equal(flame_width(l, kept), FLAME_FULL_WIDTH * 90 / 100);
	assert_int_equal(flame_width(l, 0), FLAME_FULL_WIDTH * 120 / 100);
	assert_int_equal(l->total, FLAME_FULL_WIDTH * 120 / 100);
	check(l);
	flame_layout_free(l);
	flame_tree_free(tree);
}

static void without_a_share_nothing_is_joined(void **state)
{
	struct flame_tree *tree = tree_new(0);
	struct flame_layout *l;
	size_t i;

	(void)state;
	for (i = 0; i < 1000; i++)
		add(tree, i / 3, i == 5 ? INT64_C(1) << 60 : 1);
	add_up(tree);
	l = lay_out(tree, 0);
	assert_int_equal(l->n, 1001);
	for (i = 0; i < l->n; i++)
		assert_int_equal(l->boxes[i].hidden, 0);
	flame_layout_free(l);
	flame_tree_free(tree);
}

static void narrow_siblings_become_one_box_at_the_end(void **state)
{
	struct flame_tree *tree = tree_new(2);
	struct flame_layout *l;
	uint32_t narrow;

	(void)state;
	add(tree, 0, 1);
	add(tree, 0, 50);
	narrow = add(tree, 0, 1);
	add(tree, narrow, 2);
	add(tree, 0, 40);
	add_up(tree);
	l = lay_out(tree, 0.05);
	assert_int_equal(l->total, 96);
	assert_int_equal(l->n, 4);
	assert_int_equal(l->boxes[1].x, 0);
	assert_int_equal(l->boxes[1].width, 50);
	assert_int_equal(l->boxes[2].x, 50);
	assert_int_equal(l->boxes[2].width, 40);
	assert_int_equal(l->boxes[3].x, 90);
	assert_int_equal(l->boxes[3].width, 4);
	assert_int_equal(l->boxes[3].node, PROFILE_NONE);
	assert_int_equal(l->boxes[3].hidden, 3);
	assert_true(flame_is_narrow(l, narrow));
	assert_false(flame_is_narrow(l, 2));
	flame_layout_free(l);
	flame_tree_free(tree);
}

static void narrow_siblings_of_a_chart_become_boxes_where_they_are(void **state)
{
	struct flame_tree *tree = tree_new(2);
	struct flame_layout *l;

	(void)state;
	tree->is_chart = true;
	add(tree, 0, 1);
	add(tree, 0, 2);
	add(tree, 0, 50);
	add(tree, add(tree, 0, 1), 2);
	add(tree, 0, 40);
	add_up(tree);
	l = lay_out(tree, 0.05);
	check(l);
	assert_int_equal(l->n, 5);
	assert_int_equal(l->boxes[1].x, 0);
	assert_int_equal(l->boxes[1].width, 3);
	assert_int_equal(l->boxes[1].hidden, 2);
	assert_int_equal(l->boxes[2].x, 3);
	assert_int_equal(l->boxes[2].node, 3);
	assert_int_equal(l->boxes[3].x, 53);
	assert_int_equal(l->boxes[3].width, 3);
	assert_int_equal(l->boxes[3].hidden, 2);
	assert_int_equal(l->boxes[4].x, 56);
	assert_int_equal(l->boxes[4].width, 40);
	flame_layout_free(l);
	flame_tree_free(tree);
}

static void what_a_parent_spent_itself_is_between_its_children_in_a_chart(void **state)
{
	static const int64_t leads[] = { 0, 3, 3, 5, 5, 9, 10 };
	struct flame_tree *tree = tree_new(10);
	struct flame_layout *l;
	size_t i;

	(void)state;
	tree->is_chart = true;
	for (i = 1; i < ARRAY_SIZE(leads); i++)
		add(tree, 0, i == 2 || i == 3 ? 1 : 20);
	add_up(tree);
	tree->leads = calloc(ARRAY_SIZE(leads), sizeof(*leads));
	assert_non_null(tree->leads);
	for (i = 0; i < ARRAY_SIZE(leads); i++)
		tree->leads[i] = leads[i];
	l = lay_out(tree, 0.05);
	check(l);
	assert_int_equal(l->total, 92);
	assert_int_equal(l->n, 6);
	assert_int_equal(l->boxes[1].x, 3);
	assert_int_equal(l->boxes[2].x, 23); /* two, and two that its parent spent between them */
	assert_int_equal(l->boxes[2].width, 2);
	assert_int_equal(l->boxes[3].x, 27);
	assert_int_equal(l->boxes[4].x, 51);
	assert_int_equal(l->boxes[5].x, 72);
	flame_layout_free(l);
	flame_tree_free(tree);
}

static void a_chart_of_wide_and_narrow_frames_in_turn_is_bounded(void **state)
{
	struct flame_tree *tree = tree_new(0);
	struct flame_layout *l;
	size_t i;

	(void)state;
	tree->is_chart = true;
	for (i = 0; i < 40000; i++)
		add(tree, i % 2 || !i ? 0 : i, i % 4 ? 1000 + i : 1);
	add_up(tree);
	l = lay_out_bounded(tree, 0);
	check(l);
	assert_in_range(l->n, 1, FLAME_MAX_BOXES);
	flame_layout_free(l);
	flame_tree_free(tree);
}

static void a_total_above_all_leaves_room_and_one_below_is_none(void **state)
{
	struct flame_layout_options o = { .total = 200, .min_share = 0.4 };
	struct flame_tree *tree = tree_new(10);
	struct flame_layout *l = NULL;

	(void)state;
	add(tree, 0, 90);
	add_up(tree);
	assert_int_equal(flame_layout_new(tree, &o, &l), 0);
	assert_int_equal(l->total, 200);
	assert_int_equal(l->boxes[0].width, 100);
	assert_int_equal(l->boxes[1].width, 90);
	assert_int_equal(l->narrow, 80); /* of the total that is wanted */
	flame_layout_free(l);
	o.total = 50;
	assert_int_equal(flame_layout_new(tree, &o, &l), 0);
	assert_int_equal(l->total, 100);
	flame_layout_free(l);
	flame_tree_free(tree);
}

static void assert_fits(const struct flame_layout *l)
{
	size_t i;

	for (i = 1; i < l->n; i++) {
		const struct flame_box *box = &l->boxes[i], *parent = &l->boxes[box->parent];

		assert_true(box->width > 0 && box->x >= 0);
		assert_true(box->width <= parent->width - (box->x - parent->x));
	}
}

static void values_that_overflow_still_fit_into_their_parents(void **state)
{
	struct flame_tree *tree = tree_new(0);
	uint32_t a = add(tree, 0, INT64_MAX - 10);
	struct flame_layout *l;

	(void)state;
	add(tree, a, INT64_MAX);
	add(tree, 0, INT64_MAX);
	add(tree, 0, 5);
	add_up(tree);
	l = lay_out(tree, 0.0001);
	assert_true(l->total == INT64_MAX);
	assert_fits(l);
	flame_layout_free(l);
	flame_tree_free(tree);
}

/* Each side is cut by itself, but widths are of both. */
static void sides_that_overflow_still_fit_into_their_parents(void **state)
{
	struct flame_tree *tree = tree_new(0);
	struct flame_layout *l;
	uint32_t i;

	(void)state;
	for (i = 0; i < 20000; i++)
		add(tree, 0, INT64_MAX);
	add_up(tree);
	tree->before = calloc(tree->n_nodes, sizeof(*tree->before));
	assert_non_null(tree->before);
	for (i = 0; i < tree->n_nodes; i++)
		tree->before[i] = INT64_MAX;
	l = lay_out(tree, 0);
	assert_true(l->boxes[0].width == INT64_MAX);
	assert_fits(l);
	flame_layout_free(l);
	flame_tree_free(tree);
}

static void nothing_measured_is_a_root_without_width(void **state)
{
	struct flame_tree *tree = tree_new(0);
	struct flame_layout *l;
	int i;

	(void)state;
	add(tree, 0, 0);
	for (i = 0; i < 2; i++) {
		l = i ? lay_out_bounded(tree, 0.01) : lay_out(tree, 0.01);
		assert_int_equal(l->n, 1);
		assert_int_equal(l->rows, 1);
		assert_int_equal(l->total, 0);
		flame_layout_free(l);
	}
	tree->before = calloc(tree->n_nodes, sizeof(*tree->before));
	l = lay_out(tree, 0);
	assert_int_equal(l->total, 0);
	flame_layout_free(l);
	flame_tree_free(tree);
}

static void a_stack_of_thousands_of_frames_is_laid_out(void **state)
{
	struct flame_tree *tree = tree_new(0);
	struct flame_layout *l;
	uint32_t i, at = 0;

	(void)state;
	for (i = 0; i < PROFILE_MAX_DEPTH; i++)
		at = add(tree, at, 1);
	add_up(tree);
	l = lay_out(tree, 0);
	check(l);
	assert_int_equal(l->rows, PROFILE_MAX_DEPTH + 1);
	flame_layout_free(l);
	flame_tree_free(tree);
}

/* No narrower share would do, but for the steps in which it is looked for. */
static void check_bounded(const struct flame_tree *tree)
{
	struct flame_layout *l = lay_out_bounded(tree, 0), *finer;

	assert_true(l->n <= FLAME_MAX_BOXES);
	check(l);
	finer = lay_out(tree, 0.93 * ((double)l->narrow - 1) / (double)l->total);
	assert_true(finer->n > FLAME_MAX_BOXES);
	flame_layout_free(finer);
	flame_layout_free(l);
}

static void a_bounded_layout_has_as_many_boxes_as_a_browser_likes(void **state)
{
	unsigned int seed = 7;
	struct flame_tree *tree = tree_new(3);
	uint32_t i, k, at;

	(void)state;
	for (i = 0; i < 300; i++) {
		at = add(tree, 0, 1);
		for (k = 1; k < 300; k++)
			at = add(tree, at, 1 + i % 7);
	}
	add_up(tree);
	check_bounded(tree);
	flame_tree_free(tree);
	for (i = 0; i < 5; i++) {
		tree = random_tree(&seed, 100000);
		check_bounded(tree);
		flame_tree_free(tree);
	}
}

static void few_boxes_are_not_joined_to_have_fewer(void **state)
{
	struct flame_tree *tree = tree_new(0);
	struct flame_layout *l;
	uint32_t i;

	(void)state;
	for (i = 0; i < FLAME_MAX_BOXES - 1; i++)
		add(tree, 0, 1);
	add_up(tree);
	l = lay_out_bounded(tree, 0);
	assert_int_equal(l->n, FLAME_MAX_BOXES);
	flame_layout_free(l);
	add(tree, 0, 1);
	tree->nodes[0].value++;
	l = lay_out_bounded(tree, 0);
	assert_int_equal(l->n, 2);
	assert_int_equal(l->boxes[1].hidden, FLAME_MAX_BOXES);
	flame_layout_free(l);
	flame_tree_free(tree);
}

static void a_hundred_thousand_nodes_are_laid_out(void **state)
{
	struct flame_tree *tree = tree_new(0);
	struct flame_layout *l;
	uint32_t i;

	(void)state;
	for (i = 0; i < 100000; i++)
		add(tree, i / 2, 1 + i % 13);
	add_up(tree);
	l = lay_out(tree, 0);
	check(l);
	flame_layout_free(l);
	flame_tree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boxes_stay_inside_their_parents_and_add_up),
		cmocka_unit_test(sides_of_two_profiles_add_up_on_one_scale),
		cmocka_unit_test(what_vanished_keeps_its_width_before_and_widens_its_callers),
		cmocka_unit_test(without_a_share_nothing_is_joined),
		cmocka_unit_test(narrow_siblings_become_one_box_at_the_end),
		cmocka_unit_test(narrow_siblings_of_a_chart_become_boxes_where_they_are),
		cmocka_unit_test(what_a_parent_spent_itself_is_between_its_children_in_a_chart),
		cmocka_unit_test(a_chart_of_wide_and_narrow_frames_in_turn_is_bounded),
		cmocka_unit_test(a_total_above_all_leaves_room_and_one_below_is_none),
		cmocka_unit_test(values_that_overflow_still_fit_into_their_parents),
		cmocka_unit_test(sides_that_overflow_still_fit_into_their_parents),
		cmocka_unit_test(nothing_measured_is_a_root_without_width),
		cmocka_unit_test(a_stack_of_thousands_of_frames_is_laid_out),
		cmocka_unit_test(a_bounded_layout_has_as_many_boxes_as_a_browser_likes),
		cmocka_unit_test(few_boxes_are_not_joined_to_have_fewer),
		cmocka_unit_test(a_hundred_thousand_nodes_are_laid_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
