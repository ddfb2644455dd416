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
static struct calltree *tree_new(int64_t self)
{
	struct calltree *tree = calloc(1, sizeof(*tree));

	assert_non_null(tree);
	assert_int_equal(strtab_init(&tree->names), 0);
	assert_int_equal(array_reserve(tree->nodes, tree->nodes_cap, 1), 0);
	tree->nodes[tree->n_nodes++] = (struct calltree_node){
		.self = self,
		.parent = PROFILE_NONE,
		.first_child = PROFILE_NONE,
		.next = PROFILE_NONE,
	};
	return tree;
}

static uint32_t add(struct calltree *tree, uint32_t parent, int64_t self)
{
	uint32_t node = tree->n_nodes, *link;

	assert_int_equal(array_reserve(tree->nodes, tree->nodes_cap, tree->n_nodes + 1), 0);
	tree->nodes[tree->n_nodes++] = (struct calltree_node){
		.self = self,
		.parent = parent,
		.first_child = PROFILE_NONE,
		.next = PROFILE_NONE,
		.depth = tree->nodes[parent].depth + 1,
	};
	for (link = &tree->nodes[parent].first_child; *link != PROFILE_NONE;
	     link = &tree->nodes[*link].next)
		;
	*link = node;
	return node;
}

static struct calltree *random_tree(unsigned int *seed, size_t n)
{
	struct calltree *tree = tree_new(rand_r(seed) % 5);

	while (tree->n_nodes < n) {
		/* Near the end of the nodes makes it deep, anywhere makes it wide. */
		uint32_t back = rand_r(seed) % 3 ? rand_r(seed) % 4 : rand_r(seed);
		int64_t self = 0;

		if (rand_r(seed) % 2)
			self = rand_r(seed) % 10 ? rand_r(seed) % 20 : rand_r(seed) % 5000;
		if (rand_r(seed) % 50 == 0)
			self = -self;
		add(tree, tree->n_nodes - 1 - back % tree->n_nodes, self);
	}
	return tree;
}

static int64_t self_of(const struct flame_layout *l, uint32_t node)
{
	return l->tree->nodes[node].self > 0 ? l->tree->nodes[node].self : 0;
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
		if (l->boxes[i].node != PROFILE_NONE)
			assert_int_equal(l->boxes[i].width,
					 self_of(l, l->boxes[i].node) + below[i]);
	}
	for (i = 0; i < l->tree->n_nodes; i++)
		wide += i == 0 || l->widths[i] > 0;
	assert_int_equal(shown + hidden, wide);
	assert_int_equal(l->boxes[0].width, l->total);
	assert_int_equal(l->boxes[l->n - 1].depth + 1, l->rows);
	free(below);
}

static void boxes_stay_inside_their_parents_and_add_up(void **state)
{
	static const double shares[] = { 0, 0.0001, 0.001, 0.01, 0.2, 1 };
	unsigned int seed, s;
	size_t i;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		unsigned int random = s = seed;
		struct calltree *tree = random_tree(&random, 1 + rand_r(&s) % 400);

		for (i = 0; i < ARRAY_SIZE(shares); i++) {
			struct flame_layout *l = NULL;

			assert_int_equal(flame_layout_new(tree, shares[i], &l), 0);
			check(l);
			flame_layout_free(l);
		}
		calltree_free(tree);
	}
}

static void without_a_share_nothing_is_pruned(void **state)
{
	struct flame_layout *l = NULL;
	struct calltree *tree = tree_new(0);
	size_t i;

	(void)state;
	for (i = 0; i < 1000; i++)
		add(tree, i / 3, i == 5 ? INT64_C(1) << 60 : 1);
	assert_int_equal(flame_layout_new(tree, 0, &l), 0);
	assert_int_equal(l->n, 1001);
	for (i = 0; i < l->n; i++)
		assert_int_equal(l->boxes[i].hidden, 0);
	flame_layout_free(l);
	calltree_free(tree);
}

