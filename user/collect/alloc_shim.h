/* SPDX-License-Identifier: BSD-2-Clause */
/* alloc_shim: the programs of bpf/alloc_shim.bpf.h, and the probes of the library that they are
 * for. */
#pragma once

#include <stdbool.h>

#include "user/collect/alloc_provider.h"
#include "user/collect/shim_probes.h"
#include "user/collect/uprobes.h"

struct alloc_bpf;

struct alloc_shim {
	struct alloc_bpf *skel; /* borrowed */
	enum uprobes_way way;
	bool maps;   /* anonymous mappings are told of */
	bool in_use; /* and what is given back */
	struct uprobes probes;
};

/* Before the skeleton is loaded: which programs there will be. */
void alloc_shim_choose(struct alloc_shim *s, struct alloc_bpf *skel, bool maps, bool in_use);
/* The same: none. */
void alloc_shim_leave_out(struct alloc_bpf *skel);

/* To the library at that path, which is this recording's own. 0 or -errno with a sentence. */
int alloc_shim_attach(struct alloc_shim *s, const char *path);
/* To a process that has them by itself. */
int alloc_shim_attach_provider(struct alloc_shim *s, const struct alloc_provider *p);
void alloc_shim_release(struct alloc_shim *s);
