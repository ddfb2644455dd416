/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysfs: reading attributes and links below a root that need not be /sys. Links are read and
 * followed by hand, and only where they lead below that root's devices/.
 */
#pragma once

#include <stddef.h>

#define SYSFS_PATH_MAX 1024

/*
 * Where the link at 'dir'/'name' leads, as a path from the root: "devices/.../vda". 'dir' is a
 * path from the root without . and .. itself. -errno without a sentence: -ENOENT (no such link),
 * -EXDEV (an absolute target, or one that is not below devices/), -ENAMETOOLONG.
 */
int sysfs_follow(int root_fd, const char *dir, const char *name, char ret[SYSFS_PATH_MAX]);

/*
 * What is in an attribute, without the newline that ends it, in a block of the caller's; it may
 * have any bytes but NUL. 'path' is from 'dir_fd'. -errno without a sentence: -ENOENT, -EFBIG for
 * more than a page of 4096 bytes, -EINVAL for what is no regular file, -ENOMEM.
 */
int sysfs_read(int dir_fd, const char *path, char **ret);
