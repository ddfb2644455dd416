/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc: the collector of memory that processes ask for and give back, counted by bpf/alloc.bpf.c
 * by process and stack. Its values: enum memory_value. A command that fathom starts tells of
 * sampled blocks by a library that it is given (shim/alloc.c); of other processes the allocator's
 * functions are probed.
 */
#pragma once

#include "user/collect/alloc_settings.h"
#include "user/collect/collector.h"
#include "user/collect/shim_known.h"
#include "user/collect/target.h"
#include "user/collect/unwinder.h"

struct alloc_options {
	const struct alloc_settings *settings;
	unsigned int table_entries; /* of stacks, and four times as many sites; 0: fitting */
	struct unwinder *unwinder;  /* borrowed; NULL: user stacks by frame pointers */
	const char *shim_path;	    /* of the library; NULL: allocators are probed: */
	const uint32_t *pids;	    /* of these, */
	size_t n_pids;
	uint32_t command;	  /* or of this one, which waits for its exec, */
	const char *command_path; /* as it was given; */
	/* or of all. */
	void (*warn)(void *ctx, const char *sentence); /* NULL: not wanted */
	void *warn_ctx;
	/* Where processes wait until they are known; borrowed. */
	struct shim_known *known;
	const struct sideband *sideband;
};

/* Loads and attaches; nothing is counted yet. -errno with a sentence. */
int alloc_collector_new(const struct alloc_options *options, const struct target *target,
			struct collector **ret);
