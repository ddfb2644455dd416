/* SPDX-License-Identifier: BSD-2-Clause */
/* lines_child: the process that reads debug information (lines_worker.h), after its fork. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct lines_child_limits {
	pid_t parent;
	uint64_t memory_bytes; /* of address space, on top of what the parent has */
	uint64_t cpu_ns;       /* UINT64_MAX: no limit */
};

/* Answers requests on the socket until that is closed, in the cage of lines_cage.h. */
void lines_child_run(int socket, const struct lines_child_limits *limits) __attribute__((noreturn));
