/* SPDX-License-Identifier: BSD-2-Clause */
/* frame_section: where an ELF file has its call frame information, as bytes. */
#pragma once

#include "user/elf/elf_image.h"
#include "user/unwind/cfi.h"

struct frame_section {
	struct cfi_section section;
	bool is_eh;		/* .eh_frame and not .debug_frame: LSB 5.0 Core, 10.6.1 */
	size_t fdes_before_end; /* its end is not known: the first terminator after so many FDEs */
	bool end_known;
	void *own; /* what it was decompressed to, or NULL; otherwise the bytes are the image's */
};

void frame_section_release(struct frame_section *fs);

/*
 * .eh_frame, by its section, or without one by PT_GNU_EH_FRAME. -ENODATA (no sentence) if there is
 * none; -EFBIG, -EINVAL, -EIO, -ENOMEM with a sentence. To be released after success.
 */
int frame_section_eh(const struct elf_image *image, struct frame_section *ret);

/* .debug_frame, or .zdebug_frame; the same errors. */
int frame_section_debug(const struct elf_image *image, struct frame_section *ret);
