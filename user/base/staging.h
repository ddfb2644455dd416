/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * staging: folders and files that are filled under a temporary name and then put into their place,
 * so that they are complete or not there. The names are random, '.fathom-<16 hexadecimal
 * digits>.tmp': a PID would not do, each PID namespace has its own. What a killed program leaves
 * behind under such a name is never removed: it may be that of one that goes on elsewhere.
 */
#pragma once

#include <dirent.h>

#define STAGING_NAME_SIZE 32

/*
 * Makes an empty folder in the one open as 'parent', and opens it. Returns a descriptor, or -errno
 * with a sentence in which 'path' is what the folder is for; -EPERM if somebody else exchanged or
 * filled it at once. 'ret_name' is filled if it is the caller's to remove from then on.
 */
int staging_make(int parent, const char *path, char ret_name[STAGING_NAME_SIZE]);

/* The same for a file to be written. */
int staging_make_file(int parent, const char *path, char ret_name[STAGING_NAME_SIZE]);

/* Removes a folder of plain files. Best effort: what is not ours to remove stays. */
void staging_remove(int parent, const char *name);

/*
 * Renames; what stands there is not replaced. 0, or -1 with errno, EEXIST for that. On file systems
 * that do not know renameat2(2)'s flags (NFS, FUSE) somebody may come in between.
 */
int staging_put(int parent, const char *temporary, const char *name);

/* A folder to be listed, NULL with errno; a link in its place is not followed. */
DIR *staging_list(int parent, const char *name);
