/* SPDX-License-Identifier: BSD-2-Clause */
/* manifest: what a run folder holds and how it came to be, schema fathom.manifest/1. */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "user/model/summary.h"

#define MANIFEST_SCHEMA "fathom.manifest/1"

/* Strings and lists are the caller's. */
struct manifest {
	uint64_t created_ns;	    /* wall clock, since 1970; 0 is null */
	char *const *command_line;  /* fathom's own, NULL-terminated */
	char *const *command;	    /* the measured one, NULL-terminated; NULL if there was none */
	int exit_status;	    /* of it, as in run_summary; -1 is null */
	const char *libbpf_version; /* as libbpf says it, "v1.1"; NULL if it was not used */
	const struct host_info *host;
};

/*
 * Makes the manifest of the files named, which lie in the folder open as 'dir_fd'; their size and
 * SHA-256 are computed here, and stand in the order given. Names have no '/'; links and what is no
 * regular file are -ELOOP and -EINVAL. *ret is a new reference. 0 or -errno with a sentence.
 */
int manifest_json(const struct manifest *m, int dir_fd, const char *const *files, size_t n_files,
		  json_t **ret);
