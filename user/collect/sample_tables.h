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

#include <linux/types.h>

#include "bpf/wire.h"
#include "user/collect/capture.h"
#include "user/collect/stack_book.h"
#include "user/collect/unwinder.h"

struct bpf_map;

/* The key of a tally begins with its struct ft_origin. An error ends the drain. */
typedef int (*sample_tally_fn)(void *ctx, const void *key, const void *value,
			       const struct stack_entry *user, const struct stack_entry *kernel);

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
