/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * differential: two call trees as one flame tree, whose picture shows what changed between them.
 *
 * There a frame is as wide as what it takes after, so that the picture is the one of the program as
 * it is now. A frame that is not there any more would have no width: it is as wide as it was
 * before, is drawn with a dashed outline, and makes its callers wider by as much. So the whole is
 * what all takes after and what vanished; each tooltip says how much it was on either side. Frames
 * are the same by name and kind below the same caller: process names that differ should be left out
 * of the trees.
 */
#pragma once

#include <stdbool.h>

#include "flamegraph/flame_tree.h"
#include "user/model/calltree.h"

struct differential_side {
	const struct calltree *tree;
	double scale; /* values times this are compared: 1 / iterations, or 1; > 0 */
};

/*
 * Whether the change of that function is significant, and its p (NAN if unknown) in *ret_p. Names
 * as in the call trees; the module is the one after, if the frame is there.
 */
typedef bool (*differential_judge)(void *arg, const char *function, const char *module,
				   double *ret_p);

/*
 * Joins two trees of the same value type. 'judge' NULL: nothing is known of significance, and every
 * frame has the colour of its change. Negative values count as nothing. The trees may go. 0,
 * -ENOMEM, -EOVERFLOW or -EINVAL (a scale) with a sentence.
 */
int differential_new(const struct differential_side *before, const struct differential_side *after,
		     differential_judge judge, void *arg, struct flame_tree **ret);
