/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * summary: what is known of a recording beside its stacks: host, target, ledger, cost, quality.
 * Strings are owned (malloc) unless said otherwise; NULL means not known, and so does a negative
 * number where it says so.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/model/latency.h"
#include "user/model/ledger.h"
#include "user/model/memory.h"

struct host_info {
	char *kernel;	    /* uname -r */
	char *architecture; /* uname -m */
	char *cpu_model;
	char *governor;	      /* of CPU 0 */
	char *virtualization; /* "kvm", "docker", ...; "none" on bare metal as far as one can see */
	char *fathom_version;
	unsigned int cpus_online;
	uint64_t memory_bytes;
};

/* Cost of one collector. */
struct cost {
	int64_t kernel_ns; /* in the BPF programs; -1 if run-time statistics were not allowed */
	uint64_t kernel_runs;
	int64_t following_ns; /* in the programs that follow processes; -1 likewise */
	uint64_t map_bytes;   /* kernel memory of the maps */
	uint64_t loader_cpu_ns;
	uint64_t loader_rss_bytes; /* peak */
	uint64_t start_ns; /* from the start of the program to the first event that may fire */
};

#define STACK_ENDS 9 /* see enum stack_end */

/* How the walk of a user stack ended. The kernel side counts the same (bpf/wire.h asserts it). */
enum stack_end {
	STACK_END_NONE,	    /* there is no user stack (kernel thread) */
	STACK_END_ROOT,	    /* the walk reached the outermost frame */
	STACK_END_DEPTH,    /* the depth limit */
	STACK_END_NO_TABLE, /* no unwind table yet */
	STACK_END_UNKNOWN_MAPPING,
	STACK_END_READ_FAILED, /* stack memory could not be read */
	STACK_END_RULE_UNSUPPORTED,
	STACK_END_NO_CFI,
	STACK_END_FRAME_POINTER, /* the frame-pointer chain broke off */
};
extern const char *const stack_end_names[STACK_ENDS]; /* "root_reached", ... */

/* Quality of the stacks that were kept, in samples. */
struct stack_quality {
	uint64_t complete;  /* user and kernel part reach their root */
	uint64_t truncated; /* all others */
	uint64_t unnamed;   /* with at least one frame that has no name */
	uint64_t ended[STACK_ENDS];
};

/* What unwinding by tables has taken and met. */
struct unwind_summary {
	bool is_on;	       /* false: user stacks are by frame pointers alone */
	uint64_t memory_bytes; /* kernel memory for tables and lists */
	uint64_t tables;       /* at the end, with rules: table_bytes */
	uint64_t table_bytes;
	uint64_t table_ns;	/* loader CPU time: making them */
	uint64_t loader_ns;	/* and with it all late work */
	uint64_t deferred;	/* samples that were unwound late */
	uint64_t files_without; /* files without call frame information */
	uint64_t files_failed;	/* that could not be read, or are broken as a whole */
	uint64_t
		entries_broken; /* of call frame information, left out because they are malformed */
	uint64_t tables_full;	/* files whose table had no room, */
	uint64_t lists_full;	/* and lists of what a process has mapped */
	uint64_t tables_evicted;
};

/* Where names and lines came from, and what of that was left out. */
struct name_quality {
	uint64_t addresses; /* distinct ones in files, whose source lines were looked for */
	uint64_t with_lines;
	uint64_t with_inlined;
	uint64_t over_budget; /* left without, to bound what it costs */
	uint64_t debuginfod_found, debuginfod_missing, debuginfod_failed; /* files */
	uint64_t java_maps, java_failed; /* perf maps that JVMs were asked for, and did not write */
	uint64_t worker_cpu_ns;		 /* of processes of ours that read lines */
};

#define SUMMARY_MAX_NOTES 16

struct collector_summary {
	const char *name;  /* literal: "cpu" */
	const char *title; /* literal, of its pictures: "CPU time" */
	char *event;	   /* "cpu-clock", "cycles" */
	unsigned int rate_hz;
	struct ledger ledger;
	struct cost cost;
	struct stack_quality stacks;
	struct unwind_summary unwind;
	unsigned int cpus_sampled; /* CPUs that had a sampling event */
	uint64_t cpus_failed;	   /* times that a CPU came online and could not be given one */
	uint64_t targets_lost;	   /* processes that should have been followed, but did not fit */
	uint64_t ticks_missed; /* timer ticks that the host did not deliver in time; no event fired
				*/
	uint64_t sideband_records; /* mapping and process records read */
	uint64_t sideband_lost;	   /* and lost: they cost names, not events */
	uint64_t sideband_dropped; /* and read, but beyond the limits of what is kept */
	uint64_t files_failed;	   /* files whose symbols could not be read */
	uint64_t slot_ns; /* of time, by which its events are told apart; 0: they are not */
	uint64_t untimed; /* events that are kept without their time, for want of room */
	struct collector_note {
		const char *name; /* literal: "paths_cut" */
		uint64_t n;
		const char *text;   /* literal: a sentence instead of the number; NULL: none */
	} notes[SUMMARY_MAX_NOTES]; /* what else it met and counted, beside the ledger */
	unsigned int n_notes;
	struct name_quality names;
	struct latency *latency; /* owned; NULL: it does not measure latencies */
	struct memory *memory;	 /* owned; NULL: it does not follow memory */
};

/* Beyond SUMMARY_MAX_NOTES nothing is added. */
void summary_add_note(struct collector_summary *c, const char *name, uint64_t n, const char *text);

#define SUMMARY_MAX_COLLECTORS 8

/* What the command took, with those of its children that it waited for; up to its end, be it that
 * fathom ended it. */
struct command_usage {
	uint64_t wall_ns; /* from its first instruction to its end */
	uint64_t user_ns, system_ns;
	uint64_t max_rss_bytes; /* of the largest of them */
};

struct run_summary {
	struct host_info host;
	char **command;	   /* what was started, NULL-terminated; NULL if nothing was */
	char *target;	   /* in words: "whole machine", "PID 12, 14 and children" */
	uint64_t start_ns; /* wall clock, since 1970 */
	uint64_t span_ns;  /* from the first enabled event to the last disabled */
	int exit_status;   /* of the command: as a shell's $?; -1 if nothing was started or it was
			      stopped by us */
	struct command_usage usage;
	struct collector_summary collectors[SUMMARY_MAX_COLLECTORS];
	unsigned int n_collectors;
};

void run_summary_release(struct run_summary *s);

/* Fills in what /proc, /sys and uname say of this host. 0 or -ENOMEM; what is unknown stays NULL.
 */
int host_info_read(struct host_info *host);
