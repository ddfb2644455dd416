/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output_file: a file that a person named, written whole or left as it was. A device or a pipe
 * takes the bytes; a symbolic link or a folder in its place is refused.
 */
#pragma once

#include <stdio.h>

/* Writes the contents; 0 or -errno with a sentence. */
typedef int (*output_file_fn)(void *arg, FILE *out);

/* 0 or -errno with a sentence: -EISDIR, -ELOOP, or what 'write' or the file system said. */
int output_file_write(const char *path, output_file_fn write, void *arg);
