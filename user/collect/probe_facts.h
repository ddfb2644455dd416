/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_facts: what was found on this host, before it is judged. The parts of the probe share it;
 * others include probe.h.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "user/collect/probe.h"

/* One thing that was tried. */
struct probe_try {
	int err;	   /* 0 or -errno */
	const char *stage; /* literal: where it failed: "at load", "at attach", ... */
};

/* What is to be tried, and what it means if it fails. */
struct probe_row {
	const char *id, *group, *title;
	enum probe_need need;
	enum probe_state otherwise; /* the state if it fails */
	void (*run)(int arg, struct probe_try *ret);
	int arg;
	const char *done;    /* what to say if it went well */
	const char *meaning; /* and if not, beside the error */
	const char *mend;    /* where rights are not the cause; NULL if there is none */
};

#define PROBE_MAX_ROWS 40
#define PROBE_UNKNOWN  INT_MIN /* of a setting that cannot be read */
#define PROBE_TEXT     65

extern const struct probe_row probe_rows[];
extern const unsigned int probe_n_rows;

struct probe_facts {
	char release[PROBE_TEXT], machine[PROBE_TEXT], libbpf[PROBE_TEXT];
	uint64_t caps;	     /* effective, bit CAP_* of linux/capability.h */
	bool is_root;	     /* effective user ID 0, of whatever user namespace */
	bool initial_userns; /* capabilities count for bpf() only in the initial user namespace */
	int seccomp;	     /* of /proc/self/status: 0 none, 1 strict, 2 filter */
	int btf;	     /* 0 or -errno */
	uint64_t btf_bytes;
	char lockdown[PROBE_TEXT]; /* the mode in force, "" if there is no such file */
	int secure_boot;	   /* 1, 0, or PROBE_UNKNOWN without EFI variables */
	int paranoid, kptr_restrict, unprivileged_bpf_disabled, mlock_kb, max_sample_rate;
	int kallsyms; /* 0, -EACCES if it hides addresses, or another -errno */
	char tracefs[PATH_MAX], cgroup2[PATH_MAX]; /* where they are mounted, "" if nowhere */
	struct probe_try tries[PROBE_MAX_ROWS];	   /* of probe_rows[i] */
};

/*
 * Files below 'root' ("" for this host; tests have their own): settings, mounts, /proc/self/status.
 * What cannot be read is not known; nothing fails.
 */
void probe_facts_read(const char *root, struct probe_facts *facts);

/* Runs all rows, silencing libbpf meanwhile. */
void probe_facts_try(struct probe_facts *facts);

/* The report of these facts; depends on nothing else. */
int probe_judge(const struct probe_facts *facts, struct probe_report **ret);

/* Loads the cpu collector's own programs (arg 0), or those that follow processes (arg 1). */
void probe_collector(int arg, struct probe_try *ret);

#define PROBE_FILE_CALLS  0 /* the programs load */
#define PROBE_FILE_FAULTS 1 /* with these among them */
#define PROBE_FILE_URING  2
void probe_file(int what, struct probe_try *ret);

#define PROBE_IO_REQUESTS  0 /* the programs load and attach */
#define PROBE_IO_LINEAGE   1 /* with these among them */
#define PROBE_IO_WRITEBACK 2
void probe_io(int what, struct probe_try *ret);

#define PROBE_KMEM	    0 /* the programs load */
#define PROBE_KMEM_CACHES   1 /* and are told of caches */
#define PROBE_PAGEFAULT	    2 /* the programs load */
#define PROBE_PAGEFAULT_ALL 3 /* and tell of growth and kinds of memory */
#define PROBE_ALLOC	    4 /* the programs for the library load, and attach to it */
#define PROBE_ALLOC_LINKS   5 /* many uprobes in one link */
void probe_memory(int what, struct probe_try *ret);
