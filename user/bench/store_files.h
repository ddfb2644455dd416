/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_files: what a run folder's manifest.json (fathom.manifest/1) says is in it: to copy exactly
 * that, and to tell whether it is all there. Both the folder and the manifest are hostile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/base/cleanup.h"
#include "user/base/owner.h"

struct store_files;

/* 'name' is what the open folder is called in sentences. -ENOENT without a manifest, -EINVAL if it
 * is none or lists what cannot be in a run folder. */
int store_files_read(int folder, const char *name, struct store_files **ret);
void store_files_free(struct store_files *f);
DEFINE_FREEP(struct store_files, store_files_free)

/*
 * Copies the manifest and all files that it lists from 'folder' to the empty folder 'to', and gives
 * them to the owner; on the disk when it returns. -EINVAL with a sentence for a file that is not
 * what the manifest says. *ret_sha256 is the manifest's.
 */
int store_files_copy(const struct store_files *f, int folder, int to, const struct owner *owner,
		     char ret_sha256[65]);

/* Whether the folder's manifest has that digest and all files in it theirs. */
bool store_files_are_whole(int folder, const char *manifest_sha256);

/* A new file of 'len' bytes, given to the owner and on the disk. */
int store_file_write(int folder, const char *name, const void *data, size_t len,
		     const struct owner *owner);
