/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc_calls: the allocators of processes that run, or of a static program that will, watched by
 * probes on their functions (bpf/alloc_calls.bpf.h). For each process its allocators are found, it
 * is asked what the probes will cost it, and they are attached; for the processes that it starts,
 * too, as far as the collector is told of them. What a new process asks for before that is not
 * seen.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "user/collect/alloc_preflight.h"
#include "user/collect/allocators.h"
#include "user/collect/uprobes.h"

struct alloc_bpf;

struct alloc_calls_options {
	bool in_use;	 /* frees and returns as well */
	bool everyone;	 /* probes are for all processes with these files, not for each one */
	bool allow_slow; /* single-stepped ones, too */
	enum uprobes_way best_way; /* UPROBES_SESSION: whatever the kernel has */
	double max_slowdown;	   /* refuse more than that; 0: any */
	/* How many of the calls are sampled at most, 0 to 1, and what is done for each of these. */
	double sampled, kept_ns;
};

/* What was attached, for the summary. */
struct alloc_calls_counts {
	uint64_t processes; /* that were attached to, 0 with 'everyone' */
	uint64_t probes;
	uint64_t left_out;  /* functions that only a slow probe would see */
	uint64_t not_found; /* processes that were followed and have no allocator */
	uint64_t failed;    /* processes that were followed, where probes could not be put */
	uint64_t too_many;  /* allocators beyond those that 'everyone' may have */
	double slowdown;    /* the largest that was expected; 0: none was */
	double calls_per_s; /* of that process, when it was asked */
	enum uprobes_way way;
};

/* A process, or (pid 0) all, and its probes. */
struct alloc_calls_target {
	pid_t pid;
	struct uprobes probes;
	struct allocator_set set; /* whose probes they are; of all processes: see 'attached' */
};

struct alloc_calls {
	struct alloc_bpf *skel; /* borrowed */
	struct alloc_calls_options options;
	struct allocators files;
	struct alloc_calls_target *targets;
	size_t n_targets, cap;
	/* With 'everyone': whose probes are there. */
	const struct allocator **attached; /* owned by 'files' */
	size_t n_attached, attached_cap;
	struct alloc_costs costs;
	bool has_costs;
	struct alloc_calls_counts counts;
	char warning[256]; /* a sentence about a process that may not survive it, or "" */
};

/*
 * Before the skeleton is loaded: chooses the programs for these options, and turns the others of
 * bpf/alloc_calls.bpf.h off; all of them if 'options' is NULL. 0 or -errno with a sentence. To be
 * released in any case.
 */
int alloc_calls_choose(struct alloc_calls *c, struct alloc_bpf *skel,
		       const struct alloc_calls_options *options);

/*
 * Attaches to a process that runs. With a limit, its calls are counted first, which takes
 * ALLOC_PREFLIGHT_MS: -ECANCELED with a sentence if it would be slowed down by more. -ENOENT if it
 * has no allocator that is known, -ESRCH if it has ended, -EOPNOTSUPP if probes would be slow and
 * are not allowed, or another -errno; each with a sentence.
 */
int alloc_calls_attach(struct alloc_calls *c, pid_t pid);

/*
 * All that run, for 'everyone', when the calls of all have been counted: -ECANCELED as above. It is
 * no error if some have no allocator.
 */
int alloc_calls_attach_all(struct alloc_calls *c);

/*
 * Attaches to a static program that the process 'pid' is about to execute (launch.h). Its slowdown
 * is not known. -ENOENT with a sentence if it has no allocator of its own.
 */
int alloc_calls_attach_program(struct alloc_calls *c, pid_t pid, const char *path);

/*
 * A process has begun, or executed another program: attaches to it as it is now, without counting.
 * That it has no allocator, or is gone, or cannot have probes is counted and no error. Probes that
 * are where they are to be stay there: a program that executes itself loses no call.
 */
int alloc_calls_follow(struct alloc_calls *c, pid_t pid);
/* It has ended: its probes are given back. */
void alloc_calls_forget(struct alloc_calls *c, pid_t pid);

void alloc_calls_release(struct alloc_calls *c);
