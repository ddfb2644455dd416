/* SPDX-License-Identifier: BSD-2-Clause */
/* symbolize: a capture's addresses get their names, and so it becomes a profile. */
#pragma once

#include <stdint.h>

#include "user/collect/capture.h"
#include "user/collect/cgroup.h"
#include "user/collect/processes.h"
#include "user/model/profile.h"
#include "user/model/summary.h"
#include "user/sym/sym.h"

/*
 * Adds every sample of the capture to 'profile', whose value types are "samples" in "count" and
 * "cpu" in "nanoseconds" (a sample's worth is 'period_ns'), with labels as in profile.h. A file
 * that several processes have mapped is one mapping, with the addresses of the first of them.
 * Adds to *quality. 0 or -ENOMEM with a sentence.
 */
int symbolize(const struct capture *capture, struct processes *processes,
	      struct symbolizer *symbolizer, struct cgroups *cgroups, uint64_t period_ns,
	      struct profile *profile, struct stack_quality *quality);
