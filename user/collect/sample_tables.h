/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sample_tables: the kernel's tables of one collector, in two sets (bpf/sample.bpf.h): the programs
 * fill one while the other is read empty. Stacks go into a book, and each tally (events of one
 * origin, counted together) goes to the collector as soon as its stacks are known: those that are
 * unwound late come after it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <linux/types.h>

#include "bpf/wire.h"
#include "user/collect/capture.h"
#include "user/collect/stack_book.h"
#include "user/collect/unwinder.h"

struct bpf_map;

/* The key of a tally begins with its struct ft_origin. An error ends the drain. */
typedef int (*sample_tally_fn)(void *ctx, const void *key, const void *value,
			       const struct stack_entry *user, const struct stack_entry *kernel);

/*
 * For a skeleton whose programs include bpf/sample.bpf.h, before it is loaded: how user stacks are
 * walked, and the slots of time by which events are counted (0: together). 'unwinder' may be NULL;
 * 'ret' becomes 0 or -errno without a sentence.
 */
#define SAMPLE_CONFIGURE(skel, unwinder, slot, ret)                                               \
	do {                                                                                      \
		/* A kernel stack is a page where pages are larger. */                            \
		if (sysconf(_SC_PAGESIZE) > (skel)->rodata->cfg_kernel_stack_bytes)               \
			(skel)->rodata->cfg_kernel_stack_bytes = sysconf(_SC_PAGESIZE);           \
		(skel)->rodata->cfg_frame_pointers = !(unwinder);                                 \
		(skel)->rodata->cfg_slot_ns = (slot);                                             \
		(ret) = (unwinder) ? unwind_maps_share(unwinder_maps(unwinder), (skel)->obj) : 0; \
	} while (0)

struct sample_tables_options {
	uint32_t *active_set; /* the programs' */
	__u64 *deferred_made; /* the same: by set */
	const struct bpf_map *stacks[FT_SETS];
	const struct bpf_map *tallies[FT_SETS];
	uint32_t collector;	   /* FT_COLLECTOR_* */
	struct unwinder *unwinder; /* borrowed; NULL: nothing is unwound late */
	struct capture *capture;   /* borrowed: takes the stacks */
	/* Waits until all programs that run now have ended; NULL: an RCU grace period is waited
	 * for. */
	void (*wait)(void *ctx);
	sample_tally_fn add;
	void *ctx; /* of both */
};

/* The part of these options that a loaded skeleton tells; its tallies are called NAME_0 and NAME_1.
 */
#define SAMPLE_TABLES_OF(skel, name)                                                         \
	.active_set = &(skel)->bss->active_set, .deferred_made = (skel)->bss->deferred_made, \
	.stacks = { (skel)->maps.stacks_0, (skel)->maps.stacks_1 },                          \
	.tallies = { (skel)->maps.name##_0, (skel)->maps.name##_1 }

struct sample_tables {
	struct sample_tables_options o;
	struct stack_book book;
	unsigned char *waiting; /* tallies whose stacks are not known yet: key and value */
	size_t n_waiting, waiting_cap;
	unsigned int fullest; /* of the tables of the last drained set, percent */
};

void sample_tables_init(struct sample_tables *t, const struct sample_tables_options *options);
void sample_tables_release(struct sample_tables *t);

/* Reads what has been counted so far, losing nothing that is counted meanwhile. */
int sample_tables_drain(struct sample_tables *t);

/* Takes what has been unwound late since, and the tallies that waited for it. */
int sample_tables_deliver(struct sample_tables *t);

/* The part of a sample that an origin tells; the rest is zero. */
struct capture_sample sample_of(const struct ft_origin *origin, const struct stack_entry *user,
				const struct stack_entry *kernel);
