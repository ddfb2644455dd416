/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_programs: which of the programs of bpf/file.bpf.c this kernel takes, and attaching them.
 * System calls are followed wherever the collector loads at all; the rest is done without where the
 * kernel lacks it, and said.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/collect/perf.h"

struct bpf_link;
struct file_bpf;

#define FILE_MAX_LINKS 8

/* What the kernel tells of requests of io_uring that complete: their address and */
enum file_completion { FILE_COMPLETION_NONE, FILE_COMPLETION_RESULT, FILE_COMPLETION_CQE };

/* What the running kernel has. */
struct file_kernel {
	/* Why something is not followed: a sentence without its stop, a literal; NULL: it is. */
	const char *no_faults, *no_fault_files, *no_uring, *no_touched;
	const char *submission; /* tracepoint of io_uring */
	enum file_completion completion;
};

/* Looks into the kernel's types. 0 or -errno with a sentence. */
int file_kernel_look(struct file_kernel *ret);

struct file_programs {
	struct file_bpf *skel; /* borrowed */
	struct file_kernel has;
	struct bpf_link *links[FILE_MAX_LINKS];
	unsigned int n_links;
	struct bpf_link **fault_links; /* by CPU; NULL: not open */
	size_t n_fault_links, fault_links_cap;
};

/*
 * Chooses, before the skeleton is loaded, the programs that fit the running kernel. With
 * 'only_calls' all but those of system calls are left out. 0 or -errno with a sentence. The
 * skeleton must be loaded then: libbpf 1.1 does not free all that this makes it read otherwise.
 */
int file_programs_choose(struct file_programs *p, struct file_bpf *skel, bool only_calls);

/* Attaches those that are loaded. 0 or -errno with a sentence. */
int file_programs_attach(struct file_programs *p);

/* CPUs have come or gone: each has its own event of page faults. 0 or -errno with a sentence. */
int file_programs_follow(struct file_programs *p, const struct cpu_set *online);

void file_programs_release(struct file_programs *p);
