/* SPDX-License-Identifier: BSD-2-Clause */
/* flame_calltree: the flame tree of one profile's call tree, or of two ones joined. */
#pragma once

#include "flamegraph/flame_tree.h"
#include "user/model/calltree.h"

/*
 * Of one profile's call tree, or of two ones joined. (*ret_nodes)[i], the caller's, is what node i
 * of the call tree has become; NULL: not asked for. 0 or -errno with a sentence.
 */
int flame_tree_of_calltree(const struct calltree *from, struct flame_tree **ret,
			   uint32_t **ret_nodes);
int flame_tree_of_calltrees(const struct calltree *before, const struct calltree *after,
			    struct flame_tree **ret);
