/* SPDX-License-Identifier: BSD-2-Clause */
/* hook: what a scenario runs beside what it measures: setup, teardown, before_each, verify. */
#pragma once

#include <stdint.h>

#include "user/bench/scenario.h"

struct hook_options {
	const char *name;   /* "setup", for the sentence */
	char *const *words; /* NULL: nothing to do */
	const char *workdir;
	char *const *environment; /* as command_environment() makes it */
	const char *folder;	  /* private: what it writes is kept there meanwhile */
	uint64_t timeout_ns;
	int stop_fd; /* as in command.h */
};

enum hook_end { HOOK_DONE, HOOK_FAILED, HOOK_INTERRUPTED };

/* *ret_message is the caller's: a sentence with the last of what it said, NULL if it is done. 0 or
 * -ENOMEM. */
int hook_run(const struct hook_options *o, enum hook_end *ret, char **ret_message);

/*
 * Ours, with the case's variables over it, and FATHOM_SCENARIO, FATHOM_CASE and, unless 'number' is
 * negative, FATHOM_REPETITION. In one block of the caller's, NULL-terminated. 0 or -ENOMEM.
 */
int command_environment(const char *scenario, const struct scenario_case *c, long number,
			char ***ret);
