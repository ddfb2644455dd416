/* SPDX-License-Identifier: BSD-2-Clause */
/* session: one recording from start to end, with everything that takes part in it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/collect/perf.h"
#include "user/collect/target.h"
#include "user/model/profile.h"
#include "user/model/summary.h"
#include "user/sym/sym.h"

struct session_progress {
	uint64_t elapsed_ns;
	uint64_t kept, lost;
};

struct session_options {
	struct target_options target; /* 'command' is filled in by the session */
	enum sample_event event;
	unsigned int rate_hz;
	const struct cpu_set *cpus; /* NULL: all */
	bool keep_idle;
	bool whole_machine;	      /* although a command is given */
	unsigned int table_entries;   /* 0: fitting */
	bool frame_pointers;	      /* user stacks by these alone, not by tables */
	uint64_t unwind_memory_bytes; /* for tables and lists, at most */
	uint64_t duration_ns;	      /* 0: until a signal or the end of what is watched */
	char *const *command;	      /* NULL: none */
	enum demangle demangle;
	bool no_inline;	       /* neither inlined functions nor source lines */
	uint64_t lines_cpu_ns; /* that these may cost; 0: the default of user/sym */
	bool java_perfmap;     /* JVMs are asked for the names of what they compiled */
	uint64_t began_ns;     /* CLOCK_MONOTONIC: when the program started */
	/* Called about once a second; NULL: not wanted. */
	void (*progress)(void *ctx, const struct session_progress *progress);
	void *ctx;
};

/*
 * Records until the duration is over, SIGINT or SIGTERM comes, the command ends, or all processes
 * asked for by PID or TID are gone; none of these is an error. The command is stopped if it still
 * runs. Fills in everything of 'ret_summary' but the host and the command line, and leaves it to
 * run_summary_release(). -errno with a sentence.
 */
int session_record(const struct session_options *options, struct run_summary *ret_summary,
		   struct profile **ret_profile);

/* Version of the libbpf that is linked, as it says itself: "v1.1". */
const char *session_libbpf_version(void);
