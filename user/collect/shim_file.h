/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shim_file: the library as a file that the dynamic loader of any user's program can map, and that
 * nobody but us can replace: in a fresh folder, whose parents belong to root and are not others' to
 * write to unless they are sticky, on a file system that may hold programs.
 */
#pragma once

#include "user/base/cleanup.h"

struct shim_file {
	char *folder; /* NULL: nothing was placed */
	char *path;   /* without spaces and colons, which LD_PRELOAD could not have */
};

/* In the first of /run, /var/lib, /tmp that will do; -errno with the sentence of the last one. */
int shim_file_place(struct shim_file *ret);

/* The same in the first that will do of 'parents', absolute paths with a NULL behind the last. */
int shim_file_place_in(const char *const *parents, struct shim_file *ret);

/* Removes it. Programs that have it mapped keep it; those that start later and have its path in
 * their environment say on stderr that it is not there, and run without. */
void shim_file_remove(struct shim_file *f);

/*
 * Leaves it there for those, and releases 'f'. *ret_sentence (the caller's) says so; -ENOMEM with
 * everything as it was.
 */
int shim_file_leave(struct shim_file *f, char **ret_sentence);
