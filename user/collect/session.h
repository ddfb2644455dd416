/* SPDX-License-Identifier: BSD-2-Clause */
/* session: one recording from start to end, with everything that takes part in it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/collect/alloc_settings.h"
#include "user/collect/io.h"
#include "user/collect/perf.h"
#include "user/collect/target.h"
#include "user/model/profile.h"
#include "user/model/summary.h"
#include "user/sym/sym.h"

struct session_progress {
	uint64_t elapsed_ns;
	uint64_t kept, lost;
};

/* Slots of time, and collectors whose events are told apart by them: what is in use has no time. */
#define SESSION_MIN_SLOT_NS	1000000ull
#define SESSION_MAX_SLOT_NS	1000000000ull
#define SESSION_DEFAULT_SLOT_NS 20000000ull
#define SESSION_TIMED		(SESSION_CPU | SESSION_IO | SESSION_FILE | SESSION_PAGEFAULT)

/* Collectors, in the order in which they stand in a summary. */
#define SESSION_CPU	   (1u << 0)
#define SESSION_IO	   (1u << 1)
#define SESSION_FILE	   (1u << 2)
#define SESSION_ALLOC	   (1u << 3)
#define SESSION_PAGEFAULT  (1u << 4)
#define SESSION_KMEM	   (1u << 5)
#define SESSION_COLLECTORS 6

struct session_options {
	unsigned int collectors;      /* SESSION_* */
	struct target_options target; /* 'command' is filled in by the session */
	enum sample_event event;
	unsigned int rate_hz;
	const struct cpu_set *cpus; /* NULL: all */
	bool keep_idle;
	bool whole_machine;	    /* although a command is given */
	unsigned int table_entries; /* 0: fitting */
	const char *const *paths;   /* globs: only operations on such files; NULL: all */
	size_t n_paths;
	bool frame_pointers;	  /* user stacks by these alone, not by tables */
	uint64_t slower_ns;	  /* operations that take longer are listed; 0: none */
	enum io_weight io_weight; /* what is shown of block I/O when nothing is asked for */
	struct alloc_settings alloc;
	uint64_t unwind_memory_bytes; /* for tables and lists, at most */
	uint64_t slot_ns;	      /* of time, by which events are told apart; 0: they are not */
	uint64_t duration_ns;	      /* 0: until a signal or the end of what is watched */
	char *const *command;	      /* NULL: none */
	enum demangle demangle;
	bool no_inline;	       /* neither inlined functions nor source lines */
	uint64_t lines_cpu_ns; /* that these may cost; 0: the default of user/sym */
	bool java_perfmap;     /* JVMs are asked for the names of what they compiled */
	uint64_t began_ns;     /* CLOCK_MONOTONIC: when the program started */
	/* Called about once a second; NULL: not wanted. */
	void (*progress)(void *ctx, const struct session_progress *progress);
	void (*warn)(void *ctx, const char *sentence); /* what is worth knowing; NULL: not wanted */
	void *ctx;
};

struct recorded {
	struct run_summary summary; /* without the host and the command line */
	struct profile *profiles[SUMMARY_MAX_COLLECTORS]; /* owned; of its collectors */
};
void recorded_release(struct recorded *r);

/*
 * Records until the duration is over, SIGINT or SIGTERM comes, the command ends, or all processes
 * asked for by PID or TID are gone; none of these is an error. The command is stopped if it still
 * runs. -errno with a sentence.
 */
int session_record(const struct session_options *options, struct recorded *ret);

/* Version of the libbpf that is linked, as it says itself: "v1.1". */
const char *session_libbpf_version(void);
