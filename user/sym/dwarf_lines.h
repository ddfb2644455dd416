/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_lines: the source lines and inlined functions of one file's code, from its debug
 * information, read by libdw. What a hostile file can make libdw do is not bounded here: it opens
 * files that this one names, may never end, takes what memory there is, and a file that is cut
 * short under it is a SIGBUS. So only the worker calls this (lines_worker.h), and tests. Split
 * debug information (.dwo) is not looked for: lines, but no inlined functions.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/sym/code_line.h"

struct dwarf_lines;

/*
 * Maps the file, and the supplementary one that dwz(1) has moved parts of it to ('alt_fd', or -1);
 * both descriptors stay the caller's and may be closed. -EFBIG if its debug sections would be more
 * than 'max_bytes'; -EINVAL if there is nothing that can be understood; -ENOMEM.
 */
int dwarf_lines_new(int fd, int alt_fd, uint64_t max_bytes, struct dwarf_lines **ret);
void dwarf_lines_free(struct dwarf_lines *lines);
DEFINE_FREEP(struct dwarf_lines, dwarf_lines_free)

/* What of the address space is taken by the mapped files. */
size_t dwarf_lines_mapped_bytes(const struct dwarf_lines *lines);

/*
 * The functions that the instruction at a virtual address of the file is part of, innermost first;
 * how many they are, up to CODE_LINES_MAX, the last being the one that stands there; 0 if nothing
 * is known; -ENOMEM. Strings live as long as 'lines'.
 */
int dwarf_lines_find(struct dwarf_lines *lines, uint64_t address,
		     struct code_line ret[CODE_LINES_MAX]);
