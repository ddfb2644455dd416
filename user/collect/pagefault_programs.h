/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagefault_programs: which of the programs of bpf/pagefault.bpf.c this kernel takes, and the
 * events of page faults on each CPU.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/collect/perf.h"

struct btf;
struct bpf_link;
struct bpf_program;
struct pagefault_bpf;

/* What the running kernel has. */
struct pagefault_kernel {
	/* Why something is not known: a sentence without its stop, a literal; NULL: it is. */
	const char *no_memory_kind, *no_growth;
	bool tells_pages; /* the tracepoint of resident memory says how much there is now */
};

/* Looks into the kernel's types. 0 or -errno with a sentence. */
int pagefault_kernel_look(struct pagefault_kernel *ret);

/* Minor and major faults have an event each. */
#define PAGEFAULT_EVENTS 2

struct pagefault_programs {
	struct pagefault_bpf *skel; /* borrowed */
	struct pagefault_kernel has;
	uint64_t period; /* faults from one sample to the next */
	struct pagefault_cpu {
		int fds[PAGEFAULT_EVENTS]; /* the links' own; -1: not open */
		struct bpf_link *links[PAGEFAULT_EVENTS];
		uint64_t before[PAGEFAULT_EVENTS]; /* what they had counted at the start */
	} * cpus;				   /* by number */
	size_t n_cpus, cpus_cap;
	uint64_t of_closed[PAGEFAULT_EVENTS]; /* faults of CPUs that have gone */
};

/* Chooses, before the skeleton is loaded, the programs that fit the kernel in p->has. 0 or -errno
 * with a sentence. */
int pagefault_programs_choose(struct pagefault_programs *p, struct pagefault_bpf *skel);

/* CPUs have come or gone. 0 or -errno with a sentence. */
int pagefault_programs_follow(struct pagefault_programs *p, const struct cpu_set *online);

/* From here on faults are counted. */
void pagefault_programs_start(struct pagefault_programs *p);

/* Faults that the kernel has counted on all CPUs since: minor and major ones. */
void pagefault_programs_counted(const struct pagefault_programs *p, uint64_t ret[PAGEFAULT_EVENTS]);

void pagefault_programs_release(struct pagefault_programs *p);
