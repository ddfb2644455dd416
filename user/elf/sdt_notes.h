/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sdt_notes: the probes that a file says it has, in SystemTap's notes (<sys/sdt.h>, version 3 of
 * the format). The file may be hostile: more than SDT_NOTES_MAX notes or SDT_NOTES_MAX_BYTES of
 * them are refused.
 *
 * Source: https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/elf/elf_image.h"

#define SDT_NOTES_MAX	    65536
#define SDT_NOTES_MAX_BYTES (16u << 20)

/* The texts live until the image is detached. */
struct sdt_note {
	const char *provider, *name;
	const char *args; /* "8@%rdi -4@%esi" */
	/* Virtual addresses of the file, with what a prelinker has changed taken into account. */
	uint64_t address;
	uint64_t semaphore; /* a 16-bit counter of those who look; 0: none */
};
struct sdt_notes {
	struct sdt_note *all;
	size_t n, cap;
};

/* Empty if there are none. -EINVAL: broken; -EFBIG; -ENOMEM; with a sentence. */
int sdt_notes_read(const struct elf_image *image, struct sdt_notes *ret);
void sdt_notes_release(struct sdt_notes *notes);

/*
 * Where in the file a virtual address is: what a uprobe is attached by. False if no loaded segment
 * has it, or none has its byte in the file.
 */
bool sdt_offset(const struct elf_image *image, uint64_t address, uint64_t *ret);
