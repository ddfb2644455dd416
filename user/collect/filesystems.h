/* SPDX-License-Identifier: BSD-2-Clause */
/* filesystems: mounted file systems by the device number of their super block. */
#pragma once

#include <stdint.h>

#include "user/base/cleanup.h"

/* Clean text on one line (str_add_clean); "" where nothing is known, as of file systems that only
 * another mount namespace has, or that are mounted nowhere (pipes, sockets, memfd). */
struct filesystem {
	uint32_t dev; /* see dev_number.h */
	char *type;   /* "ext4" */
	/* Where all of it is mounted, or else a part of it; of several places the shortest path. */
	char *mount_point;
	char *source; /* "/dev/vda1" */
};

struct filesystems;

/*
 * Reads a file as /proc/self/mountinfo (tests have others). One that cannot be read is no error:
 * then nothing is known of any file system. -ENOMEM with a sentence.
 */
int filesystems_new(const char *mountinfo, struct filesystems **ret);
void filesystems_free(struct filesystems *fs);
DEFINE_FREEP(struct filesystems, filesystems_free)

/*
 * Reads the file again: adds what is mounted now, and keeps what is not any more. A number that is
 * used again goes by what it is now. -ENOMEM with a sentence.
 */
int filesystems_refresh(struct filesystems *fs);

/*
 * The file system of a super block's device (sb->s_dev in the kernel). One that was never asked
 * for and is not known makes the file be read again. Never NULL on success; it lives as long as
 * 'fs', its strings until the next call. -ENOMEM with a sentence.
 */
int filesystems_resolve(struct filesystems *fs, uint32_t dev, const struct filesystem **ret);
