/* SPDX-License-Identifier: BSD-2-Clause */
/* dwarf_file: an ELF file as libdw reads it, mapped. As careless as libdw is: see dwarf_lines.h. */
#pragma once

#include <elfutils/libdw.h>
#include <stddef.h>
#include <stdint.h>

struct dwarf_file {
	void *map;
	size_t size;
	Elf *elf;
	Dwarf *dwarf;
};

/*
 * 'fd' stays the caller's and may be closed. -EFBIG if the file's debug sections are more than
 * 'max_bytes' when they are uncompressed; -EINVAL if it has none or is broken; -ENOMEM, -errno.
 */
int dwarf_file_open(struct dwarf_file *file, int fd, uint64_t max_bytes);
void dwarf_file_close(struct dwarf_file *file);
