/* SPDX-License-Identifier: BSD-2-Clause */
/* profile_files: a profile as it lies in a run folder: folded stacks, pprof and flame graph. */
#pragma once

#include <stdio.h>

#include "user/cmd/run_folder.h"
#include "user/model/profile.h"
#include "user/model/view.h"

/* All is the caller's. */
struct profile_files {
	struct view view;
	const char *name;	      /* of the files, before ".folded", ".pb.gz" and ".svg" */
	const char *title, *subtitle; /* of the flame graph */
	const struct profile *p;
	struct run_folder *rf;
};

/* Writes the three. 0 or -errno with a sentence. */
int profile_files_write(const struct profile_files *f);

/* Opens another file of that name. */
int profile_files_open(const struct profile_files *f, const char *suffix, FILE **ret);
