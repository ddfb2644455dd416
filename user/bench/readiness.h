/* SPDX-License-Identifier: BSD-2-Clause */
/* readiness: when a command has started up. */
#pragma once

#include <limits.h>
#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "user/bench/scenario.h"

#define READINESS_LINE_MAX 8192 /* what is behind that in a line is not looked at */

struct readiness {
	const struct scenario_ready *wanted;
	uint64_t ready_ns; /* since the start; 0: not yet */
	char path[PATH_MAX];
	bool was_there; /* the file, before the start */
	ino_t inode;
	struct timespec changed;
	bool has_regex;
	regex_t regex;
	char line[READINESS_LINE_MAX + 1];
	size_t len;
};

/* Before the start. -EINVAL as pattern_compile(), -EADDRINUSE if the port is taken already,
 * with a sentence. */
int readiness_init(struct readiness *r, const struct scenario_case *c);
void readiness_release(struct readiness *r);

/* Looks for the file or the port; now or never if it is called after the end. */
void readiness_look(struct readiness *r, uint64_t elapsed_ns);

/* What has come from stdout. */
void readiness_output(struct readiness *r, const char *data, size_t len, uint64_t elapsed_ns);
