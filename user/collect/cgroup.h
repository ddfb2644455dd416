/* SPDX-License-Identifier: BSD-2-Clause */
/* cgroup: IDs of the cgroup2 hierarchy to paths, and back. */
#pragma once

#include <stdint.h>

#include "user/base/cleanup.h"

struct cgroups;

/* Finds the cgroup2 mount in /proc/self/mountinfo; without one, all IDs go by their numbers. */
int cgroups_new(struct cgroups **ret);
void cgroups_free(struct cgroups *cg);
DEFINE_FREEP(struct cgroups, cgroups_free)

/* Where cgroup2 is mounted, or NULL. */
const char *cgroups_mount(const struct cgroups *cg);

/*
 * The path below the mount ("/" for its root), or "cgroup:ID" once it is gone. Remembered, so that
 * it can be asked for early. Valid until the next call; "" if there is no memory.
 */
const char *cgroups_path(struct cgroups *cg, uint64_t id);

/*
 * Opens a cgroup folder for a filter: a path, or one relative to the mount. -ENOENT, -EINVAL (not
 * in cgroup2) with a sentence.
 */
int cgroups_open(const struct cgroups *cg, const char *path);
