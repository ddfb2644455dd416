/* SPDX-License-Identifier: BSD-2-Clause */
/* flame_reverse: a tree whose stacks begin with their innermost frame. */
#pragma once

#include "flamegraph/flame_tree.h"

/* Of a finished tree that is no chart; verdicts are not kept. 0 or -errno with a sentence. */
int flame_tree_reverse(const struct flame_tree *from, struct flame_tree **ret);
