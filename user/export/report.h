/* SPDX-License-Identifier: BSD-2-Clause */
/* report: what is reported on, as text (report_text.h) and as JSON (report_json.h). */
#pragma once

#include <stdint.h>

#include "user/export/recording.h"
#include "user/export/report_tree.h"
#include "user/model/calltree.h"
#include "user/model/profile.h"
#include "user/model/timeline.h"
#include "user/model/top.h"
#include "user/model/view.h"

/* Everything belongs to the caller. */
struct report {
	const char *source; /* as the person named it */
	const struct profile *profile;
	const struct view *view;
	const struct calltree *tree;	   /* of that profile and view */
	const struct recording *recording; /* NULL if it is no run folder */
	const struct time_range *range;	   /* of the recording, that the profile is of; NULL: all */
};

/* v as a share of the report's total, 0 if that is 0. */
static inline double report_share(const struct report *r, int64_t v)
{
	int64_t total = r->tree->nodes[0].total;

	return total ? (double)v / (double)total : 0;
}

static inline const char *report_unit(const struct report *r)
{
	return profile_string(r->profile, r->profile->value_types[r->view->value].unit);
}

static inline const char *report_type(const struct report *r)
{
	return profile_string(r->profile, r->profile->value_types[r->view->value].type);
}
