/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_candidates: everything in ELF files that could name an address: functions of symbol tables
 * and entries of procedure linkage tables, before it is decided which name an address gets. Names
 * live in the images that they are from: these must stay, and not be detached, as long.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/elf/elf_image.h"

enum elf_binding { ELF_LOCAL, ELF_WEAK, ELF_GLOBAL };

struct elf_candidate {
	uint64_t start;
	uint64_t end;	  /* of the section if it is not sized */
	const char *name; /* in the image that it is from */
	uint32_t pooled;  /* for who makes the table */
	uint8_t binding;
	uint8_t underscores; /* at the start of its name */
	bool sized;
	bool is_plt; /* a linkage table's entry for the function of that name */
};

struct elf_candidates {
	struct elf_candidate *all;
	size_t n, cap;
};

void elf_candidates_release(struct elf_candidates *c);

/*
 * Adds the functions of the first section of type SHT_SYMTAB or SHT_DYNSYM: STT_FUNC,
 * STT_GNU_IFUNC and, for assembly, STT_NOTYPE, in executable sections. 0, -ENOENT if there is no
 * such section, -EINVAL or -EIO if it is broken, -EFBIG beyond 4 M symbols or 512 MiB of names,
 * -ENOMEM.
 */
int elf_candidates_add_table(struct elf_candidates *c, const struct elf_image *image,
			     uint32_t type);

/*
 * Adds the entries of .plt, .plt.sec and .plt.got (x86-64, arm64): each jumps by a slot that a
 * relocation names. 0 (also if there are none), -EINVAL, -EIO, -EFBIG, -ENOMEM.
 */
int elf_candidates_add_plt(struct elf_candidates *c, const struct elf_image *image);

/*
 * Adds where functions begin that may have no name, by the table of .eh_frame_hdr, with the name
 * "": any other name at the same address is better. 0, -ENOENT if there is none that is understood,
 * -EINVAL, -EIO, -ENOMEM.
 */
int elf_candidates_add_unnamed(struct elf_candidates *c, const struct elf_image *image);

/*
 * For the first two above: a symbol table, and symbol number i of it in 64-bit form (false if its
 * name is not within the strings).
 */
struct elf_table {
	Elf_Data *symbols;
	const char *strings;
	size_t n, strings_len;
};
int elf_table_read(const struct elf_image *image, const Elf64_Shdr *shdr, struct elf_table *ret);
bool elf_table_symbol(const struct elf_table *t, size_t i, Elf64_Sym *ret_symbol,
		      const char **ret_name);

/* Keeps a copy. */
int elf_candidates_add(struct elf_candidates *c, const struct elf_candidate *candidate);
