/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shim_probes: where the probes of provider "fathom_alloc" are in a file: in the library of our own
 * or in an allocator that carries them itself (docs/usdt.md).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/elf/elf_image.h"

enum shim_probe_kind {
	SHIM_MADE,
	SHIM_FREED,
	SHIM_MOVING,
	SHIM_MOVED,
	SHIM_MAPPED,
	SHIM_UNMAPPED,
	SHIM_SETTLING,
	SHIM_PROBES,
};

struct shim_probe {
	enum shim_probe_kind kind;
	uint64_t offset;	   /* in the file */
	uint64_t semaphore_offset; /* in the file; 0: none */
};

/*
 * All of them, in a block of the caller's: one probe may be at many places. -ENOENT if 'made' is
 * not there; -ENOTSUP if arguments are not in the registers of the calling convention, where the
 * programs look for them; -EINVAL if a probe is in no segment; or what sdt_notes_read() says; with
 * a sentence.
 */
int shim_probes_read(const struct elf_image *image, struct shim_probe **ret, size_t *ret_n);

/* The same of the library that is a part of this program. */
int shim_probes_own(struct shim_probe **ret, size_t *ret_n);

/* "made" ... */
const char *shim_probe_name(enum shim_probe_kind kind);
