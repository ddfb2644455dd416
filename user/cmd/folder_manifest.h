/* SPDX-License-Identifier: BSD-2-Clause */
/* folder_manifest: the last file of a folder: what it holds and how it came to be. */
#pragma once

#include "user/cmd/run_folder.h"
#include "user/export/manifest.h"

/*
 * Writes manifest.json; 'argv' is fathom's own command line, from the command's name on. What 'm'
 * says of that and of libbpf is filled in; without a host, this one is read. 0 or -errno with a
 * sentence.
 */
int folder_manifest_write(struct run_folder *rf, struct manifest *m, int argc, char **argv);

/* Writes a JSON value, whose reference it takes; NULL is -ENOMEM. */
int folder_json_write(struct run_folder *rf, const char *name, json_t *json);
