/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_folder: the folder that a recording leaves: complete, or not there. It is filled under a
 * temporary name beside its place and renamed when it is whole. Under sudo all of it belongs to the
 * user who called sudo.
 *
 * The temporary name and what a recording that is killed leaves under it: staging.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "user/base/cleanup.h"

struct run_folder;

/*
 * Makes the temporary folder. -EEXIST if 'path' is there, unless 'force' and it is an old run
 * folder (its manifest.json is one of ours and lists all that is in it), which the new one will
 * replace: nothing else is ever removed. -EPERM if somebody else exchanged or filled the temporary
 * folder at once. -errno with a sentence.
 */
int run_folder_new(const char *path, bool force, struct run_folder **ret);

/* Removes the temporary folder unless it was finished. */
void run_folder_free(struct run_folder *rf);
DEFINE_FREEP(struct run_folder, run_folder_free)

/* Opens a new file in it; its name is remembered. run_folder_close() tells of what was not written.
 */
int run_folder_open(struct run_folder *rf, const char *name, FILE **ret);
int run_folder_close(struct run_folder *rf, FILE *f);

/* The same for bytes that are there already. */
int run_folder_write(struct run_folder *rf, const char *name, const void *data, size_t len);

/* The temporary folder, and the names of the files in it so far, in the order of their opening. */
int run_folder_fd(const struct run_folder *rf);
const char *const *run_folder_names(const struct run_folder *rf, size_t *ret_n);

/*
 * Puts the folder into its place; what stands there now is judged anew, as by run_folder_new(). If
 * it cannot, the temporary folder stays, and the sentence names it.
 */
int run_folder_finish(struct run_folder *rf);
