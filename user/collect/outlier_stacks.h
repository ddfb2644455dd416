/* SPDX-License-Identifier: BSD-2-Clause */
/* outlier_stacks: the stacks of slow operations, when a collector's samples have got their names.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/model/latency.h"
#include "user/model/profile.h"

/*
 * Gives each outlier whose tag is the number of a sample, + 1, that sample's stack; nodes[i] is
 * the node of sample i in the profile, of n. 0 or -ENOMEM.
 */
int outlier_stacks_add(struct latency_outliers *outliers, const struct profile *p,
		       const uint32_t *nodes, size_t n);
