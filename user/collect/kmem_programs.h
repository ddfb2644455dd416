/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kmem_programs: which of the programs of bpf/kmem.bpf.c this kernel takes, and what they must know
 * of it.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bpf/kmem_wire.h"

struct btf;
struct kmem_bpf;

/* What the running kernel has. */
struct kmem_kernel {
	/* Why something is not known: a sentence without its stop, a literal; NULL: it is. */
	const char *no_cache, *no_slab_code;
};

/*
 * Chooses, before the skeleton is loaded, the programs that fit the running kernel. -ENOTSUP if it
 * lacks a tracepoint that is needed; 0 or -errno with a sentence. The skeleton must be loaded then:
 * libbpf 1.1 does not free all that this makes it read otherwise.
 */
int kmem_programs_choose(struct kmem_bpf *skel, struct kmem_kernel *ret);

/* Looks into the kernel's types alone: 0, -ENOTSUP as above, or -errno with a sentence. */
int kmem_kernel_look(struct kmem_kernel *ret);

/*
 * Whether the program of that name fits the tracepoint as this kernel has it: names that end in _c
 * take a cache in front of the sizes, in _s sizes where the others take a cache.
 */
bool kmem_program_fits(const struct btf *btf, const char *program, const char *tracepoint);

/*
 * The functions in a file like /proc/kallsyms that take pages for objects, as far as there is room.
 * Returns how many; 0 also if addresses are hidden.
 */
size_t kmem_slab_ranges(FILE *kallsyms, struct ft_kmem_range ret[FT_KMEM_MAX_RANGES]);
