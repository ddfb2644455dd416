/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command: runs one command from start to end, in a session of its own, watched, and with nothing
 * of it left afterwards. This process has to be a subreaper (process_tree.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "user/base/str.h"
#include "user/bench/counters.h"
#include "user/bench/process_tree.h"

/* What it writes to stdout or stderr beyond that ends it. Plus what it writes within 20 ms. */
#define COMMAND_OUTPUT_MAX (64u << 20)

enum command_end {
	COMMAND_EXITED,	 /* by itself */
	COMMAND_STOPPED, /* the watch wanted it so: SIGTERM, SIGKILL after two seconds; only SIGTERM
			    to what runs 'instead', which has until the timeout */
	COMMAND_KILLED,	 /* the watch again */
	COMMAND_TIMED_OUT,   /* killed */
	COMMAND_FLOODED,     /* killed: more output than COMMAND_OUTPUT_MAX */
	COMMAND_INTERRUPTED, /* killed: 'stop_fd' has become readable */
};

enum command_wish { WISH_GO_ON, WISH_STOP, WISH_KILL };

/* How it is doing at this moment. */
struct command_look {
	pid_t pid;
	uint64_t elapsed_ns;
	const struct process_tree *tree;
};

struct command_options {
	char *const *argv; /* looked for in the PATH of 'environment' */
	/* Instead of executing it: called in the child, which ends with what it returns. */
	int (*instead)(void *ctx);
	void *instead_ctx;
	const char *workdir;	  /* NULL: ours */
	char *const *environment; /* NULL: ours */
	const char *out, *err;	  /* files that are made for its stdout and stderr, 0600 */
	uint64_t timeout_ns;	  /* 0: none */
	int stop_fd;		  /* -1: none */
	bool is_counted;	  /* by the CPU */
	/* Is asked now and then: at the latest after *next_ns (in: 20 ms). NULL: nobody watches. */
	enum command_wish (*look)(void *ctx, const struct command_look *look, uint64_t *next_ns);
	/* Given what comes from stdout, piece by piece. NULL: it writes to the file itself. */
	void (*output)(void *ctx, const char *data, size_t len, uint64_t elapsed_ns);
	void *watch_ctx;
};

struct command_result {
	enum command_end end;
	int status;	   /* as a shell's $? */
	uint64_t start_ns; /* CLOCK_MONOTONIC, before it executed */
	uint64_t wall_ns;  /* until it ended */
	/* Of it and all that it has started. The largest resident set is at least ours at the
	 * start, if that was less than 8 MiB; if it was more, one that is smaller is only as exact
	 * as it could be seen every 20 ms, and -1 for a command that was too short for that. */
	struct rusage usage;
	double counters[COUNTERS];
};

/*
 * 0 if it has run, however that ended; -errno with a sentence if it could not be started (-ENOENT,
 * -EACCES ...), or not be ended.
 */
int command_run(const struct command_options *o, struct command_result *ret);

/* Adds ": " and the last lines of a file on one line, clean and at most 400 bytes; nothing if it is
 * empty or cannot be read. 0 or -ENOMEM. */
int command_quote(struct str *s, const char *path);
