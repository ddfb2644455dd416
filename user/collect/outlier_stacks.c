/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/outlier_stacks.h"

#include <errno.h>
#include <stdlib.h>

#include "user/base/cleanup.h"
#include "user/base/str.h"
#include "user/model/view.h"

static int frame_add(const struct profile *p, uint32_t number, struct str *ret)
{
	const struct profile_frame *frame = profile_frame_at(p, number);
	int err = ret->len ? str_add(ret, ";") : 0;

	if (!err)
		err = view_frame_name(p, frame, ret);
	return err ? err : str_add(ret, view_suffix(frame->kind));
}

/* Root first. */
static int stack_text(const struct profile *p, uint32_t node, struct str *ret)
{
	uint32_t frames[PROFILE_MAX_DEPTH], n = 0;
	int err = 0;

	for (; node != PROFILE_NONE && n < PROFILE_MAX_DEPTH;
	     node = profile_node_at(p, node)->parent)
		frames[n++] = profile_node_at(p, node)->frame;
	while (n-- && !err)
		err = frame_add(p, frames[n], ret);
	return err;
}

int outlier_stacks_add(struct latency_outliers *outliers, const struct profile *p,
		       const uint32_t *nodes, size_t n)
{
	size_t i;

	for (i = 0; i < outliers->n; i++) {
		_cleanup_(str_release) struct str text = { 0 };
		struct latency_outlier *one = &outliers->list[i];

		if (!one->tag || one->tag > n || one->stack)
			continue;
		if (stack_text(p, nodes[one->tag - 1], &text))
			return -ENOMEM;
		one->stack = take(text.data); /* NULL: it has no frames */
	}
	return 0;
}
