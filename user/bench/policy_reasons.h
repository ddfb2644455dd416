/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_reasons: collects the reasons that a policy's file gives for its numbers. */
#pragma once

#include "user/bench/policy.h"
#include "user/bench/yaml_tree.h"

/*
 * Adds all that have a "because" within the map, under their keys ("metrics.wall_ns.limit"); what
 * was there under the same key, and below it, is replaced. 0 or -errno with a sentence.
 */
int policy_reasons_add(const struct yaml_tree *t, const struct yaml_item *map,
		       struct policy_reasons *reasons);
void policy_reasons_release(struct policy_reasons *reasons);
