/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file: reading files that others may have prepared, and leaving a folder that is complete or
 * not there. The program is root: a path that another user controls is opened without following
 * a last symbolic link, without blocking on a FIFO, and only if it is a regular file.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Opens a regular file for reading, close-on-exec. FILE_HOSTILE also refuses a symbolic link as
 * the last component. Returns a descriptor, or -errno with a sentence (-EINVAL: not a regular
 * file; -ELOOP: a symbolic link).
 */
enum { FILE_TRUSTED = 0, FILE_HOSTILE = 1 };
int file_open(const char *path, int how);

/* The same, always FILE_HOSTILE, for a name in the folder open as 'dir'; 'name' has no '/'. */
int file_open_at(int dir, const char *name);

/*
 * Reads all that is left in 'fd' into a block of the caller's, with a NUL behind it that *ret_len
 * does not count. More than 'max' bytes is -EFBIG. 'name' is for the sentence.
 */
int file_read_fd(int fd, const char *name, size_t max, char **ret, size_t *ret_len);

/* The same for a path; "-" is not special. Reads pseudo files (/proc, /sys) too. */
int file_read(const char *path, size_t max, char **ret, size_t *ret_len);

/* All of the small pseudo file FOLDER/NAME, at most 1 MiB, in a block of the caller's; NULL if
 * there is none. */
char *file_text_in(const char *folder, const char *name);

/* First line of a small pseudo file, without its newline, in a block of the caller's. */
int file_read_line(const char *path, char **ret);

/* Writes all 'len' bytes. 0 or -errno with a sentence. */
int file_write_all(int fd, const char *name, const void *data, size_t len);

/* SHA-256 as 64 hexadecimal digits and a NUL, of all of the file from its start. FIPS 180-4. */
int file_sha256(int fd, const char *name, char ret[65]);

/* The same of a block in memory. */
void bytes_sha256(const void *data, size_t len, char ret[65]);
