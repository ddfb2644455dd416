/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open_regular: opening files whose path somebody else controls. A file is looked at before it is
 * opened (O_PATH), because opening alone makes a FIFO wait and a device act.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * A descriptor for reading a regular file, close-on-exec, or -errno with a sentence: -EINVAL if it
 * is something else. A link as the last component is refused unless 'follow'; the links in /proc
 * need it.
 */
int open_regular(const char *path, bool follow);

/*
 * The same for an absolute path as process 'pid' sees it. Links cannot lead out of the process's
 * root (openat2, Linux 5.6).
 */
int open_regular_in(uint32_t pid, const char *path, bool follow);
