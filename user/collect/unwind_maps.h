/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unwind_maps: the kernel side of the unwinder: the maps that every collector's walk shares, as
 * memory of this process, and the programs that keep processes' lists (bpf/unwind.bpf.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "bpf/wire.h"
#include "user/base/cleanup.h"
#include "user/collect/bpf_cost.h"
#include "user/unwind/store.h"

struct unwind_maps_options {
	uint64_t memory_bytes;	/* of tables and lists */
	uint32_t samples_per_s; /* that may have to be passed up, at most */
	uint32_t pidns_inum;	/* as in struct target_config */
	uint32_t command;	/* PID of a command that waits for its exec; 0: none */
};

struct unwind_bpf;

struct unwind_maps {
	struct unwind_bpf *skel;
	struct unwind_memory memory;
	struct ft_unwind_rule *rules; /* FT_UNWIND_MAX_RULES */
	struct ft_unwind_mapping *mappings;
	uint32_t n_mappings;
};

/* Loads and attaches: lists are kept with their processes from here on. -errno with a sentence. */
int unwind_maps_new(const struct unwind_maps_options *options, struct unwind_maps **ret);
void unwind_maps_free(struct unwind_maps *maps);
DEFINE_FREEP(struct unwind_maps, unwind_maps_free)

/*
 * Makes a collector's object, which is not loaded yet and whose programs include
 * bpf/ustack.bpf.h, use these maps. 0 or -errno without a sentence.
 */
int unwind_maps_share(const struct unwind_maps *maps, struct bpf_object *object);

/* What a process's samples are unwound by in the kernel. 0 or -errno without a sentence. */
int unwind_maps_set_process(const struct unwind_maps *maps, const struct ft_process_key *key,
			    const struct ft_process *process);
void unwind_maps_drop_process(const struct unwind_maps *maps, const struct ft_process_key *key);

/* Calls 'fn' for each process that has a list, also those that got it by a fork. 0 or -errno. */
typedef void (*unwind_maps_fn)(void *ctx, const struct ft_process_key *key,
			       const struct ft_process *process);
int unwind_maps_for_each(const struct unwind_maps *maps, unwind_maps_fn fn, void *ctx);

/* The command, once it has exec'ed: false before that. */
bool unwind_maps_command(const struct unwind_maps *maps, struct ft_process_key *ret_key,
			 uint64_t *ret_mm);

/* Waits until no program reads any more what it has found before. */
void unwind_maps_wait(void);

/* Descriptor of the ring of deferred samples. */
int unwind_maps_ring_fd(const struct unwind_maps *maps);

/* Run time of the programs, bytes of the maps, and forks whose list did not fit. */
uint64_t unwind_maps_forks_lost(const struct unwind_maps *maps);
void unwind_maps_cost(const struct unwind_maps *maps, struct bpf_cost *ret);
