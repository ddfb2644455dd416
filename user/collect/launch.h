/* SPDX-License-Identifier: BSD-2-Clause */
/* launch: a command that is started when everything is ready to watch it. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "user/model/summary.h"

struct launch {
	pid_t pid;	/* 0: nothing launched */
	int go;		/* write end of the pipe that the child waits on, -1 once it was let go */
	int failure;	/* read end of the pipe that tells why exec failed, -1 when closed */
	int pidfd;	/* becomes readable when it ends; -1 where there are none */
	bool has_ended; /* seen before launch_wait(), which is told of it */
	int status;
	uint64_t started_ns;	    /* CLOCK_MONOTONIC: when its first instruction could run */
	struct command_usage usage; /* once it has ended */
};

/*
 * Forks a child that waits before it executes 'argv'. Until launch_go() nothing of the command has
 * run. It has the signal mask and the limits of this moment, SIGPIPE ends it, and its environment
 * is 'environment', or fathom's own if that is NULL; it is looked for in fathom's PATH. 0 or -errno
 * with a sentence.
 */
int launch_prepare(char *const *argv, char *const *environment, struct launch *ret);

/*
 * Lets it go. -errno with a sentence if it could not be executed (-ENOENT, -EACCES ...). 'at_start'
 * is called when it has executed its program, before that program's first instruction, where it may
 * be stopped there (by root, if nothing forbids ptrace(2)); its error is returned. NULL: not
 * wanted.
 */
typedef int (*launch_fn)(void *ctx);
int launch_go(struct launch *l, const char *name, launch_fn at_start, void *ctx);

/*
 * Waits for the end for at most 'timeout_ms' (0: only looks, -1: for ever). 1 if it has ended, with
 * what a shell would call $? in *ret_status (128 + signal if it was killed); 0 if it still runs;
 * -errno.
 */
int launch_wait(struct launch *l, int timeout_ms, int *ret_status);

/* Ends it if it runs: SIGTERM, after two seconds SIGKILL. Then releases everything. */
void launch_stop(struct launch *l);
