/* SPDX-License-Identifier: BSD-2-Clause */
/* mountinfo: the mounts that a process sees, from /proc/PID/mountinfo (proc(5)). */
#pragma once

#include <stdint.h>

/* Strings have their escapes undone and live until the function that was given them returns. */
struct mountinfo {
	uint32_t dev;	  /* of the super block, see dev_number.h; st_dev may differ on btrfs */
	const char *root; /* what of the file system is mounted; "/" is all of it */
	const char *mount_point;
	const char *type;   /* "ext4"; "fuse.sshfs" has its subtype */
	const char *source; /* "/dev/vda", or whatever mount(2) was told */
};

/* Not 0 ends the reading. */
typedef int (*mountinfo_fn)(void *ctx, const struct mountinfo *m);

/*
 * Hands each mount of the file to 'fn' in the file's order, a later one over an earlier one. Lines
 * that are not of that form are skipped. 0, what 'fn' returned, or with a sentence -errno of the
 * opening, -E2BIG (more than 2^18 lines; the kernel's fs.mount-max is 100,000).
 */
int mountinfo_read(const char *path, mountinfo_fn fn, void *ctx);
