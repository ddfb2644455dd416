/* SPDX-License-Identifier: BSD-2-Clause */
/* scratch: private folders that go away with all that is in them. */
#pragma once

/* A new folder, 0700, "PARENT/PREFIX-XXXXXX", whose path is the caller's. -errno with a sentence.
 */
int scratch_make(const char *parent, const char *prefix, char **ret);

/*
 * Removes it. Symbolic links in it are removed and not followed, other file systems are not
 * entered. -errno with a sentence if something is left.
 */
int scratch_remove(const char *path);
