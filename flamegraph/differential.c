/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/differential.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "flamegraph/flame_calltree.h"
#include "user/base/err.h"

static int judge_all(struct flame_tree *tree, differential_judge judge, void *arg)
{
	size_t i;

	tree->verdicts = calloc(tree->n_frames, sizeof(*tree->verdicts));
	if (!tree->verdicts)
		return errf(-ENOMEM, "no memory to compare %zu functions", tree->n_frames);
	tree->verdicts[0].p = NAN; /* "all" */
	for (i = 1; i < tree->n_frames; i++) {
		const struct flame_frame *frame = &tree->frames[i];
		struct flame_verdict *verdict = &tree->verdicts[i];

		verdict->p = NAN;
		verdict->is_significant =
			judge(arg, strtab_get(&tree->names, frame->name),
			      strtab_get(&tree->names, frame->module), &verdict->p);
	}
	return 0;
}

int differential_new(const struct differential_side *before, const struct differential_side *after,
		     differential_judge judge, void *arg, struct flame_tree **ret)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	int err;

	if (!(before->scale > 0) || !(after->scale > 0) || isinf(before->scale) ||
	    isinf(after->scale))
		return errf(-EINVAL, "profiles are compared by scales above 0, not %g and %g",
			    before->scale, after->scale);
	err = flame_tree_of_calltrees(before->tree, after->tree, &tree);
	if (err)
		return err;
	tree->scale_before = before->scale;
	tree->scale_after = after->scale;
	if (!isfinite(tree->before[0] * before->scale) ||
	    !isfinite(tree->nodes[0].value * after->scale))
		return errf(-EOVERFLOW, "scales of %g and %g are too large", before->scale,
			    after->scale);
	err = judge ? judge_all(tree, judge, arg) : 0;
	if (err)
		return err;
	*ret = take(tree);
	return 0;
}
