/* SPDX-License-Identifier: BSD-2-Clause */
/* symbolize: a capture's addresses get their names, and so it becomes a profile. */
#pragma once

#include <stdint.h>

#include "user/collect/cgroup.h"
#include "user/collect/collector.h"
#include "user/collect/processes.h"
#include "user/model/profile.h"
#include "user/model/summary.h"
#include "user/sym/sym.h"

struct symbolize_options {
	struct processes *processes;
	struct symbolizer *symbolizer;
	struct cgroups *cgroups;
	const struct collector *collector; /* its capture is what is named */
	/* By number of the capture's samples, filled in; or NULL: */
	uint32_t *nodes;   /* their nodes, */
	uint32_t *samples; /* and their numbers in the profile, where several may be one */
};

/*
 * Adds every sample of the collector's capture to 'profile', which has the collector's value types,
 * with labels as in profile.h and those of the sample's tag. A file that several processes have
 * mapped is one mapping, with the addresses of the first of them. Adds to *quality, counting
 * events. 0 or -ENOMEM with a sentence.
 */
int symbolize(const struct symbolize_options *options, struct profile *profile,
	      struct stack_quality *quality);
