/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file: the collector of file operations: how long they take as their threads see them, kept by
 * bpf/file.bpf.c by path, file system, operation and user stack. Its values: operations,
 * nanoseconds, bytes, and operations that reached a block device.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/collect/cgroup.h"
#include "user/collect/collector.h"
#include "user/collect/target.h"
#include "user/collect/unwinder.h"

struct file_options {
	const char *const *paths;   /* globs; any may match. Only these files */
	size_t n_paths;		    /* 0: all */
	uint64_t slower_ns;	    /* slower operations are kept one by one; 0: none is */
	uint64_t stack_min_ns;	    /* faster ones are kept without their stacks */
	unsigned int table_entries; /* of stacks, and four times as many tallies; 0: fitting */
	struct unwinder *unwinder;  /* borrowed; NULL: user stacks by frame pointers */
	uint64_t slot_ns;	    /* of time, by which events are counted; 0: all together */
	struct cgroups *cgroups;    /* borrowed */
};

/* Loads and attaches; nothing is counted yet. -errno with a sentence. */
int file_collector_new(const struct file_options *options, const struct target *target,
		       struct collector **ret);
