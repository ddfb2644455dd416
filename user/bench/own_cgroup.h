/* SPDX-License-Identifier: BSD-2-Clause */
/* own_cgroup: the cgroup (v2) of this process, and those above it as far as one can see them. */
#pragma once

/*
 * A folder at a time from the own one up to the mount's root; 'fn' may stop with other than 0,
 * which is returned. 'root' stands before /proc and before the mount: "" for this machine. 0 if
 * there is no such mount.
 */
typedef int (*own_cgroup_fn)(void *ctx, const char *folder);
int own_cgroup_each(const char *root, own_cgroup_fn fn, void *ctx);
