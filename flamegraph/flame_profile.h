/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flame_profile: the flame tree of a profile, with the times of its samples; and its flame chart,
 * where time goes from left to right.
 */
#pragma once

#include "flamegraph/flame_data.h"
#include "flamegraph/flame_tree.h"
#include "user/model/profile.h"
#include "user/model/view.h"

/* What was spent when, for a picture: 'time.moments' is 'moments'. */
struct flame_moments {
	struct flame_time time;
	struct flame_moment *moments; /* by slot and node: one of each */
};

/*
 * The tree as 'view' says, of one of the profile's values. *ret_moments, which may be asked for by
 * NULL as well, becomes NULL if no sample has a time (see user/model/timeline.h). 0 or -errno with
 * a sentence.
 */
int flame_tree_of_profile(const struct profile *p, const struct view *view, struct flame_tree **ret,
			  struct flame_moments **ret_moments);
void flame_moments_free(struct flame_moments *m);
DEFINE_FREEP(struct flame_moments, flame_moments_free)

/*
 * The chart: below each root (of the view: processes, or threads) the stacks in the order of their
 * time, and frames that go on are one. Roots are in the order in which they begin. Widths are the
 * values: where nothing was sampled there is no gap. What order the stacks of one slot had is not
 * known: they are put so that frames go on, within it and into the next. What has no time comes
 * last. -EINVAL with a sentence if no sample has a time; other errors as above.
 */
int flame_chart_of_profile(const struct profile *p, const struct view *view,
			   struct flame_tree **ret);
