/* SPDX-License-Identifier: BSD-2-Clause */
/* frame_names: addresses that were sampled as frames of a profile, each looked up once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/keyset.h"
#include "user/collect/processes.h"
#include "user/model/profile.h"
#include "user/sym/sym.h"

/* One address is one frame, or several: what was inlined there, and what that is inlined into. */
struct resolved {
	uint32_t first; /* number of the first in 'frames', innermost first */
	uint32_t n;
	bool is_mapped; /* in executable memory, as far as is known */
	bool is_root;	/* where programs and threads begin */
};

struct frame_names {
	/* Borrowed; the caller's to set. */
	struct processes *processes;
	struct symbolizer *symbolizer;
	struct profile *p;

	struct keyset addresses; /* of struct address_key */
	struct resolved *resolved;
	size_t resolved_cap;
	uint32_t *frames; /* of the profile, those of one address together */
	size_t n_frames, frames_cap;
	struct keyset parts; /* of struct part_key */
	struct canonical {
		uint32_t mapping; /* of the profile */
		uint64_t start;
	} * canonical;
	size_t canonical_cap;
};

void frame_names_init(struct frame_names *names, struct processes *processes,
		      struct symbolizer *symbolizer, struct profile *p);
void frame_names_release(struct frame_names *names);

/*
 * The frames of an address of the kernel, or of a process image at that time (CLOCK_MONOTONIC). A
 * caller's address is a return address. 0 or -ENOMEM without a sentence.
 */
int frame_names_kernel(struct frame_names *names, uint64_t pc, bool is_caller,
		       struct resolved *ret);
int frame_names_user(struct frame_names *names, uint64_t pc, bool is_caller, uint32_t image,
		     uint64_t time_ns, struct resolved *ret);
