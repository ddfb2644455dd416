/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_file: the separate file with the symbols that were stripped from a program, found by build
 * ID (DIRECTORY/.build-id/ab/cdef.debug) or by the section .gnu_debuglink (name and CRC-32, beside
 * the program, in .debug beside it, and under DIRECTORY). Source: "Debugging Information in
 * Separate Files" in GDB's manual.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/elf/elf_image.h"
#include "user/sym/debuginfod.h"

struct debug_search {
	const char *directory;	       /* such as /usr/lib/debug */
	const char *path;	       /* of the program, absolute, or NULL */
	uint32_t pid;		       /* whose root is searched before ours; 0 for none */
	struct debuginfod *debuginfod; /* asked last; NULL: not */
	bool keep;		       /* who loads symbols wants the file itself, too */
};

/*
 * 0 with a file that has a .symtab and belongs to 'image' (same build ID; same CRC-32 if it was
 * found by the link); -ENOENT if there is none.
 */
int debug_file_open(const struct elf_image *image, const struct debug_search *search,
		    struct elf_image **ret);

/*
 * The supplementary file that dwz(1) has moved parts of the image's debug information to
 * (.gnu_debugaltlink), by its path or below DIRECTORY/.build-id: 0 with a file of that build ID, 0
 * with *ret untouched if the image needs none; -ENOENT if there is none, -EINVAL if the link is
 * broken.
 */
int debug_file_open_alt(const struct elf_image *image, const struct debug_search *search,
			struct elf_image **ret);
