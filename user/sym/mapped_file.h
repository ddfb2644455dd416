/* SPDX-License-Identifier: BSD-2-Clause */
/* mapped_file: the file behind a mapping, found again and recognized. */
#pragma once

#include <stddef.h>

#include "user/sym/sym.h"

/*
 * A descriptor of the regular file that 'm' maps, or -errno with a sentence. Tried in this order:
 * /proc/PID/map_files, the path in the process's root and in ours, /proc/PID/exe. A file is the
 * right one if its build ID is the mapping's or, where one of the two has none, its inode, the
 * inode's generation and its device are (the device not on btrfs and overlayfs, which show
 * another one to stat(2)). A mapping of which neither is known takes what has its path.
 */
int mapped_file_open(const struct sym_mapping *m);

/* Length of a mapping's path without the " (deleted)" that the kernel puts behind it. */
size_t mapped_file_path_len(const char *path);
