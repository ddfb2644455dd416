/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flame_text: a flame tree in one line: name(self/total) and in brackets what is below, in the
 * order of the tree. Of two profiles: name(self/total was self/total). A kind is "_[k]", "_[i]",
 * "_[j]" or its number; a module stands in braces.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>

#include "flamegraph/flame_tree.h"
#include "user/base/str.h"

static inline void flame_text_name(const struct flame_tree *tree, uint32_t node, struct str *out)
{
	static const char *const suffixes[] = { "", "_[k]", "_[i]", "_[j]" };
	uint32_t kind = flame_frame_of(tree, node)->kind;

	assert_int_equal(str_add(out, flame_name(tree, node)), 0);
	if (node && kind < 4)
		assert_int_equal(str_add(out, suffixes[kind]), 0);
	else if (node)
		assert_int_equal(str_addf(out, "_[%" PRIu32 "]", kind), 0);
	if (*flame_module(tree, node))
		assert_int_equal(str_addf(out, "{%s}", flame_module(tree, node)), 0);
}

static inline void flame_text_enter(const struct flame_tree *tree, uint32_t node, struct str *out)
{
	flame_text_name(tree, node, out);
	assert_int_equal(str_addf(out, "(%" PRId64 "/%" PRId64, flame_tree_self(tree, node),
				  tree->nodes[node].value),
			 0);
	if (tree->before)
		assert_int_equal(str_addf(out, " was %" PRId64 "/%" PRId64,
					  flame_tree_self_before(tree, node), tree->before[node]),
				 0);
	assert_int_equal(str_add(out, ")"), 0);
}

/* Appends it; without recursion, since trees are deep. Numbers and links are checked. */
static inline void flame_text(const struct flame_tree *tree, struct str *out)
{
	uint32_t node = 0, child;

	for (;;) {
		flame_text_enter(tree, node, out);
		for (child = tree->nodes[node].first_child; child != PROFILE_NONE;
		     child = tree->nodes[child].next) {
			assert_true(child > node && child < tree->n_nodes);
			assert_int_equal(tree->nodes[child].parent, node);
		}
		child = tree->nodes[node].first_child;
		if (child != PROFILE_NONE) {
			assert_int_equal(str_add(out, "["), 0);
			node = child;
			continue;
		}
		while (node && tree->nodes[node].next == PROFILE_NONE) {
			node = tree->nodes[node].parent;
			assert_int_equal(str_add(out, "]"), 0);
		}
		if (!node)
			return;
		assert_int_equal(str_add(out, " "), 0);
		node = tree->nodes[node].next;
	}
}

static inline void assert_flame_text(const struct flame_tree *tree, const char *expected)
{
	_cleanup_(str_release) struct str text = { 0 };

	flame_text(tree, &text);
	assert_string_equal(text.data, expected);
}
