/* SPDX-License-Identifier: BSD-2-Clause */
/* replace: a file that is whole, or as it was. */
#pragma once

#include <stdio.h>

/* Writes all of it and flushes. 0 or -errno with a sentence. */
typedef int (*file_writer)(void *arg, FILE *out);

/*
 * Writes the file at 'path' under another name in its folder, and puts it into its place when it is
 * whole; it has the mode and the owner of the one that it replaces. A device or a pipe takes the
 * bytes as they are. A folder (-EISDIR) and a symbolic link (-ELOOP) are refused: following one may
 * lead anywhere. 'what' is for the sentence about a folder: "the picture". 0 or -errno with a
 * sentence.
 */
int file_replace(const char *path, const char *what, file_writer write, void *arg);
