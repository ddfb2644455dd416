/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unwinder: complete user stacks for every collector. The kernel unwinds what it has tables for;
 * what it has not it passes up, and that tells the unwinder which processes and files are needed
 * next.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "user/base/cleanup.h"
#include "user/collect/bpf_cost.h"
#include "user/collect/processes.h"
#include "user/collect/unwind_maps.h"
#include "user/collect/unwind_tables.h"
#include "user/model/summary.h"

struct unwinder;

/* 'processes' and 'symbolizer' are borrowed. -errno with a sentence. */
int unwinder_new(const struct unwind_maps_options *options, struct processes *processes,
		 struct symbolizer *symbolizer, struct unwinder **ret);
void unwinder_free(struct unwinder *u);
DEFINE_FREEP(struct unwinder, unwinder_free)

/* What a collector shares: unwind_maps_share(). */
const struct unwind_maps *unwinder_maps(const struct unwinder *u);

/* Becomes readable when deferred samples should be read at once. */
int unwinder_fd(const struct unwinder *u);

/* Takes in the samples that the kernel has deferred. 0 or -errno with a sentence. */
int unwinder_read(struct unwinder *u);

/*
 * Unwinds the deferred samples that are from before 'settled_ns', up to which 'processes' knows
 * everything, and gives their processes lists; for 'max_ns', or one sample more. 1: there may be
 * more to do; 0: that was all; or -errno with a sentence.
 */
int unwinder_work(struct unwinder *u, uint64_t settled_ns, uint64_t max_ns);

/*
 * Hands over each stack of that collector (FT_COLLECTOR_*) that has been unwound since, with the
 * number that stands for it; not 0 ends it. 1 if there were any, 0, or what 'fn' returned.
 */
typedef int (*unwinder_fn)(void *ctx, uint64_t number, const struct ft_stack *stack);
int unwinder_deliver(struct unwinder *u, uint32_t collector, unwinder_fn fn, void *ctx);

/* The command that was configured stands at the start of its program: makes its tables. */
int unwinder_prepare_command(struct unwinder *u, uint32_t pid);

/*
 * Before events fire: makes the tables of all that these processes, which run already, have mapped
 * as far as 'processes' knows. 0 or -ENOMEM with a sentence.
 */
int unwinder_prepare_running(struct unwinder *u, const uint32_t *pids, size_t n_pids);

/*
 * Makes the tables of all that a process has mapped as far as 'processes' knows; it is 'pid' in our
 * PID namespace. 0 or -ENOMEM with a sentence.
 */
int unwinder_prepare(struct unwinder *u, uint32_t pid, const struct ft_process_key *key,
		     uint64_t mm);

void unwinder_summarize(const struct unwinder *u, struct unwind_summary *ret);
/* Adds the cost of keeping lists: run time alone, the maps are the collectors'. */
void unwinder_cost(const struct unwinder *u, struct bpf_cost *ret);
