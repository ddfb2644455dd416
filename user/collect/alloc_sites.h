/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc_sites: what the programs that include bpf/alloc_account.bpf.h have counted, by site: read
 * in the end, and of processes that have ended whenever the kernel's tables fill up. Then it
 * becomes values (enum memory_value) of a capture, and a struct memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "bpf/alloc_wire.h"
#include "user/base/keyset.h"
#include "user/collect/capture.h"
#include "user/collect/stack_book.h"
#include "user/model/memory.h"

struct bpf_map;

struct alloc_sites_options {
	const struct bpf_map *sites, *blocks, *processes, *hists;
	struct ft_alloc_state *state; /* the programs' */
	bool of_kernel;		      /* the memory is the kernel's, whoever asks for it */
	uint64_t interval_bytes;
	uint64_t min_age_ns; /* blocks of processes that live are leaked from then on */
	/* The tag of a sample of that kind and detail; NULL: 0. A negative one is an error. */
	int64_t (*tag)(void *ctx, const struct ft_alloc_site_key *key);
	void *ctx;
};

/* A part of a loaded skeleton's options. */
#define ALLOC_SITES_OF(skel)                                              \
	.sites = (skel)->maps.sites, .blocks = (skel)->maps.blocks,       \
	.processes = (skel)->maps.processes, .hists = (skel)->maps.hists, \
	.state = &(skel)->bss->state

struct alloc_sums {
	uint64_t objects, bytes; /* objects in units of 2^-FT_ALLOC_WEIGHT_BITS */
};

struct alloc_sites {
	struct alloc_sites_options o;
	struct keyset leaking;	   /* hashes of sites that have leaked blocks, */
	struct alloc_sums *leaked; /* and what these are */
	size_t leaked_cap;
	struct keyset ended;   /* processes: struct ft_alloc_process_key */
	uint64_t *ended_peaks; /* state.peak when they ended */
	size_t ended_peaks_cap;
	struct ft_alloc_site *gone; /* of processes that have ended */
	uint64_t *gone_hashes;
	size_t n_gone, gone_cap, gone_hashes_cap;
	uint64_t ended_seen;   /* of state.processes_ended */
	uint64_t next_tick_ns; /* CLOCK_MONOTONIC: not before that */
};

void alloc_sites_init(struct alloc_sites *s, const struct alloc_sites_options *options);
void alloc_sites_release(struct alloc_sites *s);

/*
 * For sample_tables: a tally of blocks, whose key is that of a site, as a sample of the capture. 0
 * or -errno with a sentence.
 */
int alloc_sites_tally(const struct alloc_sites *s, struct capture *capture, const void *key,
		      const void *value, const struct stack_entry *user,
		      const struct stack_entry *kernel);

/* Takes what belongs to processes that have ended (of_kernel: and is not in use) out of the
 * kernel's tables, if they fill up. 0 or -errno with a sentence. */
int alloc_sites_tick(struct alloc_sites *s);

/*
 * After the last event: adds the values of all sites to the samples of their stacks, which are in
 * the book (what is not there is lost, and was counted), and makes what else is known. start_ns:
 * when the recording began. 0 or -errno with a sentence; *ret is the caller's to free.
 */
int alloc_sites_finish(struct alloc_sites *s, const struct stack_book *book,
		       struct capture *capture, uint64_t start_ns, struct memory **ret);

/* For a collector of memory: sizes the tables of a skeleton that is not loaded yet. */
#define ALLOC_SITES_STACKS 16384u
#define ALLOC_SITES_BLOCKS 1048576u
#define ALLOC_SITES_SIZE(skel, n_stacks, n_blocks, ret)                                     \
	do {                                                                                \
		(ret) = bpf_map__set_max_entries((skel)->maps.stacks_0, (n_stacks)) ||      \
			bpf_map__set_max_entries((skel)->maps.stacks_1, (n_stacks)) ||      \
			bpf_map__set_max_entries((skel)->maps.tallies_0, 4 * (n_stacks)) || \
			bpf_map__set_max_entries((skel)->maps.tallies_1, 4 * (n_stacks)) || \
			bpf_map__set_max_entries((skel)->maps.sites, 4 * (n_stacks)) ||     \
			bpf_map__set_max_entries((skel)->maps.processes, 16384) ||          \
			bpf_map__set_max_entries((skel)->maps.blocks, (n_blocks));          \
		if (ret)                                                                    \
			(ret) = errf(-EINVAL, "cannot size the kernel's tables");           \
	} while (0)