static void narrow_siblings_become_one_box_at_the_end(void **state)
{
	struct flame_layout *l = NULL;
	struct calltree *tree = tree_new(2);
	uint32_t narrow;

	(void)state;
	add(tree, 0, 1);
	add(tree, 0, 50);
	narrow = add(tree, 0, 1);
	add(tree, narrow, 2);
	add(tree, 0, 40);
	assert_int_equal(flame_layout_new(tree, 0.05, &l), 0);
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
	calltree_free(tree);
}

static void values_that_overflow_still_fit_into_their_parents(void **state)
{
	struct flame_layout *l = NULL;
	struct calltree *tree = tree_new(INT64_MIN);
	uint32_t a = add(tree, 0, INT64_MAX - 10);
	size_t i;

	(void)state;
	add(tree, a, INT64_MAX);
	add(tree, 0, INT64_MAX);
	add(tree, 0, -5);
	assert_int_equal(flame_layout_new(tree, 0.0001, &l), 0);
	assert_true(l->total == INT64_MAX);
	for (i = 1; i < l->n; i++) {
		const struct flame_box *box = &l->boxes[i], *parent = &l->boxes[box->parent];

		assert_true(box->width > 0 && box->x >= 0);
		assert_true(box->width <= parent->width - (box->x - parent->x));
	}
	flame_layout_free(l);
	calltree_free(tree);
}

static void nothing_measured_is_a_root_without_width(void **state)
{
	struct flame_layout *l = NULL;
	struct calltree *tree = tree_new(0);

	(void)state;
	add(tree, 0, 0);
	assert_int_equal(flame_layout_new(tree, 0.01, &l), 0);
	assert_int_equal(l->n, 1);
	assert_int_equal(l->rows, 1);
	assert_int_equal(l->total, 0);
	flame_layout_free(l);
	calltree_free(tree);
}

static void a_stack_of_thousands_of_frames_is_laid_out(void **state)
{
	struct flame_layout *l = NULL;
	struct calltree *tree = tree_new(0);
	uint32_t i, at = 0;

	(void)state;
	for (i = 0; i < PROFILE_MAX_DEPTH; i++)
		at = add(tree, at, 1);
	assert_int_equal(flame_layout_new(tree, 0, &l), 0);
	check(l);
	assert_int_equal(l->rows, PROFILE_MAX_DEPTH + 1);
	flame_layout_free(l);
	calltree_free(tree);
}

static void a_bounded_layout_has_no_more_boxes_than_a_browser_likes(void **state)
{
	struct flame_layout *l = NULL;
	unsigned int seed = 7;
	struct calltree *tree = random_tree(&seed, 3);
	uint32_t i, at;

	(void)state;
	for (i = 0; i < 300; i++) {
		at = add(tree, 0, 1);
		while (tree->nodes[at].depth < 300)
			at = add(tree, at, 1 + i % 7);
	}
	assert_true(tree->n_nodes > 2 * FLAME_MAX_BOXES);
	assert_int_equal(flame_layout_new_bounded(tree, 0, &l), 0);
	assert_true(l->n <= FLAME_MAX_BOXES);
	assert_true(l->n > FLAME_MAX_BOXES / 100);
	check(l);
	flame_layout_free(l);
	calltree_free(tree);
}

static void a_hundred_thousand_nodes_are_laid_out(void **state)
{
	struct flame_layout *l = NULL;
	struct calltree *tree = tree_new(0);
	uint32_t i;

	(void)state;
	for (i = 0; i < 100000; i++)
		add(tree, i / 2, 1 + i % 13);
	assert_int_equal(flame_layout_new(tree, 0, &l), 0);
	check(l);
	flame_layout_free(l);
	calltree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boxes_stay_inside_their_parents_and_add_up),
		cmocka_unit_test(without_a_share_nothing_is_pruned),
		cmocka_unit_test(narrow_siblings_become_one_box_at_the_end),
		cmocka_unit_test(values_that_overflow_still_fit_into_their_parents),
		cmocka_unit_test(nothing_measured_is_a_root_without_width),
		cmocka_unit_test(a_stack_of_thousands_of_frames_is_laid_out),
		cmocka_unit_test(a_bounded_layout_has_no_more_boxes_than_a_browser_likes),
		cmocka_unit_test(a_hundred_thousand_nodes_are_laid_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
