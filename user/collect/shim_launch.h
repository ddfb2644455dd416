/* SPDX-License-Identifier: BSD-2-Clause */
/* shim_launch: a command that is started with the library of allocations, and what is left of the
 * library when the recording ends. */
#pragma once

#include <stdbool.h>

#include "user/collect/alloc_settings.h"
#include "user/collect/shim_file.h"
#include "user/collect/shim_known.h"

struct shim_launch {
	struct shim_file file;
	struct shim_known known; /* where events are many; else nobody waits */
	char **environment;	 /* of the command; NULL: it goes without, */
	char *why_not;		 /* for this reason, a sentence */
};

/* 0, also if the command cannot have the library; -errno with a sentence. */
int shim_launch_prepare(const struct alloc_settings *settings, const char *command,
			struct shim_launch *ret);

/*
 * Removes the library, unless there are processes that have it: programs that they start will look
 * for it. *ret_sentence says so then, and is the caller's; else it is NULL.
 */
void shim_launch_release(struct shim_launch *l, char **ret_sentence);
