/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unwind_lists: the lists of mappings by which the kernel's walk finds tables, one for each process
 * that has been sampled. A list that may be in use is never changed but for what it says of tables;
 * a process whose mappings have changed gets a new one.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "user/base/cleanup.h"
#include "user/collect/late.h"
#include "user/collect/processes.h"
#include "user/collect/unwind_maps.h"
#include "user/collect/unwind_tables.h"

struct unwind_lists;

/* All are borrowed. 0 or -ENOMEM. */
int unwind_lists_new(struct unwind_maps *maps, struct processes *processes,
		     struct unwind_tables *tables, struct unwind_lists **ret);
void unwind_lists_free(struct unwind_lists *lists);
DEFINE_FREEP(struct unwind_lists, unwind_lists_free)

/*
 * Gives the process 'pid' (of our namespace) with that key and address space a list of what its
 * newest image has mapped now, if it has none or another one; a process that is gone gets none.
 * What has no room is counted. 0 or -ENOMEM with a sentence.
 */
int unwind_lists_publish(struct unwind_lists *lists, uint32_t pid, const struct ft_process_key *key,
			 uint64_t mm);

/* The same; and then 'need' makes each table that is not there yet. */
int unwind_lists_publish_whole(struct unwind_lists *lists, uint32_t pid,
			       const struct ft_process_key *key, uint64_t mm, late_need_fn need,
			       void *ctx);

/* Gives all processes that have a list and have mapped something since a new one. */
int unwind_lists_refresh(struct unwind_lists *lists);

/* The table is there now, or not any more: says so in all lists. */
void unwind_lists_update(struct unwind_lists *lists, uint32_t table);

/* Tells the tables which of them the kernel's walks have used since this was called last. */
void unwind_lists_note_use(struct unwind_lists *lists, uint64_t now_ns);

/* Lists that had no room, so far. */
uint64_t unwind_lists_full(const struct unwind_lists *lists);
