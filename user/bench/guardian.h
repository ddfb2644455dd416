/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guardian: a process that ends a session if we are killed and cannot do so ourselves. The signal
 * that a child asks for at its parent's death (prctl(2), PR_SET_PDEATHSIG) does not reach what that
 * child has started.
 */
#pragma once

#include <sys/types.h>

struct guardian {
	pid_t pid; /* 0: none */
	int tell;  /* pipe to it, -1: none */
};

/* A child of ours until guardian_end(). 0 or -errno with a sentence. */
int guardian_start(struct guardian *ret);

/* Which session it is: to be told while its leader waits for us or is not waited for yet. 0 or
 * -errno with a sentence. */
int guardian_watch(struct guardian *g, pid_t session);

/* Nothing is to be ended any more. May be called again, and for { .tell = -1 }. */
void guardian_end(struct guardian *g);
