/* SPDX-License-Identifier: BSD-2-Clause */
/* shim_env: the environment of a command that is to have the library (shim/settings.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/base/cleanup.h"

#define SHIM_MAX_INTERVAL_BYTES (1ull << 40)

struct shim_settings {
	uint64_t interval_bytes; /* mean, 1 to SHIM_MAX_INTERVAL_BYTES; 1: every block */
	uint64_t seed;
	bool has_seed;	   /* else each process has random ones */
	bool maps;	   /* anonymous mappings as well */
	const char *known; /* path of the file of shim_known; NULL: none */
	bool follow;	   /* programs that the command starts have it, too */
};

/*
 * A copy of 'environment' with 'library' before what LD_PRELOAD says already, and with the
 * settings; and, since children with gcc's AddressSanitizer end at once when another library is
 * before it, with verify_asan_link_order=0 behind what ASAN_OPTIONS says. To be freed with
 * shim_env_free(). -EINVAL: the interval; -ENOMEM; with a sentence.
 */
int shim_env_make(const struct shim_settings *settings, const char *library,
		  char *const *environment, char ***ret);
void shim_env_free(char **environment);
DEFINE_FREEP(char *, shim_env_free)
